/* SPDX-License-Identifier: MIT */
/*
 * next.c: heap=next, where another allocator serves the memory and we count its calls.
 *
 *   malloc --> no class is served here --> the next malloc --> its malloc_usable_size --> the counter of that size
 *
 * Each thread has a heap that hands out nothing: its slot counts, and it ticks.  A size class stands for the first usable
 * size that comes in its range, so that bytes are exact; what has another size, or is larger than any class, is counted as
 * a large block.  The stamps of births stand by address (heap/births.h), unless gen=off; what the allocator frees and has no
 * stamp there was not counted when it came.  A block whose call site is recorded has STAMP_SPECIAL there, as ours do.
 *
 * What our heap handed out before the constructor knew the next allocator is counted as large, too, and never handed out
 * again.
 */
#define _GNU_SOURCE
#include "life/life.h"
#include "life/say.h"

#include "heap/births.h"
#include "heap/region.h"
#include "tally/clock.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <string.h>

bool host_next;

static bool has_births;

enum { GEN_ON };                  /* of the words of the setting */
enum { CHANGES_PER_TICK = 1024 }; /* frees, and allocations without a countdown */

/* --- the size of a block ----------------------------------------------------------------------------- */

/*
 * glibc notes the size of a block in the word before it, with three bits of its own, and uses all but that word; of a block
 * with a mapping of its own two words are lost.  Its malloc_usable_size() asks the next block, too, which costs a line of
 * the cache.  So the word is read here, as long as the first block of each class agrees with what glibc says.
 */
static bool word_tells;

enum { GLIBC_BITS = 7, GLIBC_MAPPED = 2 };

static inline size_t word_size(const void *block)
{
	size_t word = ((const size_t *)block)[-1];
	return word & GLIBC_MAPPED ? 0 : (word & ~(size_t)GLIBC_BITS) - sizeof word;
}

/* The processes of a segment agree.  Returns whether the class stands for that size. */
static bool claim(unsigned size_class, uint32_t bytes)
{
	uint32_t now = 0, *shared = NULL;
	if (life.recording) {
		const struct pm_header *header = segment.header;
		struct pm_class *classes = (struct pm_class *)((char *)header + sizeof *header);
		shared = &classes[size_class].block_bytes;
	}
	if (!shared || __atomic_compare_exchange_n(shared, &now, bytes, false, __ATOMIC_RELEASE,
						   __ATOMIC_RELAXED))
		now = bytes;
	__atomic_store_n(&life.block_bytes[size_class], now, __ATOMIC_RELAXED);
	return now == bytes;
}

struct size {
	size_t usable;
	unsigned size_class;
};

static inline bool is_known(unsigned size_class, size_t usable)
{
	return likely(__atomic_load_n(&life.block_bytes[size_class], __ATOMIC_RELAXED) == usable);
}

static inline bool has_class(size_t usable)
{
	return likely(usable - 1 < CLASS_MAX);
}

/* Of one whose class, by the word before it, does not stand for it yet. */
__attribute__((noinline)) static struct size look_at(void *block)
{
	struct size size = {foreign.usable(block), CLASS_LARGE};
	if (!has_class(size.usable))
		return size;
	if (word_tells && word_size(block) != size.usable)
		word_tells = false;
	unsigned size_class = class_of(size.usable);
	uint32_t bytes = __atomic_load_n(&life.block_bytes[size_class], __ATOMIC_RELAXED);
	if (bytes ? bytes == size.usable : claim(size_class, (uint32_t)size.usable))
		size.size_class = size_class;
	return size;
}

static inline struct size size_of(void *block)
{
	size_t usable = likely(word_tells) ? word_size(block) : foreign.usable(block);
	unsigned size_class = has_class(usable) ? class_of(usable) : 0;
	return likely(is_known(size_class, usable) && size_class) ? (struct size){usable, size_class}
								  : look_at(block);
}

/* --- counting ---------------------------------------------------------------------------------------- */

/* Like heap_here(), where no heap serves a class. */
static inline struct heap *heap_that_counts(void)
{
	struct heap *heap = heap_thread.heap;
	return likely(heap) ? heap : host_heap();
}

static inline struct pm_tally *tally_of(const struct heap *heap, unsigned size_class)
{
	return heap_counted(heap, &heap->slot->tally[size_class]);
}

static void tick(struct heap *heap)
{
	heap->large_changes = 0;
	heap_tick(heap);
}

static inline void changed(struct heap *heap)
{
	if (likely(heap) && unlikely(++heap->large_changes >= CHANGES_PER_TICK))
		tick(heap);
}

/* What the rest of life/ knows a block by: a pool that has no other. */
struct lone_pool {
	_Alignas(struct pool) char pool[sizeof(struct pool)];
	uint8_t stamp;
};

static struct pool *describe(struct lone_pool *lone, struct size size, void *block)
{
	struct pool *pool = (struct pool *)lone->pool;
	*pool = (struct pool){
		.start = block,
		.reciprocal = 1, /* its first byte has index 0 */
		.capacity = 1,
		.threaded = 1,
		.block_bytes = size.usable,
		.size_class = (uint8_t)size.size_class,
		.state = size.size_class == CLASS_LARGE ? POOL_LARGE : POOL_FULL,
	};
	lone->stamp = stamps.now;
	return pool;
}

