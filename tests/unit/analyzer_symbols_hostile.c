/* SPDX-License-Identifier: MIT */
/* Files of others: whatever bytes they hold, no crash, no hang, no name without a bound. */
#include "symbol/jit.h"
#include "symbol/name.h"
#include "symbol/spans.h"
#include "symbol/symbols.h"

#include "symbol_oracle.h"

#include <sys/stat.h>

static void names_as(const char *linkage, const char *expected)
{
	struct names names = {0};

	cr_expect_str_eq(name_of(&names, linkage), expected);
	cr_expect_eq(name_of(&names, linkage), name_of(&names, linkage));
	names_free(&names);
}

Test(names, demangled)
{
	names_as("main", "main");
	names_as("_Z", "_Z");
	names_as("_ZN5outer5inner7counterILi5EEpLEi", "outer::inner::counter<5>::operator+=(int)");
	names_as("_ZZ4mainENKUliE_clEi", "main::{lambda(int)#1}::operator()(int) const");
	names_as("_ZN4core3fmt9Formatter3pad17h1234567890abcdefE", "core::fmt::Formatter::pad");
	names_as("_RNvCs1234_7mycrate3foo", "mycrate::foo");
	names_as("_RINvNtC3std3mem8align_ofdE", "std::mem::align_of::<f64>");
	names_as("_Read_some", "_Read_some");
	names_as("\xff\xfe", "\xff\xfe");
	cr_expect_null(name_of(&(struct names){0}, ""));
	cr_expect_null(name_of(&(struct names){0}, NULL));
}

/* Each parameter names the one before it twice: 2^40 characters. */
static const char *exploding(char *out, const char *front)
{
	char *end = stpcpy(out, front);

	end = stpcpy(end, "4pairIiiE");
	for (int i = 0; i < 36; i++) {
		char of[8];
		snprintf(of, sizeof of, i ? "S%c_" : "S_", i <= 10 ? '0' + i - 1 : 'A' + i - 11);
		end += sprintf(end, "S_I%s%sE", of, of);
	}
	return out;
}

Test(names, bounded, .timeout = 10)
{
	struct names names = {0};
	char *longest = allocate(1 << 20, 1);

	cr_expect_lt(strlen(name_of(&names, exploding(longest, "_Z1f"))), 5000);
	memset(longest, 'a', (1 << 20) - 1);
	cr_expect_eq(strlen(name_of(&names, longest)), 4096);
	cr_expect_str_eq(name_of(&names, longest) + 4093, "...");
	memcpy(longest, "_ZN", 3);
	cr_expect_eq(strlen(name_of(&names, longest)), 4096);
	memset(longest + 2, 'P', 10000);
	longest[10000] = '\0';
	cr_expect_leq(strlen(name_of(&names, longest)), 4096);
	free(longest);
	names_free(&names);
}

Test(names, many)
{
	struct names names = {0};
	const char *first = name_of(&names, "f0");

	for (int i = 0; i < 20000; i++)
		cr_assert_str_eq(name_of(&names, text("f%d", i)), text("f%d", i));
	cr_expect_eq(name_of(&names, "f0"), first);
	names_free(&names);
}

/* Random ranges against one that looks at all of them. */
Test(spans, all_addresses)
{
	for (unsigned seed = 1; seed < 200; seed++) {
		struct spans spans = {0};
		uint64_t first[20], last[20];
		srand(seed);
		for (unsigned i = 0; i < 20; i++) {
			first[i] = (uint64_t)rand() % 100;
			last[i] = first[i] + (uint64_t)rand() % 30;
			spans_add(&spans, first[i], last[i], i);
		}
		spans_sort(&spans);
		for (uint64_t at = 0; at < 140; at++) {
			int best = -1, newest = -1;
			uint32_t item;
			for (int i = 0; i < 20; i++)
				if (first[i] <= at && at < last[i]) {
					newest = i;
					if (best < 0 || first[i] >= first[best])
						best = i;
				}
			cr_assert_eq(spans_at(&spans, at, &item) ? (int)item : -1, best);
			cr_assert_eq(spans_newest_at(&spans, at, &item) ? (int)item : -1, newest);
		}
		spans_free(&spans);
	}
}

static const char *written(const char *name, const char *bytes)
{
	const char *path = text("%s/%s", scratch(), name);
	FILE *file = fopen(path, "w");

	fputs(bytes, file);
	fclose(file);
	return path;
}

static const char *jit_name(const char *map, uint64_t address)
{
	static char name[256];
	struct symbol_options options = {.perf_map = map};
	struct symbols *symbols = symbols_open(NULL, 0, &options);
	const struct symbol_frame *frames;

	cr_expect_eq(symbols_at(symbols, address + 1, 0, &frames), 1);
	snprintf(name, sizeof name, "%s", frames[0].function ? frames[0].function : "");
	symbols_free(symbols);
	return name;
}

