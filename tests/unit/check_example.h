/* SPDX-License-Identifier: MIT */
/* check_example.h: what a check may have found, made by hand: an ordinary one, and one in which every text is hostile. */
#ifndef TESTS_CHECK_EXAMPLE_H
#define TESTS_CHECK_EXAMPLE_H

#include "study/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define KNOWN(number) ((struct known){true, (number)})

/* What ends a string, a tag, a cell, a command or a line somewhere, or is no text at all. */
#define HOSTILE                                                                                    \
	"a\"b'c<img src=x onerror=alert(1)>&]]>|`*_[x](http://x.y)@root #1 %0A::error::x,y=\\"     \
	"\n::error::z\r\t\033]52;c;x\007\x80\xff\xc3\xa9\xef\xbf\xbe\xe2\x80\xae</code>"           \
	"</details>$(x)\x7f"

static struct check_site example_sites[] = {
	{
		.mark = DIFF_MARK_GROWN,
		.function = "json_array_grow",
		.file = "tests/unit/check_example.h",
		.line = 88,
		.module = "/usr/bin/parse",
		.stack = (const char *const[]){"json_array_grow (tests/unit/check_example.h:88)",
					       "json_array_append (src/value.c:200)",
					       "parse_value (src/load.c:812)",
					       "parse (src/load.c:20)", "main (src/main.c:10)",
					       "_start"},
		.stack_count = 6,
		.before = 12582912,
		.after = 14889779,
		.has_before = true,
	},
	{
		.mark = DIFF_MARK_NEW,
		.function = "std::vector<std::basic_string<char, std::char_traits<char>, "
			    "std::allocator<char> >, std::allocator<void> >::_M_realloc_insert",
		.file = "/usr/include/c++/12/bits/vector.tcc",
		.line = 440,
		.module = "/usr/bin/parse",
		.stack = (const char *const[]){"operator new (new_op.cc:50)", "load (src/load.c:3)"},
		.stack_count = 2,
		.after = 1048576,
		.has_before = true,
		.is_estimated = true,
	},
	{
		.mark = DIFF_MARK_SAME,
		.function = "",
		.label = "libz.so.1+0x4b70",
		.file = "",
		.module = "/usr/lib/libz.so.1",
		.stack = (const char *const[]){"libz.so.1+0x4b70", "main (src/main.c:10)"},
		.stack_count = 2,
		.after = 65536,
	},
};

static struct check_rule example_passed[] = {
	{
		.place = {"poolmem.budget", 3, 1},
		.text = "leak.bytes = 0",
		.metric = "leak.bytes",
		.unit = UNIT_BYTES,
		.why = "leak.bytes is 0, as it should be",
		.value = {true, 0},
		.limit = {true, 0},
		.run_count = 2,
		.is_stable = true,
		.p = -1,
	},
};

static struct check_rule example_exceeded[] = {
	{
		.place = {"poolmem.budget", 8, 1},
		.text = "live.peak <= 24 MiB",
		.metric = "live.peak",
		.unit = UNIT_BYTES,
		.state = CHECK_EXCEEDED,
		.cause = CHECK_CAUSE_OVER,
		.why = "live.peak is 25.0 MiB (26,214,400), 1.0 MiB (1,048,576) or 4.2 % over "
		       "24.0 MiB (25,165,824)",
		.remedy = "If that is meant, allow 25 MiB.",
		.value = {true, 26214400},
		.limit = {true, 25165824},
		.baseline = {true, 23068672},
		.least = 26214400,
		.most = 26214400,
		.run_count = 2,
		.is_stable = true,
		.p = -1,
		.sites = example_sites,
		.site_count = COUNT(example_sites),
		.site_more = 4,
	},
	{
		.place = {"", 0, 0},
		.text = "site \"json_array_grow\" alloc.count = baseline +- 1%",
		.metric = "alloc.count",
		.site = "json_array_grow",
		.unit = UNIT_COUNT,
		.state = CHECK_EXCEEDED,
		.cause = CHECK_CAUSE_GREW,
		.why = "alloc.count of json_array_grow is 1,200; 990 to 1,010 are allowed",
		.value = {true, 1200},
		.limit = {true, 1010},
		.lower_limit = {true, 990},
		.baseline = {true, 1000},
		.least = 1199,
		.most = 1201,
		.run_count = 5,
		.tolerance = {true, 1667},
		.p = 0.00002,
	},
	{
		.place = {"poolmem.budget", 10, 1},
		.text = "free.count <= 5000",
		.metric = "free.count",
		.unit = UNIT_COUNT,
		.why = "free.count 4,000 is within 5,000",
		.value = {true, 4000},
		.limit = {true, 5000},
		.least = 4000,
		.most = 4000,
		.run_count = 2,
		.is_stable = true,
		.p = -1,
	},
};

