/* SPDX-License-Identifier: MIT */
/* stack_intern.c: stacks have one number each, and when there are too many of them short ones still find room. */
#include "stack/intern.h"
#include "stack/walk.h"

#include <criterion/criterion.h>

enum { DEPTH = 12 };

static uint32_t frames;

static uint32_t publish(const struct pm_frame *frame)
{
	(void)frame;
	return ++frames;
}

/* The innermost frames of that depth, of a program whose calls are the digits of a number. */
static struct stack stack_of(uintptr_t ips[DEPTH], uint64_t number, unsigned depth)
{
	struct stack stack = {.addresses = ips, .depth = depth};
	for (unsigned i = 0; i < depth; i++, number /= 4)
		ips[i] = 0x1000 + number % 4 * 16;
	while (depth--)
		stack.hash = walk_hash(stack.hash, ips[depth]);
	return stack;
}

static uint32_t enter(uint64_t number, unsigned depth)
{
	uintptr_t ips[DEPTH];
	bool whole;
	struct stack stack = stack_of(ips, number, depth);
	uint32_t site = intern_enter(&stack, publish, &whole);
	cr_assert(!site || whole);
	cr_assert_eq(intern_find(intern_hash(&stack)), site);
	return site;
}

Test(intern, short_stacks_find_room_when_long_ones_do_not)
{
	uint64_t number = 0;
	while (enter(number, DEPTH))
		number++;
	cr_expect_eq(number, INTERN_SITES - INTERN_SITES / 4);
	cr_expect(!intern_has_room(DEPTH) && intern_has_room(INTERN_SHORT));
	for (number = 0; number < 1 << 14 && enter(number, INTERN_SHORT); number++)
		;
	cr_expect_eq(number, INTERN_SITES / 4 - INTERN_SITES / 16);
	for (number = 0; number < 16; number++)
		cr_expect(enter(number, INTERN_TINY));
	for (number = 0; number < 1000; number++)
		cr_expect_eq(enter(number, DEPTH), number + 1, "the same number again");
}

static uint32_t frame_of(const struct stack *stack)
{
	bool whole;
	uint32_t site = intern_enter(stack, publish, &whole);
	cr_assert(site && whole);
	return intern_site(site)->frame;
}

/* The innermost frames change, as from call to call; the outer ones stay, with their numbers. */
Test(intern, numbers_that_are_noted_lead_to_the_same_frames)
{
	uintptr_t ips[DEPTH];
	uint32_t numbers[DEPTH];
	for (unsigned round = 0; round < 1000; round++) {
		unsigned fresh = round ? 1 + round % DEPTH : DEPTH;
		struct stack noted = {.addresses = ips, .numbers = numbers, .depth = DEPTH};
		for (unsigned i = 0; i < fresh; i++) {
			ips[i] = 0x1000 + (round * 7 >> i) % 4 * 16;
			numbers[i] = 0;
		}
		for (unsigned i = DEPTH; i--;)
			noted.hash = walk_hash(noted.hash, ips[i]);
		struct stack anew = noted;
		anew.numbers = NULL;
		anew.size_class = 1;
		bool is_new = !intern_find(intern_hash(&noted));
		cr_assert_eq(frame_of(&noted), frame_of(&anew));
		cr_assert(!is_new || numbers[0] == frame_of(&anew));
	}
	cr_assert_lt(frames, 1000 * DEPTH / 2, "they are shared");
}
