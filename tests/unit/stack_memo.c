/* SPDX-License-Identifier: MIT */
/* cflags: -O2 -fno-inline */
/* stack_memo.c: a walk that ends where it meets the last one finds what a walk of its own finds. */
#include "heap_host.h"
#include "stack/known.h"

#include <alloca.h>
#include <criterion/criterion.h>
#include <setjmp.h>
#include <string.h>
#include <ucontext.h>

enum { LEAVES = 60000, ROOM = MEMO_ROOM };

static struct walk_memo memo;
static struct memo_frames fresh;
static uint64_t state = 1;
static unsigned leaves, wrong, short_cuts, known_ones;
static struct known_set known_sets[KNOWN_SETS];

static unsigned below(unsigned limit)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(state >> 33) % limit;
}

static uint64_t hash_of(const uintptr_t *ips, unsigned count)
{
	uint64_t hash = 0;
	while (count--)
		hash = walk_hash(hash, ips[count]);
	return hash;
}

__attribute__((noinline)) static void compare(struct walk_memo *with)
{
	uintptr_t ips[ROOM];
	enum walk_end end;
	struct frame from = frame_of_caller(__builtin_frame_address(0));
	bool had_one = with->generation;
	unsigned count = walk(from, ips, ROOM, &end);
	memset(&fresh, 0, sizeof fresh);
	unsigned again = walk_again(&from, with, &fresh);
	short_cuts += had_one && !fresh.ip[count - 1];
	wrong += again != count || end != with->end ||
		 memcmp(ips, with->kept.ip + with->begin, count * sizeof *ips) != 0 ||
		 with->hash[with->begin] != hash_of(ips, count);
	leaves++;
}

/* As one who records blocks does: what is recent of a stack is no other's. */
static void note_recent(struct known *known)
{
	static struct pm_site row;
	if (!known)
		return;
	wrong += known->recent.row && known->recent.hash != known->hash;
	known->recent = (struct recent){.hash = known->hash, .row = &row};
}

/* What is known of stacks from this frame on is what a walk finds. */
__attribute__((noinline)) static void compare_known(struct walk_memo *with)
{
	uintptr_t ips[ROOM];
	enum walk_end end;
	struct frame from = frame_of_caller(__builtin_frame_address(0));
	unsigned count = walk(from, ips, ROOM, &end);
	struct known *known = known_find(known_sets, &from);
	known_ones += known != NULL;
	wrong += known && (known->hash != hash_of(ips, count) || known->end != end);
	note_recent(known);
	walk_again(&from, with, &fresh);
	known_note(known_sets, &from, with, with->hash[with->begin]);
}

static volatile unsigned times = 4; /* a loop of so many is not unrolled: each call is from one place */

typedef void branch(unsigned depth);
static branch left, right, wide, aligned;
static branch *const branches[] = {left, right, wide, aligned};

static void leaf(void)
{
	compare(&memo);
	__asm__ volatile("");
}

static void known_leaf(void)
{
	compare_known(&memo);
	__asm__ volatile("");
}

static void grow(unsigned depth)
{
	for (unsigned i = below(4); leaves < LEAVES && i <= 3; i++) {
		if (depth && below(3))
			branches[below(4)](depth - 1);
		leaf();
		compare_known(&memo);
		if (below(2))
			leaf();
		__asm__ volatile("");
	}
}

static void left(unsigned depth)
{
	grow(depth);
	__asm__ volatile("");
}

static void right(unsigned depth)
{
	char some[100];
	__asm__ volatile("" : : "r"(some) : "memory");
	grow(depth);
	__asm__ volatile("" : : "r"(some) : "memory");
}

/* Return addresses of frames that are gone stay in what is taken here. */
static void wide(unsigned depth)
{
	char *some = alloca(16 + below(2000));
	__asm__ volatile("" : : "r"(some) : "memory");
	grow(depth);
	__asm__ volatile("" : : "r"(some) : "memory");
}

static void aligned(unsigned depth)
{
	char some[64] __attribute__((aligned(64)));
	__asm__ volatile("" : : "r"(some) : "memory");
	grow(depth);
	__asm__ volatile("" : : "r"(some) : "memory");
}

Test(memo, walks_are_as_those_without)
{
	cr_assert(steps_init());
	while (leaves < LEAVES)
		grow(12);
	cr_expect_eq(wrong, 0, "%u of %u", wrong, leaves);
	cr_expect(short_cuts > leaves / 2, "%u of %u", short_cuts, leaves);
	cr_expect(known_ones > leaves / 100, "%u of %u", known_ones, leaves);
	cr_log_info("%u of %u known", known_ones, leaves);
}

