/* SPDX-License-Identifier: MIT */
/*
 * Hostile budget and baseline files: whatever the bytes, they are read, or refused with a name, a line and a column.  A baseline
 * that was read is written the same as it is read again.
 *
 * With clang -fsanitize=fuzzer this is a coverage-guided fuzzer.  Built without (-DFUZZ_STANDALONE) it has a main() that changes
 * bytes and words of built-in files:
 *
 *     fuzz_budget COUNT [SEED]
 */
#define _GNU_SOURCE 1

#include "render/baseline.h"
#include "study/baseline.h"
#include "study/budget.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long read_count; /* inputs that were not refused */

/* "f:12:3: ", or of a file that is too large "f has more than". */
static void need_place(const struct failure *why)
{
	unsigned line = 0, column = 0;
	int end = 0;

	if (why->kind != FAILURE_USAGE ||
	    sscanf(why->text, "f:%u:%u: %n", &line, &column, &end) != 2 || !end || !line || !column)
		abort();
}

static void try_budget(const char *text, size_t size)
{
	struct failure why = {FAILURE_NONE, ""};
	struct budget budget;

	if (!budget_parse(text, size, "f", &budget, &why))
		need_place(&why);
	else
		read_count++;
	for (size_t i = 0; i < budget.count && why.kind == FAILURE_NONE; i++) {
		const struct budget_test *test = &budget.tests[i];
		if (!test->argv || !*test->argv || !**test->argv || !*test->name)
			abort();
		for (size_t r = 0; r < test->rule_count; r++)
			if (budget_lowest(&test->rules[r], INT64_MAX) < 0 ||
			    budget_highest(&test->rules[r], 1) < 0 || !test->rules[r].line)
				abort();
	}
	budget_free(&budget);
}

static char *written(const struct baseline *baseline, size_t *ret_bytes)
{
	char path[] = "/tmp/poolmem-fuzz.XXXXXX";
	struct failure why = {FAILURE_NONE, ""};
	int fd = mkstemp(path);
	struct sink sink;

	if (fd < 0 || !sink_open(&sink, path, &why))
		abort();
	baseline_json(baseline, &sink);
	if (!sink_close(&sink, &why))
		abort();
	FILE *file = fopen(path, "r");
	char *text = malloc(1 << 22);
	*ret_bytes = fread(text, 1, 1 << 22, file);
	fclose(file);
	close(fd);
	unlink(path);
	return text;
}

/* Written, read and written again. */
static void need_same(const struct baseline *baseline)
{
	struct failure why = {FAILURE_NONE, ""};
	struct baseline again;
	size_t bytes, bytes_again;
	char *text = written(baseline, &bytes);

	if (!baseline_parse(text, bytes, "f", &again, &why))
		abort();
	char *text_again = written(&again, &bytes_again);
	if (bytes != bytes_again || memcmp(text, text_again, bytes) != 0)
		abort();
	free(text);
	free(text_again);
	baseline_free(&again);
}

static void try_baseline(const char *text, size_t size)
{
	struct failure why = {FAILURE_NONE, ""};
	struct baseline baseline;

	if (!baseline_parse(text, size, "f", &baseline, &why)) {
		need_place(&why);
	} else {
		read_count++;
		if (read_count % 16 == 1 && size < 1 << 20)
			need_same(&baseline);
	}
	baseline_free(&baseline);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_budget((const char *)data, size);
	try_baseline((const char *)data, size);
	return 0;
}

#ifdef FUZZ_STANDALONE

static const char *const seeds[] = {
	"# a budget\n[test \"parse-large\"]\ncommand = ./build/parse \"data/large.json\" 'x y' a\\ b\n"
	"timeout = 1.5 min\nexit = 3\nruns = 7\ndirectory = a\nenv.A = b\nenv = C\nsuppressions = f\n"
	"alloc.count    <= baseline + 0.5%\nlive.peak <= 24 MiB\nleak.bytes = 0\n"
	"site \"json_array_grow\" alloc.count <= 1,000 ; more\nmodule libx live.peak = baseline +- 1 KiB\n"
	"[test \"b\"]\r\ncommand = x\r\nprocess.elapsed_ns <= 1.5 s\r\n",
	"{\n  \"schema\": 1,\n  \"tests\": {\n    \"a\": {\n      \"environment\": {\n        \"libc\": \"x\"\n      },\n"
	"      \"metrics\": {\n        \"alloc.count\": 12,\n        \"live.peak\": [1, 2, 3],\n"
	"        \"site \\\"f\\\" alloc.count\": 5\n      },\n      \"sites_by\": \"stack\",\n      \"sites_left_out\": 1,\n"
	"      \"sites\": [\n        {\"function\": \"f\", \"file\": \"a.c\", \"line\": 7, \"module\": \"m\", \"names\": \"ab\", "
	"\"lines\": \"cd\", \"alloc.count\": 3},\n        {\"function\": \"g\", \"leak.bytes\": 3}\n      ]\n    }\n  }\n}\n",
};

/* What such files are made of. */
static const char *const words[] = {
	"\n",
	"[test \"",
	"\"]",
	"command =",
	" <= ",
	" = ",
	"baseline",
	" + ",
	" +- ",
	"%",
	" MiB",
	"\\",
	"'",
	"\"",
	"#",
	"-1",
	"1e9",
	"1.5",
	"9223372036854775807",
	"18446744073709551616",
	"site ",
	"module ",
	"env.",
	"\r\n",
	"{",
	"}",
	"[",
	"]",
	",",
	":",
	"null",
	"\"schema\": 1",
	"\xff",
	"\xe2\x80\xae",
	"\033[",
	"\t",
	"\"tests\"",
	"true",
	"alloc.count",
	"\\u0000",
};

static uint64_t state;

static size_t below(size_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return limit ? (size_t)(state >> 16) % limit : 0;
}

static size_t replace(char *text, size_t size, size_t room, const char *with, size_t bytes)
{
	size_t at = below(size + 1), gone = below(4) ? 0 : below(size - at + 1);

	if (size - gone + bytes > room)
		return size;
	memmove(text + at + bytes, text + at + gone, size - at - gone);
	memcpy(text + at, with, bytes);
	return size - gone + bytes;
}

static size_t mutate(char *text, size_t size, size_t room)
{
	char byte = (char)below(256);
	const char *word = words[below(sizeof words / sizeof *words)];
	size_t at = below(size), bytes = below(size - at + 1);

	switch (below(4)) {
	case 0: return replace(text, size, room, &byte, 1);
	case 1: return replace(text, size, room, word, strlen(word));
	case 2:
		if (size)
			text[at] = byte;
		return size;
	default:
		if (size + bytes > room)
			return size;
		memmove(text + at + bytes, text + at, size - at);
		return size + bytes;
	}
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	char text[8192];

	for (unsigned long i = 0; i < count; i++) {
		const char *seed = seeds[i % 2];
		size_t size = strlen(seed);
		state = (i + 1 + 1000003 * (argc > 2 ? strtoul(argv[2], NULL, 10) : 0)) *
			UINT64_C(0x9e3779b97f4a7c15);
		memcpy(text, seed, size);
		for (size_t turn = below(6); turn > 0; turn--)
			size = mutate(text, size, sizeof text);
		LLVMFuzzerTestOneInput((const uint8_t *)text, size);
	}
	printf("%lu inputs, %lu read\n", count, read_count);
	return read_count == 0;
}

#endif
