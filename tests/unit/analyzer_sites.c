/* SPDX-License-Identifier: MIT */
/* Call sites: what is said of them is what was put into frames and rows. */
#define _GNU_SOURCE 1

#include "study/wrapper.h"
#include "unit/sites_example.h"

#include <dlfcn.h>
#include <link.h>
#include <math.h>

static void example_begin(const char *filter, const char *order, const char *thread,
			  struct example *ret)
{
	struct failure why;
	struct site_query query;

	cr_assert(site_query_open(&query, filter, order, thread, &why), "%s", why.text);
	query.without_files = true;
	ret->b = builder_example(1000, PM_STATE_EXITED, true);
	builder_example_sited(&ret->b);
	example_read(ret, &query);
	site_query_close(&query);
}

static const struct site *site_named(struct sites *sites, const char *name)
{
	for (size_t i = 0; i < sites->count; i++) {
		const struct named_call *call = site_location(sites, &sites->list[i]);
		if (strcmp(call ? call->label : "", name) == 0)
			return &sites->list[i];
	}
	cr_assert_fail("no site %s", name);
	return NULL;
}

static void expect_figure(struct sites *sites, const char *name, enum site_figure which,
			  double expected)
{
	const struct site *site = site_named(sites, name);
	cr_expect_float_eq(site_value(&site->sums, which), expected, 0, "%s: %s is %.0f, not %.0f",
			   name, site_figure_keys[which], site_value(&site->sums, which), expected);
	cr_expect_not(site_is_estimated(&site->sums, which));
}

/* What one slot allocated another has freed. */
Test(sites, rows_are_summed_over_slots_and_sizes)
{
	struct example example;
	example_begin(NULL, NULL, NULL, &example);
	struct sites *sites = &example.sites;

	cr_expect_eq(sites->used_count, 6);
	expect_figure(sites, "example+0x1344", SITE_ALLOCATED, 10120);
	expect_figure(sites, "example+0x1344", SITE_FREED, 9900);
	expect_figure(sites, "example+0x1344", SITE_LIVE, 220);
	expect_figure(sites, "example+0x1344", SITE_LIVE_BYTES, 220 * 48);
	expect_figure(sites, "example+0x1344", SITE_LEAKED_BYTES, 220 * 48);
	expect_figure(sites, "example+0x1344", SITE_SLACK_BYTES, 10120 * 8);
	expect_figure(sites, "example+0x1344", SITE_PEAK, 1700);
	expect_figure(sites, "example+0x1344", SITE_REMOTE, 400);
	expect_figure(sites, "example+0x1344", SITE_TEMPORARY, 7000);
	expect_figure(sites, "example+0x1344", SITE_DIED_YOUNG, 8000);
	expect_figure(sites, "example+0x1344", SITE_DIED_0, 8400);
	expect_figure(sites, "example+0x1344", SITE_DIED_1, 1500);
	expect_figure(sites, "example+0x1400", SITE_ALLOCATED, 1200);
	expect_figure(sites, "example+0x1400", SITE_MOVED, 17);
	expect_figure(sites, "example+0x1400", SITE_DIED_2, 100);
	cr_expect_eq(site_named(sites, "example+0x1400")->class_count, 2);
	cr_expect_eq(site_named(sites, "example+0x1400")->ends, 1 << PM_STACK_LOST);
	expect_figure(sites, "second.so+0x500", SITE_LIVE_BYTES, 1 << 20);
	expect_figure(sites, "", SITE_LIVE, 1);
	example_end(&example);
}

/* Where each block is recorded the sites are all that was counted. */
Test(sites, explain_what_was_counted)
{
	struct example example;
	example_begin(NULL, NULL, NULL, &example);
	const struct metrics *metrics = &example.study.total.metrics;

	cr_expect_eq(example.sites.counted, metric(metrics, METRIC_ALLOC_COUNT));
	cr_expect_eq(site_value(&example.sites.all, SITE_ALLOCATED),
		     metric(metrics, METRIC_ALLOC_COUNT));
	cr_expect_eq(site_value(&example.sites.all, SITE_LIVE), metric(metrics, METRIC_LIVE_BLOCKS));
	cr_expect_eq(site_value(&example.sites.all, SITE_LIVE_BYTES),
		     metric(metrics, METRIC_LIVE_BYTES));
	cr_expect_eq(example.sites.counted_live_bytes, metric(metrics, METRIC_LIVE_BYTES));
	example_end(&example);
}

