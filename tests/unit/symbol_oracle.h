/* SPDX-License-Identifier: MIT */
/* symbol_oracle.h: what addr2line and eu-addr2line say, beside what symbols_at says. */
#ifndef POOLMEM_TESTS_SYMBOL_ORACLE_H
#define POOLMEM_TESTS_SYMBOL_ORACLE_H

#include "symbol/symbols.h"
#include "text/allocate.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ORACLE_FRAMES = 64, TEXT_BYTES = 16384 };

struct oracle_frame {
	char function[TEXT_BYTES], file[TEXT_BYTES];
	unsigned line;
};

struct oracle_answer {
	size_t count;
	struct oracle_frame frames[ORACLE_FRAMES];
};

/* How many of the addresses each has the same answer for. */
struct oracle_score {
	unsigned asked, lines,
		names; /* lines: frames, files and lines; names: functions, by one of both */
};

static inline const char *scratch(void)
{
	static char path[PATH_MAX];

	if (!*path) {
		const char *parent = getenv("TMPDIR");
		snprintf(path, sizeof path, "%s/symbols.XXXXXX", parent ? parent : "/tmp");
		cr_assert(mkdtemp(path));
	}
	return path;
}

static inline __attribute__((format(printf, 1, 2))) const char *text(const char *format, ...)
{
	static char ring[16][PATH_MAX];
	static unsigned at;
	char *out = ring[at++ % 16];
	va_list list;

	va_start(list, format);
	vsnprintf(out, PATH_MAX, format, list);
	va_end(list);
	return out;
}

static inline void shell(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

static inline const char *built(const char *name)
{
	const char *build = getenv("POOLMEM_BUILD");
	static char whole[PATH_MAX];

	cr_assert(realpath(build ? build : "build", whole));
	return text("%s/%s", whole, name);
}

static inline FILE *opened(const char *command)
{
	FILE *pipe = popen(command, "r");
	cr_assert(pipe);
	return pipe;
}

/* Two lines for a frame; the next address or the end ends them. */
static inline bool oracle_frame(FILE *from, struct oracle_frame *ret)
{
	char place[TEXT_BYTES];
	int c = getc(from);

	ungetc(c, from);
	if (c == EOF || c == '0' || !fgets(ret->function, TEXT_BYTES, from) ||
	    !fgets(place, TEXT_BYTES, from))
		return false;
	ret->function[strcspn(ret->function, "\n")] = '\0';
	char *inlined = strstr(ret->function, " inlined at ");
	if (inlined)
		*inlined = '\0';
	ret->line = 0;
	place[strcspn(place, "\n ")] = '\0';
	char *colon = strchr(place, ':');
	if (colon) {
		*colon = '\0';
		ret->line = (unsigned)strtoul(colon + 1, NULL, 10);
	}
	strcpy(ret->file, place);
	return true;
}

static inline void oracle_next(FILE *from, struct oracle_answer *ret)
{
	char address[64];

	cr_assert(fgets(address, sizeof address, from));
	cr_assert_eq(address[0], '0', "an address, not %s", address);
	for (ret->count = 0; ret->count < ORACLE_FRAMES; ret->count++)
		if (!oracle_frame(from, &ret->frames[ret->count]))
			break;
}

static inline const char *last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	return slash ? slash + 1 : path ? path : "??";
}

static inline bool same_lines(const struct oracle_answer *answer, const struct symbol_frame *frames,
			      size_t count)
{
	bool same = answer->count == count;

	for (size_t i = 0; same && i < count; i++)
		same = answer->frames[i].line == frames[i].line &&
		       (!frames[i].line ||
			strcmp(last_part(answer->frames[i].file), last_part(frames[i].file)) == 0);
	return same;
}

/* Libraries have several names for a function, and compilers several parts of one. */
static inline void plain_name(const char *name, char out[TEXT_BYTES])
{
	static const char *const prefixes[] = {"__GI_", "__libc_", "_IO_", "_"};
	const char *at = name && strcmp(name, "??") != 0 ? name : "";

	for (size_t i = 0; i < 8 && !(at[0] == '_' && at[1] == 'Z'); i++)
		if (strncmp(at, prefixes[i / 2], strlen(prefixes[i / 2])) == 0)
			at += strlen(prefixes[i / 2]);
	snprintf(out, TEXT_BYTES, "%.*s", (int)strcspn(at, "@"), at);
	char *part = strstr(out, " [clone");
	if (!part && !strchr(out, '('))
		part = strchr(out, '.');
	if (part)
		*part = '\0';
}

static inline bool same_names(const struct oracle_answer *answer, const struct symbol_frame *frames,
			      size_t count)
{
	char theirs[TEXT_BYTES], ours[TEXT_BYTES];
	bool same = answer->count == count;

	for (size_t i = 0; same && i < count; i++) {
		plain_name(answer->frames[i].function, theirs);
		plain_name(frames[i].function, ours);
		same = strcmp(theirs, ours) == 0;
	}
	return same;
}

/* The first bytes, the middle and the last one of each `stride`-th function, one for a line. */
static inline unsigned addresses_of(const char *path, unsigned stride, const char *list)
{
	shell(text("{ nm -S --defined-only %s; nm -DS --defined-only %s; } 2>/dev/null | "
		   "awk '$3 ~ /^[tTW]$/ { print $1, $2 }' | sort -u | awk 'NR %% %u == 0' | "
		   "while read -r a b; do printf '0x%%x\n' $((0x$a)) $((0x$a + 1)) $((0x$a + 0x$b / 2)) "
		   "$((0x$a + 0x$b - 1)); done >%s",
		   path, path, stride, list));
	FILE *lines = opened(text("wc -l <%s", list));
	unsigned count = 0;
	cr_assert_eq(fscanf(lines, "%u", &count), 1);
	pclose(lines);
	return count;
}

static inline struct oracle_score compare(const char *path, const char *debug_dirs, unsigned stride)
{
	struct symbol_module module = {.path = path, .last = UINT64_MAX};
	struct symbol_options options = {.debug_dirs = debug_dirs};
	struct symbols *symbols = symbols_open(&module, 1, &options);
	struct oracle_answer *theirs = allocate(2, sizeof *theirs);
	const char *list = text("%s/addresses", scratch());
	struct oracle_score score = {.asked = addresses_of(path, stride, list)};
	FILE *asked = fopen(list, "r");
	FILE *elfutils = opened(text("eu-addr2line -a -i -f -C -e %s <%s 2>/dev/null", path, list));
	FILE *binutils = opened(text("addr2line -a -i -f -C -e %s <%s 2>/dev/null", path, list));
	uint64_t address;

	while (fscanf(asked, "%lx", &address) == 1) {
		const struct symbol_frame *frames;
		size_t count = symbols_at(symbols, address + 1, 0, &frames);
		oracle_next(elfutils, &theirs[0]);
		oracle_next(binutils, &theirs[1]);
		score.lines += same_lines(&theirs[0], frames, count) ||
			       same_lines(&theirs[1], frames, count);
		score.names += same_names(&theirs[0], frames, count) ||
			       same_names(&theirs[1], frames, count);
	}
	pclose(elfutils);
	pclose(binutils);
	fclose(asked);
	free(theirs);
	symbols_free(symbols);
	return score;
}

#endif
