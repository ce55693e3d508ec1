/* SPDX-License-Identifier: MIT */
/* Addresses to functions and lines: as other tools do it, and whatever the files are. */
#include "symbol/symbols.h"

#include "symbol_oracle.h"

#include <fcntl.h>
#include <sys/stat.h>

/* The address of a symbol, as nm has it. */
static uint64_t address_of(const char *path, const char *name)
{
	FILE *nm = opened(text("nm %s | awk '$3 == \"%s\" { print $1; exit }'", path, name));
	uint64_t address = 0;

	cr_assert_eq(fscanf(nm, "%lx", &address), 1, "%s in %s", name, path);
	pclose(nm);
	return address;
}

static struct symbol_module whole(const char *path)
{
	return (struct symbol_module){.path = path, .last = UINT64_MAX};
}

struct answer {
	char function[256], file[256];
	unsigned line;
	enum symbol_lack lack;
};

/* The outermost frame for one address, and what was missing. */
static struct answer ask(struct symbol_module module, const char *debug_dirs, uint64_t address)
{
	struct symbol_options options = {.debug_dirs = debug_dirs};
	struct symbols *symbols = symbols_open(&module, 1, &options);
	const struct symbol_frame *frames;
	const struct symbol_gap *gaps;
	struct answer answer = {0};
	size_t count = symbols_at(symbols, address + 1, 0, &frames);
	const struct symbol_frame *outer = &frames[count - 1];

	snprintf(answer.function, sizeof answer.function, "%s",
		 outer->function ? outer->function : "");
	snprintf(answer.file, sizeof answer.file, "%s", outer->file ? outer->file : "");
	answer.line = outer->line;
	if (symbols_missing(symbols, &gaps))
		answer.lack = gaps[0].lack;
	symbols_free(symbols);
	return answer;
}

/* Names of C++ that debug information has without their namespace are shown with it here. */
static void expect_share(const char *path, const char *debug_dirs, unsigned stride,
			 double lines_least, double names_least)
{
	struct oracle_score score = compare(path, debug_dirs, stride);

	cr_log_info("%s: of %u lines %u, names %u", path, score.asked, score.lines, score.names);
	cr_assert_gt(score.asked, 0);
	cr_expect_geq(score.lines, score.asked * lines_least, "%s: lines of %u of %u", path,
		      score.lines, score.asked);
	cr_expect_geq(score.names, score.asked * names_least, "%s: names of %u of %u", path,
		      score.names, score.asked);
}

Test(symbols, as_other_tools_say)
{
	expect_share(built("tests/symbol/symbol_inlined"), NULL, 1, 1, 1);
	expect_share(built("tests/symbol/symbol_templates"), NULL, 1, 1, 0.85);
	expect_share(built("tests/symbol/libsymbol_shared.so"), NULL, 1, 1, 1);
	expect_share(built("poolmem"), NULL, 3, 1, 1);
}

Test(symbols, as_other_tools_say_of_the_system)
{
	static const char *const found[] = {"libc.so.6", "libstdc++.so.6", "libdw.so.1"};

	for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
		char path[PATH_MAX];
		FILE *compiler = opened(text("realpath $(gcc -print-file-name=%s)", found[i]));
		cr_assert_eq(fscanf(compiler, "%4095s", path), 1);
		pclose(compiler);
		expect_share(path, NULL, 4, 0.99, 0.9);
	}
	expect_share("/usr/bin/python3", NULL, 8, 0.99, 0.99);
}