/* A plugin was closed, and another is where it was. */
Test(sites, frames_belong_to_the_modules_of_their_time)
{
	struct example example;
	example_begin(NULL, NULL, NULL, &example);
	expect_figure(&example.sites, "first.so+0x500", SITE_ALLOCATED, 3);
	expect_figure(&example.sites, "second.so+0x500", SITE_ALLOCATED, 1);
	cr_expect_eq(example.recording.processes[0].modules[3].since, 2);
	example_end(&example);
}

static bool is_certain(double first, double second, uint64_t period)
{
	const double block = 1000;
	struct sampling sampling = sampling_of(period, (uint64_t)block);
	struct site list[2] = {{.place = 1}, {.place = 2}};
	struct sites sites = {.list = list, .count = 2, .order = SITE_ORDER_LIVE};

	for (size_t i = 0; i < 2; i++) {
		double recorded = i ? second : first;
		estimate_add_bytes(&list[i].sums.figure[SITE_LIVE_BYTES], recorded * block,
				   recorded, &sampling);
	}
	bool is_certain = sites_first_is_certain(&sites);
	sites.count = 1;
	cr_expect(sites_first_is_certain(&sites), "there is no second");
	return is_certain;
}

/* Of a sample that may be; in it 400 recorded blocks stand for 360 to 440 of the same kind, about. */
Test(sites, may_be_in_another_order)
{
	cr_expect(is_certain(101, 100, 1), "counts");
	cr_expect_not(is_certain(101, 100, 1 << 19));
	cr_expect_not(is_certain(430, 400, 1 << 19));
	cr_expect(is_certain(500, 400, 1 << 19));
	cr_expect(is_certain(30, 2, 1 << 19));
	cr_expect_not(is_certain(3, 2, 1 << 19));
}

static size_t count_of(const char *filter, const char *thread)
{
	struct example example;
	example_begin(filter, NULL, thread, &example);
	size_t count = example.sites.count;
	example_end(&example);
	return count;
}

Test(sites, filters)
{
	cr_expect_eq(count_of("lib:second", NULL), 1);
	cr_expect_eq(count_of("lib:plugins/", NULL), 2);
	cr_expect_eq(count_of("plugins/", NULL), 2, "modules are among the names");
	cr_expect_eq(count_of("lib:example", NULL), 5, "some frame of the stack");
	cr_expect_eq(count_of("nobody", NULL), 0);
	cr_expect_eq(count_of(NULL, "1000"), 6);
	cr_expect_eq(count_of(NULL, "1001"), 2, "what it freed, and what it allocated");
	cr_expect_eq(count_of(NULL, "7"), 0);
}

static void expect_first(const char *order, const char *expected)
{
	struct example example;
	example_begin(NULL, order, NULL, &example);
	const struct named_call *call = site_location(&example.sites, &example.sites.list[0]);
	cr_expect_str_eq(call->label, expected, "--sort %s", order);
	example_end(&example);
}

Test(sites, orders)
{
	expect_first("live", "second.so+0x500");
	expect_first("peak", "second.so+0x500");
	expect_first("allocated", "first.so+0x500");
	expect_first("count", "example+0x1344");
	expect_first("slack", "example+0x1344");
	expect_first("temporary", "example+0x1344");
	expect_first("remote", "example+0x1344");
	expect_first("leaked", "second.so+0x500");
}

/* Rows of a program in two processes that loaded it at different places. */
Test(sites, processes_are_merged_by_module)
{
	struct example example = {.b = builder_example(1000, PM_STATE_EXITED, true)};
	const struct site_query query = {.without_files = true};

	builder_example_sited(&example.b);
	uint32_t child = builder_process(&example.b, 1007, 1000, 0, PM_STATE_EXITED);
	builder_header(&example.b)->leader = example.b.leader = 1;
	uint32_t frames = builder_frames(&example.b, child, 0);
	uint32_t rows = builder_sites(&example.b, child, 0, 0);
	uint32_t start = builder_frame(&example.b, frames, 9, 0x401010, 0, 0);
	uint32_t load = builder_frame(&example.b, frames, 8, 0x401200, start, 0);
	uint32_t parse = builder_frame(&example.b, frames, 7, 0x401344, load, 0);
	builder_site(&example.b, rows,
		     (struct pm_site){.frame = parse, .size_class = 3, .period = 1, .allocated = 5});
	builder_module(&example.b, child, "/elsewhere/example", 0x400000);
	example_read(&example, &query);
	cr_expect_eq(example.sites.used_count, 6);
	expect_figure(&example.sites, "example+0x1344", SITE_ALLOCATED, 10125);
	example_end(&example);
}

