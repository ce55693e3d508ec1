/* SPDX-License-Identifier: MIT */
/*
 * record.c: where descriptors and their stamps lie.
 *
 *   records of an arena   | shape 0: 72 places | shape 1: 72 places | ... |      below the arenas, side by side too
 *
 * A descriptor is as long as its stamps need, in one of a few shapes, so that the resident memory of a program with
 * blocks of 48 bytes is 2.4 % larger for it and not 6 %, a page for each pool.  A unit gets the first free place of a
 * shape and keeps it until it needs another shape: late frees of blocks that are gone still find what the unit was.
 *
 * Lengths are odd numbers of lines, so that descriptors begin at all sets of the first cache; a program uses a hundred
 * at a time.  But none begins in the first lines of its page.  A store to one address delays a load from another that
 * is a multiple of 4 KiB away, and programs write most to the beginning of blocks, the first of which begin a page.
 * (calloc and free of 128 bytes in turn took twice as long.)
 */
#include "heap/record.h"

#include "heap/region.h"
#include "heap/units.h"
#include "sys/memory.h"

enum {
	LINE = ARENA_RECORD_LINE,
	LINES_OF_PAGE = MEMORY_PAGE / LINE,
	LINES_AVOIDED = 4,
	PLACES = PM_ARENA_UNITS + 2 * LINES_AVOIDED, /* 64 may be used */
};

/* Of pools of 64 KiB; of longer ones twice that. */
#define LINES(least) (PM_UNIT_BYTES > 65536 ? 2 * (least)-1 : (least))
static const uint8_t lines_of_shape[RECORD_SHAPES] = {LINES(5),  LINES(9),  LINES(15), LINES(19),
						      LINES(25), LINES(35), LINES(67)};

enum {
	LINES_OF_ALL = (LINES(5) + LINES(9) + LINES(15) + LINES(19) + LINES(25) + LINES(35) +
			LINES(67)) *
		       PLACES,
	RECORD_BYTES = (LINES_OF_ALL + LINES_OF_PAGE - 1) / LINES_OF_PAGE * MEMORY_PAGE
};

_Static_assert(LINES(67) * LINE > sizeof(struct pool) + PM_UNIT_BYTES / CLASS_GRAIN,
	       "the smallest blocks");
_Static_assert(LINES_OF_ALL <= UINT16_MAX, "arena.record_at");

size_t arena_records_bytes(void)
{
	return RECORD_BYTES;
}

bool record_ensure(struct arena *arena)
{
	if (arena->records)
		return true;
	char *hint = (char *)region_below(2) + (size_t)arena->index * RECORD_BYTES;
	char *records = memory_map(hint, RECORD_BYTES);
	if (records)
		memory_no_huge_pages(records, RECORD_BYTES);
	arena->records = records;
	return records;
}

static size_t bytes_of(unsigned shape)
{
	return (size_t)lines_of_shape[shape] * LINE;
}

static unsigned shape_for(size_t stamps)
{
	unsigned shape = 0;
	while (bytes_of(shape) <
	       sizeof(struct pool) + stamps + 1) /* also of what begins behind the last block */
		shape++;
	return shape;
}

/* In lines from the arena's records: the usable place of that number. */
static uint16_t line_of(unsigned shape, unsigned number)
{
	unsigned line = 0;
	for (unsigned before = 0; before < shape; before++)
		line += lines_of_shape[before] * (unsigned)PLACES;
	for (;; line += lines_of_shape[shape])
		if (line % LINES_OF_PAGE >= LINES_AVOIDED && !number--)
			return (uint16_t)line;
}

static struct pool *at_line(const struct arena *arena, uint16_t line)
{
	return (struct pool *)(arena->records + (size_t)line * LINE);
}

struct pool *record_of(const struct arena *arena, unsigned unit)
{
	uint16_t line = __atomic_load_n(&arena->record_at[unit], __ATOMIC_ACQUIRE);
	return line ? at_line(arena, line) : &pool_nowhere;
}

/* Places are taken lowest first; those that were ever taken stay resident. */
static void note_peak(struct arena *arena, unsigned shape, unsigned number)
{
	uint8_t peak = __atomic_load_n(&arena->places_peak[shape], __ATOMIC_RELAXED);
	while (number >= peak)
		if (__atomic_compare_exchange_n(&arena->places_peak[shape], &peak,
						(uint8_t)(number + 1), false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED)) {
			__atomic_add_fetch(&region.meta_bytes,
					   (number + 1 - peak) * bytes_of(shape), __ATOMIC_RELAXED);
			return;
		}
}

/* There is one: a unit has no two places of a shape, so no more than 63 others are taken. */
static struct pool *take_place(struct arena *arena, unsigned unit, unsigned shape)
{
	uint64_t used = __atomic_load_n(&arena->places[shape], __ATOMIC_RELAXED);
	unsigned number;
	do
		number = (unsigned)__builtin_ctzl(~used);
	while (!__atomic_compare_exchange_n(&arena->places[shape], &used,
					    used | units_mask(number, 1), true, __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED));
	uint16_t line = line_of(shape, number);
	struct pool *pool = at_line(arena, line);
	pool->shape = (uint8_t)shape;
	pool->place = (uint8_t)number;
	__atomic_store_n(&arena->record_at[unit], line, __ATOMIC_RELEASE);
	note_peak(arena, shape, number);
	return pool;
}

struct pool *record_take(struct arena *arena, unsigned unit, size_t stamps, struct pool **ret_old)
{
	unsigned shape = shape_for(stamps);
	struct pool *old = record_of(arena, unit);
	*ret_old = NULL;
	if (old != &pool_nowhere && old->shape == shape)
		return old;
	if (old != &pool_nowhere)
		*ret_old = old;
	return take_place(arena, unit, shape);
}

void record_give(struct arena *arena, const struct pool *pool)
{
	__atomic_and_fetch(&arena->places[pool->shape], ~units_mask(pool->place, 1),
			   __ATOMIC_RELEASE);
}