/* Its record is there: its free is to find it. */
static void keep_stamp(const struct lone_pool *lone, struct size size, const void *block)
{
	if (lone->stamp == STAMP_SPECIAL)
		births_put(block, size.usable, STAMP_SPECIAL);
}

/* The countdown of its class ran out. */
__attribute__((noinline)) static void due(struct heap *heap, struct size size, void *block,
					  size_t requested)
{
	struct lone_pool lone;
	heap_enter();
	host_due(heap, describe(&lone, size, block), block, requested, HOST_FRAME());
	heap_leave(heap);
	keep_stamp(&lone, size, block);
}

__attribute__((noinline)) static void count_large(struct heap *heap, struct size size, void *block,
						  size_t requested)
{
	struct lone_pool lone;
	large_count_alloc(heap, size.usable);
	if (!heap)
		return;
	heap_enter();
	host_large_due(heap, describe(&lone, size, block), requested, HOST_FRAME());
	heap_leave(heap);
	keep_stamp(&lone, size, block);
	changed(heap);
}

/* Of a signal handler inside, or of a thread past its end: the shared slot has no countdown. */
__attribute__((noinline)) static void count_nested(unsigned size_class)
{
	heap_count(NULL, PM_COUNTER_NESTED);
	host_add_shared(offsetof(struct pm_slot, tally[size_class].limit[0]), 1);
}

static inline void count(struct heap *heap, struct size size, void *block, size_t requested)
{
	if (has_births)
		births_put(block, size.usable, stamps.now);
	if (unlikely(size.size_class == CLASS_LARGE))
		count_large(heap, size, block, requested);
	else if (unlikely(!heap))
		count_nested(size.size_class);
	else if (unlikely(tally_allocated(tally_of(heap, size.size_class))))
		due(heap, size, block, requested);
}

/* The same of a block that is none anew. */
__attribute__((noinline)) static void tick_over(struct heap *heap, unsigned size_class)
{
	heap_enter();
	fork_check(heap);
	tick_due(heap, size_class);
	heap_leave(heap);
}

static inline void count_gone(struct heap *heap, struct size size, unsigned age)
{
	if (unlikely(size.size_class == CLASS_LARGE)) {
		large_count_free(heap, size.usable, age);
	} else if (unlikely(!heap)) { /* of a thread past its end */
		host_add_shared(offsetof(struct pm_slot, tally[size.size_class].freed[age]), 1);
	} else {
		heap_set_ticking(heap, size.size_class);
		tally_increment(&tally_of(heap, size.size_class)->freed[age]);
	}
	changed(heap);
}

/* A block that goes.  Looked at while its address is its own: once it is given back that may be another's. */
struct end {
	struct size size;
	uint8_t stamp;
	struct recorded *recorded; /* of STAMP_SPECIAL */
};

static struct end end_of(void *block)
{
	struct end end = {.size = size_of(block)};
	end.stamp = has_births ? births_take(block, end.size.usable) : stamps.now;
	if (unlikely(end.stamp == STAMP_SPECIAL))
		end.recorded = host_large_recorded(block);
	return end;
}

/* One not of this epoch.  What has no stamp came before us, or past us.  Words, no struct: it would go through memory. */
__attribute__((noinline)) static void count_older(struct heap *heap, size_t usable,
						  unsigned size_class, uint8_t stamp,
						  struct recorded *recorded)
{
	if (stamp == STAMP_FREE) {
		heap_count(heap, PM_COUNTER_FOREIGN_FREE);
		return;
	}
	if (stamp == STAMP_SPECIAL)
		stamp = host_large_died(heap, recorded, usable);
	count_gone(heap, (struct size){usable, size_class}, stamp_age(stamp));
}

static void count_end(struct heap *heap, const struct end *end)
{
	count_older(heap, end->size.usable, end->size.size_class, end->stamp, end->recorded);
}

static inline void count_free(void *block)
{
	struct heap *heap = heap_that_counts();
	struct size size = size_of(block);
	uint8_t stamp = has_births ? births_take(block, size.usable) : stamps.now;
	if (likely(stamp == stamps.now))
		count_gone(heap, size, 0);
	else
		count_older(heap, size.usable, size.size_class, stamp,
			    stamp == STAMP_SPECIAL ? host_large_recorded(block) : NULL);
}

/* As if it had not been counted.  Its countdown stays. */
static void take_back(struct heap *heap, struct size size)
{
	struct pm_tally *tally = tally_of(heap, size.size_class);
	tally_add((uint64_t *)&tally->limit[tally->left & 1], UINT64_MAX);
	if (size.size_class == CLASS_LARGE)
		large_count_bytes(heap, -(int64_t)size.usable);
	else
		heap_set_ticking(heap, size.size_class);
}