static struct check_rule example_unreliable[] = {
	{
		.place = {"poolmem.budget", 14, 3},
		.text = "alloc.count <= baseline",
		.metric = "alloc.count",
		.unit = UNIT_COUNT,
		.state = CHECK_UNRELIABLE,
		.cause = CHECK_CAUSE_CHANCE,
		.why = "alloc.count is not the same in each run.",
		.remedy = "Write: alloc.count <= baseline + 1%",
		.value = {true, 1005},
		.limit = {true, 1000},
		.baseline = {true, 1000},
		.least = 1000,
		.most = 1010,
		.run_count = 3,
		.tolerance = {true, 9901},
		.p = 0.4,
	},
};

static struct check_rule example_unmeasured[] = {
	{
		.place = {"poolmem.budget", 18, 1},
		.text = "alloc.count <= 10",
		.metric = "alloc.count",
		.unit = UNIT_COUNT,
		.why = "not measured",
		.limit = {true, 10},
		.p = -1,
	},
};

static struct check_metric example_metrics[] = {
	{METRIC_ALLOC_COUNT, 1200, 1199, 1201, {true, 1000}, false},
	{METRIC_LIVE_PEAK, 26214400, 26214400, 26214400, {true, 23068672}, true},
	{METRIC_PROCESS_ELAPSED, 1500000000, 1500000000, 1500000000, {false, 0}, true},
};

static struct check_process example_processes[] = {
	{"sh", 100, 0, {.value = {[METRIC_ALLOC_COUNT] = {true, 200}}}},
	{"parse", 101, 100, {.value = {[METRIC_ALLOC_COUNT] = {true, 1000}}}},
};

static const char *const example_argv[] = {"./build/parse", "data/large file.json", NULL};

static struct check_test example_tests[] = {
	{
		.name = "parse-small",
		.argv = example_argv,
		.command = "./build/parse 'data/large file.json'",
		.directory = "/home/me/parse",
		.place = {"poolmem.budget", 1, 1},
		.exit_status = {true, 0},
		.elapsed_ns = 12345678,
		.run_count = 2,
		.rules = example_passed,
		.rule_count = COUNT(example_passed),
	},
	{
		.name = "parse-large",
		.argv = example_argv,
		.command = "./build/parse 'data/large file.json'",
		.directory = "/home/me/parse",
		.place = {"poolmem.budget", 6, 1},
		.state = CHECK_EXCEEDED,
		.exit_status = {true, 0},
		.elapsed_ns = 3012345678,
		.run_count = 2,
		.capture = "poolmem.parse.101.pm",
		.rules = example_exceeded,
		.rule_count = COUNT(example_exceeded),
		.metrics = example_metrics,
		.metric_count = COUNT(example_metrics),
		.processes = example_processes,
		.process_count = COUNT(example_processes),
	},
	{
		.name = "noisy",
		.argv = example_argv,
		.command = "./noisy",
		.directory = "/home/me/parse",
		.place = {"poolmem.budget", 12, 1},
		.state = CHECK_UNRELIABLE,
		.exit_status = {true, 0},
		.elapsed_ns = 1000000,
		.run_count = 3,
		.rules = example_unreliable,
		.rule_count = COUNT(example_unreliable),
		.metrics = example_metrics,
		.metric_count = 1,
	},
	{
		.name = "broken",
		.argv = example_argv,
		.command = "./broken",
		.directory = "/home/me/parse",
		.place = {"poolmem.budget", 16, 1},
		.state = CHECK_FAILED,
		.cause = CHECK_CAUSE_FAILED,
		.why = "it exited with 3",
		.exit_status = {true, 3},
		.elapsed_ns = 1000000,
		.run_count = 1,
		.rules = example_unmeasured,
		.rule_count = COUNT(example_unmeasured),
		.metrics = &example_metrics[1],
		.metric_count = 1,
	},
};

