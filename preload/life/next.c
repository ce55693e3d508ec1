/* SPDX-License-Identifier: MIT */
/*
 * next.c: heap=next, where another allocator serves the memory and we count its calls: how that begins, and goes on in a
 * forked child.  See next_calls.c for the calls.
 *
 * What our heap handed out before the constructor knew the next allocator is counted as large, too, and never handed out
 * again.
 */
#define _GNU_SOURCE
#include "life/next.h"
#include "heap/region.h"
#include "life/life.h"
#include "life/say.h"
#include "tally/clock.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <string.h>

enum { GEN_ON }; /* of the words of the setting */
/* --- blocks from before ------------------------------------------------------------------------------ */

void host_free_early(struct pool *pool, void *block)
{
	struct place place = pool_place(pool, block);
	uint64_t index = pool->state == POOL_LARGE ? 0 : place.index;
	bool is_block = pool->state == POOL_LARGE ? block == pool->start
						  : place.exact && index < pool->threaded;
	if (!is_block ||
	    __atomic_exchange_n(&pool->stamps[index], STAMP_FREE, __ATOMIC_ACQ_REL) == STAMP_FREE)
		heap_report_bad(pool, block);
	else
		large_count_free(heap_here(), pool->block_bytes, 0);
}

/* It always moves. */
void *host_realloc_early(struct pool *pool, void *block, size_t size)
{
	size_t bytes = pool->block_bytes < size ? pool->block_bytes : size;
	void *moved = size ? host_instead.malloc(size) : NULL;
	if (moved) {
		heap_count_here(PM_COUNTER_REALLOC);
		heap_count_here(PM_COUNTER_REALLOC_MOVED);
		memcpy(moved, block, bytes);
	}
	if (moved || !size)
		host_free_early(pool, block);
	return moved;
}

/* No thread's heap owns it: its frees come to host_free_early(). */
static void disown(struct pool *pool, void *unused)
{
	(void)unused;
	__atomic_store_n(&pool->owner, OWNER_NONE, __ATOMIC_RELAXED);
}

/* All that an earlier heap has counted, as large blocks of another. */
static void carry_over(const struct pm_slot *from, struct pm_slot *to)
{
	struct pm_tally *blocks = &to->tally[CLASS_LARGE], *bytes = &to->tally[CLASS_LARGE_BYTES];
	for (unsigned c = 0; c < CLASS_COUNT; c++) {
		const struct pm_tally *tally = &from->tally[c];
		uint64_t allocated = tally_allocations(tally), freed = tally_frees(tally);
		blocks->limit[0] += c == CLASS_LARGE_BYTES ? 0 : (int64_t)allocated;
		blocks->freed[0] += c == CLASS_LARGE_BYTES ? 0 : freed;
		bytes->limit[0] += (int64_t)(allocated * class_unit(c));
		bytes->freed[0] += freed * class_unit(c);
	}
	for (unsigned i = 0; i < PM_COUNTER_COUNT; i++)
		to->counter[i] += from->counter[i];
}

/* A function pointer as an address, without a cast that ISO C forbids. */
static const void *address_of(const void *pointer_to_function)
{
	const void *address;
	memcpy(&address, pointer_to_function, sizeof address);
	return address;
}

/* Whether both are of the same file. */
static bool is_of(const void *one, const void *other)
{
	Dl_info first, second;
	return dladdr(one, &first) && dladdr(other, &second) && first.dli_fbase == second.dli_fbase;
}

/* Another's malloc_usable_size() would read what it did not write. */
static bool is_complete(void)
{
	return foreign.malloc && foreign.calloc && foreign.realloc && foreign.memalign &&
	       foreign.free && foreign.usable &&
	       is_of(address_of(&foreign.malloc), address_of(&foreign.usable));
}

static bool is_glibc(void)
{
	const char *(*version)(void) = gnu_get_libc_version;
	return is_of(address_of(&foreign.usable), address_of(&version));
}

bool next_serves_new(void)
{
	const void *operator_new = dlsym(RTLD_DEFAULT, "_Znwm");
	return operator_new && is_of(operator_new, address_of(&foreign.malloc));
}

static void complain(void)
{
	struct line line = {0};
	line_text(
		&line,
		"poolmem: POOLMEM: heap=next: the next malloc has no malloc_usable_size, using heap=own");
	line_say(&line);
}

/*
 * Some allocators make what malloc_usable_size() needs when it is first called, by calls of malloc or new, which would come to
 * it again.
 */
static void warm_up(void)
{
	void *block = foreign.malloc(1);
	if (block)
		foreign.usable(block);
	foreign.free(block);
}

void next_init(void)
{
	struct heap *early = life.main_heap;
	if (!is_complete()) {
		complain();
		return;
	}
	struct heap *heap = early ? heap_make() : NULL;
	if (!heap) {
		complain();
		return;
	}
	warm_up();
	bool has_births = life.settings.gen.index == GEN_ON, word_tells = is_glibc();
	foreign_tuning_init();
	/* From here on no call is counted on the early heap, and none is served by it. */
	heap_enter();
	heap_thread.own = NULL;
	if (region.arenas) /* else no page of its slot is touched */
		carry_over(early->slot, heap->slot);
	arena_each_pool(disown, NULL);
	memset(life.block_bytes, 0, sizeof life.block_bytes);
	clock_now.paused = !has_births;
	life.main_heap = heap;
	next_count(word_tells, has_births);
	/* A thread that an earlier constructor started finds the ways before it is sent there. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	host_next = host_off = host_unusual = true;
}

/* --- forked children --------------------------------------------------------------------------------- */

/*
 * Two threads that fork at a time: one of them takes the figures, and the child of the other has those of a moment before,
 * whole.  Children of other calls than fork() begin with nothing that is known.
 */
static struct survival_begun inherited[2];
static unsigned in_force; /* atomic */
static bool is_taking;    /* atomic */

void next_note_live(void)
{
	if (__atomic_exchange_n(&is_taking, true, __ATOMIC_ACQUIRE))
		return;
	unsigned other = !__atomic_load_n(&in_force, __ATOMIC_RELAXED);
	memset(&inherited[other], 0, sizeof inherited[other]);
	survival_live(&inherited[other]);
	__atomic_store_n(&in_force, other, __ATOMIC_RELEASE);
	__atomic_store_n(&is_taking, false, __ATOMIC_RELEASE);
}

/* In a child that was forked meanwhile nobody else is at it. */
void next_begin(struct survival_begun *begun)
{
	if (wiped.pid)
		*begun = inherited[in_force];
	is_taking = false;
}