/* Wherever in outer_walk: innermost_step in middle_step in it, and innermost_step in it. */
Test(symbols, inlined_frames)
{
	const char *path = built("tests/symbol/symbol_inlined");
	struct symbol_module module = whole(path);
	struct symbols *symbols = symbols_open(&module, 1, NULL);
	uint64_t first = address_of(path, "outer_walk");
	const struct symbol_frame *f;
	bool three = false, two = false;

	for (uint64_t address = first + 1; address < first + 64; address++) {
		size_t count = symbols_at(symbols, address, 0, &f);
		if (!f[count - 1].function || strcmp(f[count - 1].function, "outer_walk") != 0)
			break;
		cr_expect_not(f[count - 1].is_inlined);
		cr_expect_str_eq(last_part(f[0].file), "symbol_inlined.c");
		cr_expect_eq(f[0].file[0], '/');
		three |= count == 3 && f[0].is_inlined && f[1].is_inlined && f[1].line == 18 &&
			 f[2].line == 24 && strcmp(f[0].function, "innermost_step") == 0 &&
			 strcmp(f[1].function, "middle_step") == 0;
		two |= count == 2 && f[1].line == 25 && strcmp(f[0].function, "innermost_step") == 0;
	}
	cr_expect(three);
	cr_expect(two);
	symbols_free(symbols);
}

Test(symbols, byte_before_a_return_address)
{
	const char *path = built("tests/symbol/symbol_inlined");
	struct symbol_module module = whole(path);
	struct symbols *symbols = symbols_open(&module, 1, NULL);
	uint64_t first = address_of(path, "outer_walk");
	const struct symbol_frame *frames, *again;

	size_t count = symbols_at(symbols, first, 0, &frames);
	cr_expect(!frames[count - 1].function ||
		  strcmp(frames[count - 1].function, "outer_walk") != 0);
	count = symbols_at(symbols, first + 1, 0, &frames);
	cr_expect_str_eq(frames[count - 1].function, "outer_walk");
	cr_expect_eq(symbols_at(symbols, first + 1, 7, &again), count);
	cr_expect_eq(frames, again);
	symbols_at(symbols, 0, 0, &frames);
	symbols_at(symbols, UINT64_MAX, 0, &frames);
	symbols_free(symbols);
}

/* F16: closed, and another one opened at the same address. */
Test(symbols, generations)
{
	const char *former = built("tests/symbol/libsymbol_shared.so");
	const char *later = built("tests/symbol/symbol_inlined");
	uint64_t in_former = address_of(former, "shared_sum"),
		 in_later = address_of(later, "outer_walk");
	uint64_t at = 0x7f0000000000;
	struct symbol_module modules[] = {
		{.path = later, .base = at - in_later, .first = at, .last = at + 16, .since = 4},
		{.path = former, .base = at - in_former, .first = at, .last = at + 16, .since = 2},
	};
	struct symbols *symbols = symbols_open(modules, 2, NULL);
	const struct symbol_frame *frames;

	for (uint32_t generation = 0; generation < 7; generation++) {
		size_t count = symbols_at(symbols, at + 1, generation, &frames);
		const char *expected = generation < 2   ? NULL
				       : generation < 4 ? "shared_sum"
							: "outer_walk";
		if (!expected)
			cr_expect(!frames[count - 1].function && !frames[0].module);
		else
			cr_expect_str_eq(frames[count - 1].function, expected);
	}
	symbols_at(symbols, at + 17, 9, &frames);
	cr_expect_null(frames[0].module);
	symbols_free(symbols);
}

static void read_build_id(const char *path, uint8_t id[20])
{
	FILE *notes = opened(text("readelf -n %s | sed -n 's/.*Build ID: //p'", path));

	for (int i = 0; i < 20; i++)
		cr_assert_eq(fscanf(notes, "%2hhx", &id[i]), 1);
	pclose(notes);
}

Test(symbols, build_id_must_match)
{
	const char *path = built("tests/symbol/symbol_inlined");
	uint64_t address = address_of(path, "unseen");
	struct symbol_module module = whole(path);
	uint8_t id[20];

	read_build_id(path, id);
	module.build_id = id;
	module.build_id_bytes = 20;
	cr_expect_str_eq(ask(module, NULL, address).function, "unseen");
	module.build_id_bytes = 19;
	cr_expect_eq(ask(module, NULL, address).lack, SYMBOL_CHANGED);
	module.build_id_bytes = 20;
	id[19] ^= 1;
	cr_expect_str_empty(ask(module, NULL, address).function);
	cr_expect_eq(ask(module, NULL, address).lack, SYMBOL_CHANGED);
	/* a file without one is not the recorded file either */
	module.path = built("tests/symbol/symbol_templates");
	cr_expect_eq(ask(module, NULL, address).lack, SYMBOL_CHANGED);
}