static struct check_difference example_differences[] = {{"libc", "glibc 2.36", "glibc 2.37"}};
static struct check_note example_notes[] = {
	{NULL, "poolmem.budget:20: nothing asks for heap.meta"},
	{"parse-large", "no call site is of site \"<f>,%\": its figures are 0"},
	{"parse-small", "in no figure are, as the budget allows: static"},
	{"noisy", "in no figure are, as the budget allows: static"},
};

static const char *example_written[] = {"parse-small"};
static struct check_change example_changes[] = {
	{"parse-small", "alloc.count", 1000, 900},
	{"parse-small", "site \"f\" live.peak", 65536, 0},
};

static struct check check_example(void)
{
	return (struct check){
		.state = CHECK_FAILED,
		.tests = example_tests,
		.test_count = COUNT(example_tests),
		.counts =
			{[CHECK_PASSED] = 1, [CHECK_EXCEEDED] = 1, [CHECK_UNRELIABLE] = 1, [CHECK_FAILED] = 1},
		.budget = "poolmem.budget",
		.baseline = "poolmem.baseline.json",
		.differences = example_differences,
		.difference_count = 1,
		.notes = example_notes,
		.note_count = COUNT(example_notes),
		.written =
			{
				.file = "poolmem.baseline.json",
				.is_ratchet = true,
				.tests = example_written,
				.test_count = 1,
				.passed_count = 1,
				.changes = example_changes,
				.change_count = COUNT(example_changes),
			},
		.began_real_ns = UINT64_C(1700000000123456789),
		.elapsed_ns = 3100000000,
	};
}

static struct check check_example_passed(void)
{
	struct check check = check_example();

	check.state = CHECK_PASSED;
	check.test_count = 1;
	memset(check.counts, 0, sizeof check.counts);
	check.counts[CHECK_PASSED] = 1;
	check.difference_count = check.note_count = 0;
	check.written = (struct check_written){.file = NULL};
	return check;
}

/* --- hostile --------------------------------------------------------------------------------------------- */

static char *long_text(size_t bytes)
{
	char *text = malloc(bytes + 1);

	memset(text, 'x', bytes);
	text[bytes] = 0;
	return text;
}

static struct check_site hostile_sites[4];
static struct check_rule hostile_rules[6];
static struct check_metric hostile_metrics[METRIC_COUNT];
static struct check_test hostile_tests[4];
static struct check_difference hostile_differences[] = {{HOSTILE, HOSTILE, HOSTILE}};
static const char *const hostile_texts[] = {HOSTILE, "", "x\xff"};
static struct check_note hostile_notes[] = {
	{NULL, HOSTILE}, {HOSTILE, HOSTILE}, {"", ""}, {"none", "x\xff"}, {"", HOSTILE}};
static const char *hostile_written[] = {HOSTILE, "", "x\xff"};
static struct check_change hostile_changes[] = {{HOSTILE, HOSTILE, INT64_MIN, INT64_MAX}};

static void make_hostile_sites(void)
{
	hostile_sites[0] = (struct check_site){
		.mark = DIFF_MARK_SHRUNK,
		.function = HOSTILE,
		.file = HOSTILE,
		.line = UINT32_MAX,
		.module = HOSTILE,
		.stack = hostile_texts,
		.stack_count = COUNT(hostile_texts),
		.before = INT64_MAX,
		.after = INT64_MIN,
		.has_before = true,
		.is_estimated = true,
	};
	hostile_sites[1] = (struct check_site){.mark = DIFF_MARK_GROWN,
					       .function = "",
					       .file = "",
					       .module = "",
					       .before = INT64_MIN,
					       .after = INT64_MAX,
					       .has_before = true};
	hostile_sites[2] = (struct check_site){
		.function = "", .label = HOSTILE, .file = "", .module = NULL};
	hostile_sites[3] = (struct check_site){
		.function = long_text(100000), .file = long_text(5000), .line = 1, .module = ""};
}