Test(jit, names)
{
	const char *map = written("map", "2000 100 later\n"
					 "1000 100 first: with blanks\n"
					 "0x1080 0x20 moved here\n"
					 "2000 80 newest\n"
					 "7f0000000000 10 _ZN1a1bEv\n"
					 "3000 10 unfinished");

	cr_expect_str_eq(jit_name(map, 0x1000), "first: with blanks");
	cr_expect_str_eq(jit_name(map, 0x1080), "moved here");
	cr_expect_str_eq(jit_name(map, 0x10a0), "first: with blanks");
	cr_expect_str_eq(jit_name(map, 0x1100), "");
	cr_expect_str_eq(jit_name(map, 0x2000), "newest");
	cr_expect_str_eq(jit_name(map, 0x2080), "later");
	cr_expect_str_eq(jit_name(map, 0x7f000000000f), "a::b()");
	cr_expect_str_eq(jit_name(map, 0x3000), "");
}

Test(jit, hostile_lines)
{
	const char *map = written("map", "\n \n1\n1 \n1 1\n1 1 \nzz 10 name\n10 zz name\n-5 10 name\n"
					 "10000000000000000 10 past 64 bits\n"
					 "ffffffffffffffff 10 past the end\n"
					 "ffffffffffffff00 ff last\n"
					 "50 0 empty\n0x 10 nothing\n"
					 "60 10 \x1b]52;c;\x07\n70 10 good\r\n");

	cr_expect_str_eq(jit_name(map, 0xffffffffffffff10), "last");
	cr_expect_str_eq(jit_name(map, 0xfffffffffffffffe), "last");
	cr_expect_str_eq(jit_name(map, 1), "");
	cr_expect_str_eq(jit_name(map, 0x10), "");
	cr_expect_str_eq(jit_name(map, 0x50), "");
	cr_expect_str_eq(jit_name(map, 0x60), "\x1b]52;c;\x07");
	cr_expect_str_eq(jit_name(map, 0x70), "good\r");
}

Test(jit, not_anyones_file, .timeout = 20)
{
	const char *map = written("map", "0 1000 name\n");

	cr_expect_str_eq(jit_name(map, 1), "name");
	if (geteuid() == 0) {
		cr_assert_eq(chown(map, 12345, 12345), 0);
		cr_expect_str_eq(jit_name(map, 1), "");
	}
	shell(text("rm %s; mkfifo %s", map, map));
	cr_expect_str_eq(jit_name(map, 1), "");
	shell(text("rm %s; truncate -s 100M %s", map, map));
	cr_expect_str_eq(jit_name(map, 1), "");
	cr_expect_str_eq(jit_name("/dev/zero", 1), "");
	cr_expect_str_eq(jit_name("/no/such/map", 1), "");
}

static char *bytes_of(const char *path, size_t *ret_count)
{
	struct stat status;
	FILE *file = fopen(path, "r");

	cr_assert(file && fstat(fileno(file), &status) == 0);
	char *bytes = allocate((size_t)status.st_size, 1);
	*ret_count = fread(bytes, 1, (size_t)status.st_size, file);
	fclose(file);
	return bytes;
}

/* Asks a file of these bytes for addresses all over it; reads all that it says. */
static size_t ask_bytes(const char *bytes, size_t byte_count)
{
	const char *path = text("%s/hostile", scratch());
	struct symbol_module module = {.path = path, .last = UINT64_MAX};
	struct symbols *symbols = symbols_open(&module, 1, NULL);
	const struct symbol_frame *frames;
	FILE *file = fopen(path, "w");
	size_t sum = 0;

	fwrite(bytes, 1, byte_count, file);
	fclose(file);
	for (uint64_t address = 0x1000; address < 0x3800; address += 61) {
		size_t count = symbols_at(symbols, address, 0, &frames);
		for (size_t i = 0; i < count; i++)
			sum += (frames[i].function ? strlen(frames[i].function) : 0) +
			       (frames[i].file ? strlen(frames[i].file) : 0);
	}
	symbols_free(symbols);
	return sum;
}

Test(hostile, cut_short, .timeout = 120)
{
	size_t byte_count;
	char *bytes = bytes_of(built("tests/symbol/symbol_inlined"), &byte_count);

	cr_expect_gt(ask_bytes(bytes, byte_count), 0);
	for (size_t length = 0; length < byte_count; length += length < 256 ? 1 : 97)
		ask_bytes(bytes, length);
	free(bytes);
}

/* Bytes changed anywhere, most of them in the section headers and in the debug information. */
Test(hostile, bytes_changed, .timeout = 120)
{
	size_t byte_count;
	char *bytes = bytes_of(built("tests/symbol/symbol_inlined"), &byte_count);

	for (unsigned seed = 1; seed <= 1500; seed++) {
		char *changed = allocate_text(bytes, byte_count);
		srand(seed);
		for (unsigned i = 0; i < 1 + seed % 16; i++) {
			size_t from = seed % 3 ? byte_count / 2 : 0;
			size_t at = from + (size_t)rand() % (byte_count - from);
			changed[at] = (char)(seed % 5 ? rand() : seed % 2 ? 0xff : 0x7f);
		}
		ask_bytes(changed, byte_count);
		free(changed);
	}
	free(bytes);
}