/* --- frames that contradict themselves ------------------------------------------------------------------- */

/* A segment with frames alone. */
static void read_frames(struct builder *b, struct example *ret)
{
	const struct site_query query = {.without_files = true};
	ret->b = *b;
	example_read(ret, &query);
}

static uint32_t depth_of(const struct frames *frames, uint32_t at)
{
	uint32_t depth = 0;
	for (; at; at = frames->list[at].caller)
		cr_assert_leq(++depth, FRAME_DEPTH_MAX);
	return depth;
}

Test(sites, circles_of_callers_are_cut)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t c = builder_frames(&b, b.leader, 0), first = c * PM_FRAME_IDS;
	struct example example;

	builder_frame(&b, c, 0, 0x10, first, 0); /* its own caller */
	for (uint32_t i = 1; i < 10; i++)
		builder_frame(&b, c, i, 0x100 + i, first + (i < 9 ? i + 1 : 3), 0);
	builder_frame(&b, c, 10, 0x200, first + 7, 0);
	read_frames(&b, &example);
	const struct frames *frames = example.recording.processes[0].frames;
	cr_expect_eq(frames->torn, 2);
	for (uint32_t i = 1; i < frames->count; i++)
		depth_of(frames, i);
	cr_expect_eq(depth_of(frames, frames_find(frames, first)), 1);
	example_end(&example);
}

Test(sites, deep_callers_are_cut)
{
	enum { CHUNKS = 9, PER_CHUNK = 250 };
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t caller = 0;
	struct example example;

	for (uint32_t n = 0; n < CHUNKS; n++) {
		uint32_t c = builder_frames(&b, b.leader, 0);
		for (uint32_t i = 0; i < PER_CHUNK; i++)
			caller = builder_frame(&b, c, i, 0x1000 + i, caller, 0);
	}
	read_frames(&b, &example);
	const struct frames *frames = example.recording.processes[0].frames;
	cr_expect_eq(frames->torn, 2);
	cr_expect_eq(depth_of(frames, frames_find(frames, caller)),
		     CHUNKS * PER_CHUNK - 2 * FRAME_DEPTH_MAX);
	example_end(&example);
}

Test(sites, numbers_of_no_frame)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t c = builder_frames(&b, b.leader, 0), rows = builder_sites(&b, b.leader, 0, 0);
	uint32_t wrong[] = {1,
			    c * PM_FRAME_IDS + 5,
			    c * PM_FRAME_IDS + 1023,
			    (c + 1) * PM_FRAME_IDS,
			    b.leader * PM_FRAME_IDS,
			    UINT32_MAX};
	struct example example;

	for (size_t i = 0; i < 6; i++) {
		builder_frame(&b, c, (uint32_t)(10 + i), 0x700 + i, wrong[i], 0);
		builder_site(
			&b, rows,
			(struct pm_site){
				.frame = wrong[i], .size_class = 3, .period = 1, .allocated = 1});
	}
	read_frames(&b, &example);
	cr_expect_eq(example.recording.processes[0].frames->torn, 6);
	cr_expect_eq(example.recording.processes[0].sites_torn, 6);
	cr_expect_eq(example.sites.used_count, 1);
	expect_figure(&example.sites, "", SITE_ALLOCATED, 6);
	example_end(&example);
}

Test(sites, rows_that_contradict_themselves)
{
	static const struct pm_site wrong[] = {
		{.size_class = 9999, .period = 1, .allocated = 1},
		{.size_class = 11, .period = 1, .allocated = 1}, /* counts bytes of large ones */
		{.size_class = 3, .period = 0, .allocated = 1},
		{.size_class = 3, .period = 1, .large_log2 = 64, .allocated = 1},
		{.size_class = 3, .period = 1, .stack_end = PM_STACK_END_COUNT, .allocated = 1},
		{.size_class = 3, .period = 1}, /* not used yet */
		{.size_class = 3, .period = 1, .freed = 9, .freed_bytes = 9},
	};
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t rows = builder_sites(&b, b.leader, 0, 0);
	struct example example;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		builder_site(&b, rows, wrong[i]);
	read_frames(&b, &example);
	cr_expect_eq(example.recording.processes[0].sites_torn, 5);
	cr_expect_eq(example.recording.processes[0].site_count, 1);
	expect_figure(&example.sites, "", SITE_FREED, 9);
	expect_figure(&example.sites, "", SITE_LIVE, 0);
	example_end(&example);
}

/* --- trees ----------------------------------------------------------------------------------------------- */