static void make_hostile_rules(void)
{
	for (size_t i = 0; i < COUNT(hostile_rules); i++)
		hostile_rules[i] = (struct check_rule){
			.place = {HOSTILE, 1, 1},
			.text = i % 2 ? "" : HOSTILE,
			.metric = i == 4 ? HOSTILE : "live.peak",
			.site = HOSTILE,
			.module = HOSTILE,
			.unit = i % 4,
			.state = i % CHECK_STATE_COUNT,
			.cause = (i + 1) % CHECK_CAUSE_COUNT,
			.why = i == 1 ? "" : HOSTILE,
			.remedy = HOSTILE,
			.value = {i != 5, i % 2 ? INT64_MIN : INT64_MAX},
			.limit = {i != 1, INT64_MIN},
			.baseline = {true, INT64_MAX},
			.lower_limit = {i == 2, INT64_MIN},
			.least = INT64_MIN,
			.most = INT64_MAX,
			.run_count = SIZE_MAX,
			.tolerance = {true, INT64_MAX},
			.p = 1e300,
			.sites = hostile_sites,
			.site_count = COUNT(hostile_sites),
			.site_more = SIZE_MAX,
		};
	hostile_rules[3].text = long_text(100000);
}

static struct check check_hostile(void)
{
	static const char *const names[] = {HOSTILE, "", "x\xff", "x\xfe"};
	struct check check = {
		.state = CHECK_INVALID,
		.tests = hostile_tests,
		.test_count = COUNT(hostile_tests),
		.counts = {0, 0, 0, 0, COUNT(hostile_tests)},
		.budget = HOSTILE,
		.baseline = HOSTILE,
		.differences = hostile_differences,
		.difference_count = COUNT(hostile_differences),
		.notes = hostile_notes,
		.note_count = COUNT(hostile_notes),
		.written =
			{
				.file = HOSTILE,
				.is_ratchet = true,
				.tests = hostile_written,
				.test_count = 3,
				.changes = hostile_changes,
				.change_count = COUNT(hostile_changes),
			},
		.began_real_ns = UINT64_MAX,
		.elapsed_ns = UINT64_MAX,
	};

	make_hostile_sites();
	make_hostile_rules();
	for (size_t i = 0; i < METRIC_COUNT; i++)
		hostile_metrics[i] = (struct check_metric){
			(enum metric)i,   i % 2 ? INT64_MIN : INT64_MAX,
			INT64_MIN,        INT64_MAX,
			KNOWN(INT64_MIN), false};
	for (size_t i = 0; i < COUNT(hostile_tests); i++)
		hostile_tests[i] = (struct check_test){
			.name = names[i],
			.command = HOSTILE,
			.directory = i ? NULL : HOSTILE,
			.place = {i == 1 ? "" : HOSTILE, (unsigned)i, 1},
			.state = CHECK_INVALID,
			.why = i ? HOSTILE : "",
			.exit_status = {true, INT64_MIN},
			.signal = {true, INT64_MAX},
			.timed_out = true,
			.elapsed_ns = UINT64_MAX,
			.run_count = SIZE_MAX,
			.capture = HOSTILE,
			.rules = hostile_rules,
			.rule_count = i == 3 ? 0 : COUNT(hostile_rules),
			.metrics = hostile_metrics,
			.metric_count = COUNT(hostile_metrics),
		};
	return check;
}

/* --- many ------------------------------------------------------------------------------------------------ */

static struct check check_many(size_t rules)
{
	static struct check_test test;
	struct check check = check_example();

	test = example_tests[1];
	test.rules = calloc(rules, sizeof *test.rules);
	test.rule_count = rules;
	for (size_t i = 0; i < rules; i++) {
		test.rules[i] = example_exceeded[0];
		test.rules[i].place.line = (unsigned)i + 1;
		test.rules[i].site_count = i % 10 ? 0 : COUNT(example_sites);
	}
	check.tests = &test;
	check.test_count = 1;
	check.state = CHECK_EXCEEDED;
	memset(check.counts, 0, sizeof check.counts);
	check.counts[CHECK_EXCEEDED] = 1;
	return check;
}

/* One rule, and so many sites. */
static struct check check_deep(size_t sites)
{
	struct check check = check_many(1);
	struct check_rule *rule = &check.tests[0].rules[0];

	rule->sites = calloc(sites, sizeof *rule->sites);
	rule->site_count = sites;
	for (size_t i = 0; i < sites; i++)
		rule->sites[i] = example_sites[0];
	return check;
}

#endif
