/* SPDX-License-Identifier: MIT */
/* Advice: each limit of each rule, from both sides, and what is added up. */
#define _GNU_SOURCE 1

#include "study/advice.h"
#include "unit/sites_example.h"

enum { COUNTED = 1000000 }; /* blocks of a class that is sampled */

struct advised {
	struct example of;
	uint32_t rows, frames, main, frame;
	struct advice_list advice;
};

/* 11,327 blocks allocated and 10,053 freed, 2 MiB live at the peak: 1 % is 214 calls or 20,972 bytes. */
static struct advised begin(uint32_t state)
{
	struct advised example = {.of.b = builder_example(1000, state, true)};
	struct builder *b = &example.of.b;

	example.frames = builder_frames(b, b->leader, 0);
	example.rows = builder_sites(b, b->leader, 0, 0);
	example.main = builder_frame(b, example.frames, 0, 0x1000, 0, 0);
	example.frame = builder_frame(b, example.frames, 1, 0x2000, example.main, 0);
	return example;
}

static void advise(struct advised *advised)
{
	const struct site_query query = {.without_files = true};

	example_read(&advised->of, &query);
	advice_make(&advised->of.study, &advised->of.sites, &advised->advice);
}

static void end(struct advised *advised)
{
	advice_free(&advised->advice);
	example_end(&advised->of);
}

/* The rules that apply to one row, in their order. */
static void expect_of(uint32_t state, struct pm_site row, const char *expected, int line)
{
	struct advised example = begin(state);
	char rules[128] = "";

	row.frame = example.frame;
	row.period = row.period ? row.period : 1;
	builder_site(&example.of.b, example.rows, row);
	if (row.period > 1) /* no more of them can live than were counted */
		builder_slot_at(&example.of.b, example.of.b.leader)
			->tally[row.size_class]
			.left -= (int64_t)COUNTED * PM_LEFT_STEP;
	advise(&example);
	for (enum advice_rule rule = 0; rule < ADVICE_RULE_COUNT; rule++)
		for (size_t i = 0; i < example.advice.count; i++)
			if (example.advice.list[i].rule == rule)
				snprintf(rules + strlen(rules), sizeof rules - strlen(rules), "%s ",
					 advice_key(rule));
	cr_expect_str_eq(rules, expected, "line %d: '%s', not '%s'", line, rules, expected);
	end(&example);
}

#define EXPECT(expected, ...)                                                                      \
	expect_of(PM_STATE_EXITED, (struct pm_site){__VA_ARGS__}, expected, __LINE__)

/* Blocks of 48 bytes that came and went. */
#define GONE(blocks)                                                                               \
	.size_class = 3, .allocated = (blocks), .allocated_bytes = (blocks)*UINT64_C(48),          \
	.requested = (blocks)*UINT64_C(48), .freed = (blocks),                                     \
	.freed_bytes = (blocks)*UINT64_C(48), .freed_requested = (blocks)*UINT64_C(48),            \
	.died = {(blocks)}

/* Blocks that live, of a class of n times 16 bytes. */
#define KEPT(blocks, class, bytes)                                                                 \
	.size_class = (class), .allocated = (blocks),                                              \
	.allocated_bytes = (blocks) * (class) * UINT64_C(16), .requested = (blocks)*UINT64_C(bytes)

#define KEPT_LARGE(blocks, bytes)                                                                  \
	.size_class = 10, .allocated = (blocks), .allocated_bytes = (bytes), .requested = (bytes)

Test(advice, temporary_blocks)
{
	EXPECT("temporary ", GONE(2000), .temporary = 1000);
	EXPECT("", GONE(2000), .temporary = 999);
	EXPECT("", GONE(2001), .temporary = 1000);
}

/* Of these few the share of all calls decides. */
Test(advice, growth)
{
	EXPECT("growth ", GONE(428), .moved = 214);
	EXPECT("", GONE(428), .moved = 213);
	EXPECT("", GONE(429), .moved = 214);
}