/* A function that nothing describes but its frame pointer, as code of a JIT compiler. */
__asm__(".text\n.type untold, @function\n"
	"untold: push %rbp\n mov %rsp, %rbp\n call *%rdi\n pop %rbp\n ret\n.size untold, . - untold");
void untold(void (*function)(void));

static struct walk_memo memo_of_untold;

__attribute__((noinline)) static void look_through(void)
{
	compare(&memo_of_untold);
	__asm__ volatile("");
}

/* alloca: it keeps a frame pointer, which a guess needs. */
__attribute__((noinline)) static void in_turn(void)
{
	for (unsigned i = 0; i < 4; i++) {
		char *some = alloca(16 + below(16));
		__asm__ volatile("" : : "r"(some) : "memory");
		look_through();
		untold(look_through);
		__asm__ volatile("");
	}
}

Test(memo, what_is_guessed_is_of_this_walk)
{
	cr_assert(steps_init());
	in_turn();
	cr_expect_eq(leaves, 8);
	cr_expect_eq(wrong, 0, "%u of %u", wrong, leaves);
	cr_expect(short_cuts > 0, "%u", short_cuts);
}

/* Deeper than there is room: the outer part hangs on how deep the inner one is. */
static void further(void)
{
	leaf();
	__asm__ volatile("");
}

static void deep(unsigned depth)
{
	if (depth)
		deep(depth - 1);
	leaf();
	further();
	leaf();
	__asm__ volatile("");
}

Test(memo, stacks_that_are_cut)
{
	for (unsigned depth = 100; depth < 400; depth += 1 + below(30)) {
		deep(depth);
		deep(depth);
	}
	cr_expect_eq(wrong, 0);
}

static ucontext_t here, there;

static void context(void)
{
	for (;;) {
		deep(below(20));
		swapcontext(&there, &here);
	}
}

Test(memo, contexts)
{
	static char stack[65536];
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof stack;
	makecontext(&there, context, 0);
	for (unsigned i = 0; i < 200; i++) {
		deep(below(20));
		swapcontext(&here, &there);
	}
	cr_expect_eq(wrong, 0);
	cr_expect_geq(leaves, 400);
}

/*
 * Where a function begins that takes what is between it and `end` is told by fp alone, for it and for those it calls.  What it
 * takes has in it, as it was, what was read of the call before.
 */
__attribute__((noinline)) static void reach(uintptr_t end, void (*leaf_there)(void))
{
	char *some = alloca((uintptr_t)__builtin_frame_address(0) - end);
	__asm__ volatile("" : : "r"(some) : "memory");
	leaf_there();
	__asm__ volatile("" : : "r"(some) : "memory");
}

__attribute__((noinline)) static void from_afar(uintptr_t end, void (*leaf_there)(void))
{
	char some[1000];
	__asm__ volatile("" : : "r"(some) : "memory");
	reach(end, leaf_there);
	__asm__ volatile("" : : "r"(some) : "memory");
}

__attribute__((noinline)) static void from_near(uintptr_t end, void (*leaf_there)(void))
{
	reach(end, leaf_there);
	__asm__ volatile("");
}

Test(memo, fp_alone_tells_where_it_leads)
{
	static void (*const leafs[])(void) = {leaf, known_leaf};
	uintptr_t end = (uintptr_t)__builtin_frame_address(0) - 4096;
	for (unsigned i = 0; i < 2; i++)
		for (unsigned n = 0; n <= times; n++)
			(n < times ? from_afar : from_near)(end, leafs[i]);
	cr_expect_eq(wrong, 0);
	cr_expect_eq(known_ones, times - 2, "%u", known_ones);
}

Test(memo, a_module_that_was_closed)
{
	deep(5);
	cr_expect_neq(memo.generation, 0);
	steps_forget();
	for (unsigned i = 0; i < 2; i++)
		deep(5);
	cr_expect_eq(wrong, 0);
}

Test(memo, what_is_known_ends_with_a_module)
{
	unsigned before = 0;
	for (unsigned i = 0; i <= times; i++) {
		if (i == times) {
			before = known_ones;
			steps_forget();
		}
		known_leaf();
	}
	cr_expect_eq(before, times - 2, "%u", before);
	cr_expect_eq(known_ones, before, "%u", known_ones);
}