/* Of another thread, or inherited, perhaps: no count of the thread goes below 0. */
static bool can_take_back(struct heap *heap, struct size size)
{
	if (!heap || (int64_t)tally_allocations(tally_of(heap, size.size_class)) <= 0)
		return false;
	return size.size_class != CLASS_LARGE ||
	       tally_allocations(tally_of(heap, CLASS_LARGE_BYTES)) >= size.usable;
}

/*
 * A block of another size class is another one to the counters, but neither handed out nor given back.  Where that cannot be
 * taken back, blocks stay exact and so do bytes, in all: those that it has gained are counted as large ones.
 */
static void count_in_place(struct heap *heap, struct size before, struct size now)
{
	if (before.usable == now.usable)
		return;
	if (!can_take_back(heap, before)) {
		large_count_bytes(heap, (int64_t)(now.usable - before.usable));
		return;
	}
	take_back(heap, before);
	if (now.size_class == CLASS_LARGE)
		large_count_alloc(heap, now.usable);
	else if (tally_allocated(tally_of(heap, now.size_class)))
		tick_over(heap, now.size_class);
}

static inline void *counted(void *block, size_t requested)
{
	struct heap *heap = heap_that_counts();
	if (unlikely(!block)) {
		heap_count(heap, PM_COUNTER_ALLOC_FAILED);
		return NULL;
	}
	heap_add(heap, offsetof(struct pm_slot, counter[PM_COUNTER_REQUESTED]), requested);
	count(heap, size_of(block), block, requested);
	return block;
}

/* One that was not counted is not counted now. */
static void count_stayed(struct heap *heap, const struct end *end, void *block, size_t requested)
{
	struct size now = size_of(block);
	if (end->stamp == STAMP_FREE)
		return;
	if (has_births)
		births_put(block, now.usable, end->stamp);
	if (end->recorded)
		sites_stayed(block, requested, (int64_t)(now.usable - end->size.usable));
	count_in_place(heap, end->size, now);
}

static void count_moved(struct heap *heap, const struct end *end, void *block, size_t requested)
{
	heap_count(heap, PM_COUNTER_REALLOC_MOVED);
	counted(block, requested);
	const uint8_t *stamp = has_births ? births_at(block, foreign.usable(block)) : NULL;
	if (stamp && *stamp == STAMP_SPECIAL)
		sites_moved(block);
	count_end(heap, end);
}

static void *count_resized(void *block, const struct end *end, void *result, size_t requested)
{
	struct heap *heap = heap_that_counts();
	if (!result && requested) {
		if (has_births && end->stamp != STAMP_FREE) /* it lives on */
			births_put(block, end->size.usable, end->stamp);
		heap_count(heap, PM_COUNTER_ALLOC_FAILED);
		return NULL;
	}
	if (!result) {
		count_end(heap, end);
		return NULL;
	}
	heap_count(heap, PM_COUNTER_REALLOC);
	if (result == block)
		count_stayed(heap, end, result, requested);
	else
		count_moved(heap, end, result, requested);
	return result;
}

/* --- what the heap hands on --------------------------------------------------------------------------- */

void *host_malloc_foreign(size_t size)
{
	if (unlikely(!foreign.malloc))
		return NULL;
	void *block = foreign.malloc(size);
	return likely(host_next) ? counted(block, size) : block;
}

void *host_calloc_foreign(size_t size)
{
	void *block = foreign.calloc ? foreign.calloc(1, size) : NULL;
	return host_next ? counted(block, size) : block;
}

void *host_memalign_foreign(size_t alignment, size_t size)
{
	void *block = foreign.memalign ? foreign.memalign(alignment, size) : NULL;
	return host_next ? counted(block, size) : block;
}

void host_free_foreign(void *block)
{
	int saved = errno;
	if (likely(host_next))
		count_free(block);
	else if (!host_off)
		heap_count_here(PM_COUNTER_FOREIGN_FREE);
	if (likely(foreign.free))
		foreign.free(block);
	errno = saved;
}

size_t host_usable_foreign(void *block)
{
	return foreign.usable ? foreign.usable(block) : 0;
}

void *host_realloc_foreign(void *block, size_t size)
{
	if (!host_next)
		return foreign.realloc ? foreign.realloc(block, size) : NULL;
	if (!block)
		return counted(foreign.realloc(block, size), size);
	struct end end = end_of(block);
	return count_resized(block, &end, foreign.realloc(block, size), size);
}

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
	void *moved = size ? host_malloc_foreign(size) : NULL;
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

static void complain(void)
{
	struct line line = {0};
	line_text(
		&line,
		"poolmem: POOLMEM: heap=next: the next malloc has no malloc_usable_size, using heap=own");
	line_say(&line);
}

bool next_has_births(void)
{
	return has_births;
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
	if (region.arenas) /* else no page of its slot is touched */
		carry_over(early->slot, heap->slot);
	arena_each_pool(disown, NULL);
	memset(life.block_bytes, 0, sizeof life.block_bytes);
	has_births = life.settings.gen.index == GEN_ON;
	clock_now.paused = !has_births;
	foreign_tuning_init();
	word_tells = is_glibc();
	life.main_heap = heap;
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