static void expect_tree(enum tree_root root, double least, const char *expected)
{
	char text[1024] = "";
	struct example example;
	struct site_tree tree;

	example_begin(NULL, NULL, NULL, &example);
	site_tree_make(&example.sites, root, SITE_ALLOCATED, &tree);
	for (uint32_t at = 0; (at = site_tree_next(&tree, at, least));) {
		const struct branch *branch = &tree.branches[at];
		snprintf(text + strlen(text), sizeof text - strlen(text), "%u %s %.0f;",
			 branch->depth, branch->call ? branch->call->label : "-", branch->value);
	}
	cr_expect_str_eq(text, expected);
	site_tree_free(&tree);
	example_end(&example);
}

Test(sites, trees)
{
	expect_tree(TREE_OF_CALLERS, 3,
		    "1 example+0x1010 11324;2 example+0x1200 11320;3 example+0x1344 10120;"
		    "3 example+0x1400 1200;2 first.so+0x500 3;");
	expect_tree(TREE_OF_ALLOCATORS, 1000,
		    "1 example+0x1344 10120;2 example+0x1200 10120;3 example+0x1010 10120;"
		    "1 example+0x1400 1200;2 example+0x1200 1200;3 example+0x1010 1200;");
}

/* --- names ----------------------------------------------------------------------------------------------- */

static __attribute__((noinline)) uint64_t here(void)
{
	__asm__ volatile("");
	return (uintptr_t)__builtin_return_address(0);
}

__attribute__((noinline)) static uint64_t in_a_function_of_this_name(void)
{
	uint64_t address = here();
	__asm__ volatile("");
	return address;
}

static int first_module(struct dl_phdr_info *info, size_t bytes, void *base)
{
	(void)bytes;
	*(uint64_t *)base = info->dlpi_addr;
	return 1;
}

Test(sites, functions_have_names_and_lines)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t c = builder_frames(&b, b.leader, 0), rows = builder_sites(&b, b.leader, 0, 0);
	struct pm_module module = {.first = 0, .last = UINT64_MAX};
	unsigned char payload[sizeof module + 4096];
	const struct site_query query = {.order = SITE_ORDER_COUNT};
	struct example example = {.b = b};

	dl_iterate_phdr(first_module, &module.base);
	ssize_t length = readlink("/proc/self/exe", (char *)payload + sizeof module, 4096);
	cr_assert_gt(length, 0);
	module.path_bytes = (uint32_t)length;
	memcpy(payload, &module, sizeof module);
	uint32_t frame = builder_frame(&b, c, 0, in_a_function_of_this_name(), 0, 0);
	builder_site(&b, rows,
		     (struct pm_site){.frame = frame, .size_class = 3, .period = 1, .allocated = 1});
	builder_fact(&b, b.leader, PM_FACT_MODULE, payload, (uint32_t)(sizeof module + length));
	example.b = b;
	example_read(&example, &query);
	const struct named_call *call = site_location(&example.sites, &example.sites.list[0]);
	cr_expect_str_eq(call->label, "in_a_function_of_this_name");
	cr_assert_not_null(call->call.file);
	cr_expect_not_null(strstr(call->call.file, "analyzer_sites.c"));
	cr_expect_gt(call->call.line, 300);
	example_end(&example);
}

Test(sites, who_only_passes_an_allocation_on)
{
	static const struct wrappers none;
	static const char *const wrappers[] = {
		"operator new(unsigned long)",
		"operator new[](unsigned long, std::align_val_t)",
		"xmalloc",
		"g_malloc0",
		"PyMem_RawMalloc",
		"_PyObject_Malloc",
		"std::__new_allocator<int>::allocate(unsigned long, void const*)",
		"void std::vector<int, std::allocator<int> >::_M_realloc_insert<int>(int&&)",
		"std::vector<A<int>, B<int> >::push_back(A<int> const&)",
		"__rust_alloc",
		"<alloc::vec::Vec<T> as core::clone::Clone>::clone"};
	static const char *const others[] = {"main",
					     "malloc_info_of",
					     "parse(std::string const&)",
					     "my::std::thing()",
					     "int apply<std::less<int> >(int)",
					     ""};

	for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
		cr_expect(is_wrapper(&none, wrappers[i], "x.so"), "%s", wrappers[i]);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		cr_expect_not(is_wrapper(&none, others[i], "libstdc++.so.6"), "%s", others[i]);
	cr_expect(is_wrapper(&none, NULL, "libstdc++.so.6.0.30"));
	cr_expect_not(is_wrapper(&none, NULL, "libcurl.so.4"));
	cr_expect_not(is_wrapper(&none, NULL, NULL));
}