/* F36: root reads a capture, and what it names is not what it should be. */
Test(symbols, only_regular_files, .timeout = 20)
{
	const char *fifo = text("%s/fifo", scratch()), *written = text("%s/text", scratch());
	const char *const doors[] = {fifo,
				     "/dev/zero",
				     "/dev/stdin",
				     "/proc/kcore",
				     "/proc/self/maps",
				     "/sys/kernel/notes",
				     "/dev/tty",
				     "/",
				     "/proc/self/fd/0"};

	cr_assert_eq(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
		struct answer answer = ask(whole(doors[i]), NULL, 0x1000);
		cr_expect(answer.lack == SYMBOL_NOT_REGULAR || answer.lack == SYMBOL_NO_FILE ||
				  answer.lack == SYMBOL_UNREADABLE,
			  "%s", doors[i]);
	}
	cr_expect_eq(ask(whole(fifo), NULL, 1).lack, SYMBOL_NOT_REGULAR);
	cr_expect_eq(ask(whole("/proc/self/maps"), NULL, 1).lack, SYMBOL_NOT_REGULAR);
	cr_expect_eq(ask(whole("/no/such/file"), NULL, 1).lack, SYMBOL_NO_FILE);
	cr_expect_eq(ask(whole("[vdso]"), NULL, 1).lack, SYMBOL_NO_FILE);
	cr_expect_eq(ask(whole(NULL), NULL, 1).lack, SYMBOL_NO_FILE);
	shell(text("echo no ELF >%s", written));
	cr_expect_eq(ask(whole(written), NULL, 1).lack, SYMBOL_NOT_ELF);
}

Test(symbols, no_files)
{
	struct symbol_module module = whole(built("tests/symbol/symbol_inlined"));
	struct symbol_options options = {.no_files = true};
	struct symbols *symbols = symbols_open(&module, 1, &options);
	const struct symbol_frame *frames;
	const struct symbol_gap *gaps;

	cr_expect_eq(symbols_at(symbols, address_of(module.path, "unseen") + 1, 0, &frames), 1);
	cr_expect_null(frames[0].function);
	cr_expect_eq(symbols_missing(symbols, &gaps), 1);
	cr_expect_eq(gaps[0].lack, SYMBOL_NOT_ASKED);
	symbols_free(symbols);
}

/* stripped PATH to scratch, its debug information to `debug` there, with a link to it by `name` */
static const char *strip(const char *path, const char *debug)
{
	const char *stripped = text("%s/stripped", scratch());

	shell(text("cd %s && rm -f stripped && objcopy --only-keep-debug %s %s && "
		   "objcopy --strip-all --add-gnu-debuglink=%s %s stripped",
		   scratch(), path, debug, debug, path));
	return stripped;
}

Test(symbols, stripped)
{
	const char *path = built("tests/symbol/libsymbol_shared.so");
	uint64_t exported = address_of(path, "shared_sum");
	uint64_t hidden = address_of(path, "shared_hidden");
	const char *stripped = strip(path, "gone.debug");

	shell(text("rm %s/gone.debug", scratch()));
	cr_expect_str_eq(ask(whole(stripped), "/none", exported).function, "shared_sum");
	cr_expect_str_empty(ask(whole(stripped), "/none", hidden).function);
	cr_expect_eq(ask(whole(stripped), "/none", exported).lack, SYMBOL_STRIPPED);
	shell(text("objcopy --strip-debug %s %s", path, stripped));
	cr_expect_str_eq(ask(whole(stripped), "", hidden).function, "shared_hidden");
	cr_expect_eq(ask(whole(stripped), "", hidden).lack, SYMBOL_NO_DEBUG);
}

