/* SPDX-License-Identifier: MIT */
/* stack_reuse.c: what was said last of each address holds, against a list of all addresses. */
#include "stack/reuse.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { ADDRESSES = 600, ROUNDS = 3000 };

static uint32_t said[ADDRESSES];

static void expect_as_said(void)
{
	for (uint64_t at = 0; at < ADDRESSES; at++)
		cr_assert_eq(reuse_generation(at), said[at], "at %lu", at);
}

/* Whether it found room. */
static bool set(uint64_t first, uint64_t last, uint32_t generation)
{
	bool has_room = reuse_set(first, last, generation);
	for (uint64_t at = first; has_room && at < last; at++)
		said[at] = generation;
	return has_room;
}

static void set_all(uint32_t generation)
{
	reuse_set_all(generation);
	for (uint64_t at = 0; at < ADDRESSES; at++)
		said[at] = generation;
}

Test(reuse, what_was_said_last_holds_of_each_address)
{
	unsigned refused = 0;
	srandom(1);
	expect_as_said();
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		uint64_t first = (uint64_t)random() % (ADDRESSES - 1);
		uint64_t last = first + 1 + (uint64_t)random() % (ADDRESSES - first - 1) / 8;
		uint32_t generation = (uint32_t)random() % 100;
		if (set(first, last, generation) || refused++ % 4)
			expect_as_said();
		else
			set_all(round);
	}
	cr_expect_gt(refused, 100);
	cr_expect_gt(ROUNDS - refused, 100);
	expect_as_said();
}

Test(reuse, the_highest_is_that_of_ranges_that_are_met)
{
	set(100, 200, 7);
	set(300, 400, 3);
	cr_expect_eq(reuse_highest(0, 100), 0);
	cr_expect_eq(reuse_highest(0, 101), 7);
	cr_expect_eq(reuse_highest(199, 301), 7);
	cr_expect_eq(reuse_highest(200, 301), 3);
	cr_expect_eq(reuse_highest(400, 500), 0);
	set(50, 250, 1);
	cr_expect_eq(reuse_highest(100, 200), 1, "what was said of a range inside holds no longer");
	expect_as_said();
}

/* Programs that close a great many: the same for all addresses is better than nothing. */
Test(reuse, without_room_it_can_be_said_of_all)
{
	for (uint64_t i = 0; i < REUSE_RANGES; i++)
		cr_assert(set(2 * i, 2 * i + 1, 5));
	cr_expect_not(set(2 * REUSE_RANGES, 2 * REUSE_RANGES + 1, 6));
	set_all(6);
	cr_expect(set(2 * REUSE_RANGES, 2 * REUSE_RANGES + 1, 6), "it is anyway");
	cr_expect_not(set(2 * REUSE_RANGES, 2 * REUSE_RANGES + 1, 7));
	cr_expect(set(4, 5, 2), "there is a place for that");
	expect_as_said();
}
