/* SPDX-License-Identifier: MIT */
/* stack_oracle.h: a walk and libunwind's, side by side. */
#ifndef POOLMEM_TESTS_STACK_ORACLE_H
#define POOLMEM_TESTS_STACK_ORACLE_H

#define UNW_LOCAL_ONLY
#include "stack/walk.h"

#include <criterion/criterion.h>
#include <libunwind.h>
#include <stdio.h>

enum { ORACLE_ROOM = 512 };

struct oracle {
	uintptr_t ips[ORACLE_ROOM];
	uintptr_t theirs[ORACLE_ROOM];
	unsigned count, their_count;
	enum walk_end end;
	int their_end; /* 0: the outermost frame, less: an error */
};

static inline void oracle_unwind(struct oracle *o, unw_cursor_t *cursor)
{
	o->their_count = 0;
	do {
		unw_word_t ip = 0;
		unw_get_reg(cursor, UNW_REG_IP, &ip);
		o->their_end = 0;
		if (ip == 0)
			break;
		o->theirs[o->their_count++] = ip;
	} while (o->their_count < ORACLE_ROOM && (o->their_end = unw_step(cursor)) > 0);
}

/* How many frames from the leaf on are the same. */
static inline unsigned oracle_common(const struct oracle *o)
{
	unsigned i = 0;
	while (i < o->count && i < o->their_count && o->ips[i] == o->theirs[i])
		i++;
	return i;
}

static inline void oracle_print(const struct oracle *o)
{
	for (unsigned i = 0; i < o->count || i < o->their_count; i++)
		fprintf(stderr, "%3u %16lx %16lx\n", i, i < o->count ? o->ips[i] : 0,
			i < o->their_count ? o->theirs[i] : 0);
	fprintf(stderr, "ends: %d, %d\n", (int)o->end, o->their_end);
}

static inline void oracle_expect(const struct oracle *o, enum walk_end end)
{
	unsigned common = oracle_common(o);
	bool is_same = common == o->count &&
		       (common == o->their_count || end == WALK_CUT || end == WALK_LOST);
	if (!is_same || o->end != end)
		oracle_print(o);
	cr_assert(is_same && o->end == end, "%u of %u, %u frames, end %d", common, o->count,
		  o->their_count, (int)o->end);
}

/* Of the function that called the caller of this. */
__attribute__((noinline, unused)) static void oracle_walk(struct oracle *o, struct frame from,
							  unsigned room)
{
	unw_context_t context;
	unw_cursor_t cursor;
	o->count = walk(from, o->ips, room, &o->end);
	unw_getcontext(&context);
	unw_init_local(&cursor, &context);
	unw_step(&cursor);
	unw_step(&cursor);
	oracle_unwind(o, &cursor);
}

#endif