static void expect_line(const char *path, const char *debug_dirs, uint64_t address, unsigned line)
{
	struct answer answer = ask(whole(path), debug_dirs, address);

	cr_expect_eq(answer.line, line, "line %u, not %u", answer.line, line);
	cr_expect_eq(answer.lack, line ? SYMBOL_NOTHING : SYMBOL_STRIPPED);
}

Test(symbols, separate_files_by_link)
{
	const char *path = built("tests/symbol/symbol_templates"), *at = scratch();
	uint64_t address = address_of(path, "_ZL5applyPFiiEi");
	const char *stripped = strip(path, "far.debug");
	unsigned line = ask(whole(path), NULL, address).line;

	cr_assert_gt(line, 0);
	expect_line(stripped, "/none", address, line);
	shell(text("cd %s && mkdir -p .debug && mv far.debug .debug", at));
	expect_line(stripped, "/none", address, line);
	shell(text("cd %s && mkdir -p dirs$PWD && mv .debug/far.debug dirs$PWD", at));
	expect_line(stripped, text("/none::%s/dirs", at), address, line);
	expect_line(stripped, "/none", address, 0);
	shell(text("cd %s && printf x >>dirs$PWD/far.debug", at));
	expect_line(stripped, text("%s/dirs", at), address, 0);
	shell(text("cd %s && rm -rf dirs .debug && mkfifo far.debug", at));
	expect_line(stripped, "/none", address, 0);
}

Test(symbols, separate_files_by_build_id)
{
	const char *path = built("tests/symbol/symbol_inlined"), *at = scratch();
	uint64_t address = address_of(path, "unseen");
	const char *stripped = strip(path, "near.debug");
	unsigned line = ask(whole(path), NULL, address).line;
	const char *place = text(
		"%s/.build-id/$(readelf -n %s | sed -n 's,.*ID: \\(..\\),\\1/,p').debug", at, path);

	cr_assert_gt(line, 0);
	shell(text("p=%s; mkdir -p \"${p%%/*}\" && mv %s/near.debug \"$p\"", place, at));
	expect_line(stripped, at, address, line);
	expect_line(stripped, text("%s/none", at), address, 0);
	/* another one's, under its name */
	shell(text("p=%s; objcopy --only-keep-debug %s \"$p\"", place,
		   built("tests/symbol/libsymbol_shared.so")));
	expect_line(stripped, at, address, 0);
}

static bool same_text(const char *left, const char *right)
{
	return left && right ? strcmp(left, right) == 0 : left == right;
}

/* All that is known of one file is known of the other one. */
static void expect_same(const char *path, const char *other)
{
	struct symbol_module modules[] = {whole(path), whole(other)};
	struct symbols *symbols[] = {symbols_open(&modules[0], 1, NULL),
				     symbols_open(&modules[1], 1, NULL)};
	const struct symbol_frame *left, *right;

	for (uint64_t address = 0x1000; address < 0x4000; address++) {
		size_t count = symbols_at(symbols[0], address, 0, &left);
		cr_assert_eq(count, symbols_at(symbols[1], address, 0, &right));
		for (size_t i = 0; i < count; i++)
			cr_assert(same_text(left[i].function, right[i].function) &&
				  same_text(left[i].file, right[i].file) &&
				  left[i].line == right[i].line);
	}
	symbols_free(symbols[0]);
	symbols_free(symbols[1]);
}

/* Packed sections, no table of address ranges, and what two files share: all say the same. */
Test(symbols, other_shapes)
{
	const char *path = built("tests/symbol/symbol_templates"), *at = scratch();

	shell(text("objcopy --compress-debug-sections=zlib %s %s/packed", path, at));
	expect_same(path, text("%s/packed", at));
	shell(text("objcopy -R .debug_aranges %s %s/unranged", path, at));
	expect_same(path, text("%s/unranged", at));
	shell(text("cd %s && cp %s one && cp %s two && dwz -m both one two", at, path, path));
	expect_same(path, text("%s/one", at));
	shell(text("rm %s/both", at));
	cr_expect_eq(ask(whole(text("%s/one", at)), "/none", address_of(path, "main")).lack,
		     SYMBOL_INCOMPLETE);
}