Test(advice, frees_of_another_thread)
{
	EXPECT("remote ", GONE(2000), .remote = 1000);
	EXPECT("", GONE(2000), .remote = 999);
	EXPECT("", GONE(2001), .remote = 1000);
}

Test(advice, tiny_blocks_that_live)
{
	EXPECT("tiny leaked ", KEPT(10000, 4, 64));
	EXPECT("leaked ", KEPT(9999, 4, 64));
	EXPECT("leaked ", KEPT(10000, 5, 80));
	EXPECT("leaked ", KEPT(11112, 4, 64), .freed = 1112, .freed_bytes = 1112 * 64,
	       .freed_requested = 1112 * 64, .died = {1112});
}

Test(advice, blocks_never_freed)
{
	EXPECT("leaked ", KEPT_LARGE(100, 1 << 16));
	EXPECT("", KEPT_LARGE(100, (1 << 16) - 1));
	EXPECT("", KEPT_LARGE(99, 1 << 20));
}

/* All freed by the end: what counts is the peak. */
#define AT_PEAK(blocks, bytes)                                                                     \
	.size_class = 2, .allocated = (blocks), .allocated_bytes = (blocks)*UINT64_C(32),          \
	.requested = (bytes), .freed = (blocks), .freed_bytes = (blocks)*UINT64_C(32),             \
	.freed_requested = (bytes), .died = {(blocks)}, .peak_live = (blocks),                     \
	.peak_bytes = (blocks)*32

Test(advice, sizes_that_just_miss_a_class)
{
	EXPECT("slack ", AT_PEAK(4096, 4096 * 20));
	EXPECT("", AT_PEAK(4096, 4096 * 20 + 1));
	EXPECT("", AT_PEAK(4095, 4095 * 20));
	/* aligned to more than they ask for: it is no size that misses */
	EXPECT("", AT_PEAK(4096, 4096 * 16));
}

Test(advice, of_a_sample_what_is_sure)
{
	EXPECT("temporary ", GONE(10), .temporary = 10, .period = 1 << 19);
	EXPECT("", GONE(9), .temporary = 9, .period = 1 << 19);
	EXPECT("", GONE(30), .temporary = 18, .period = 1 << 19);
	EXPECT("temporary ", GONE(30), .temporary = 24, .period = 1 << 19);
	/* 43,691 blocks of 48 bytes as it seems; that nine tenths live takes 35 to tell */
	EXPECT("", KEPT(4, 3, 48), .period = 1 << 19);
	EXPECT("leaked ", KEPT(12, 3, 48), .period = 1 << 19);
	EXPECT("leaked ", KEPT(34, 3, 48), .period = 1 << 19);
	EXPECT("tiny leaked ", KEPT(35, 3, 48), .period = 1 << 19);
}

/* Stacks that lead to the same line are one piece of advice, others are not; what saves most stands first. */
Test(advice, is_added_up_by_place)
{
	struct advised example = begin(PM_STATE_EXITED);
	uint32_t other = builder_frame(&example.of.b, example.frames, 2, 0x1100, 0, 0);
	uint32_t same = builder_frame(&example.of.b, example.frames, 3, 0x2000, other, 0);
	uint32_t third = builder_frame(&example.of.b, example.frames, 4, 0x3000, other, 0);
	struct pm_site row = {GONE(2000), .temporary = 1500, .period = 1};
	const uint32_t frames[] = {example.frame, same, third};

	for (int i = 0; i < 3; i++) {
		row.frame = frames[i];
		builder_site(&example.of.b, example.rows, row);
	}
	advise(&example);
	cr_assert_eq(example.advice.count, 2);
	const struct advice *first = &example.advice.list[0], *second = first + 1;
	cr_expect_eq(first->stacks, 2);
	cr_expect_eq(advice_part(first), 3000);
	cr_expect_eq(advice_whole(first), 4000);
	cr_expect_eq(advice_saving(first).low, 6000);
	cr_expect_float_eq(first->share, 6000.0 / (11327 + 10053), 1e-9);
	cr_expect_eq(second->stacks, 1);
	cr_expect_eq(advice_part(second), 1500);
	end(&example);
}
