/* SPDX-License-Identifier: MIT */
/* Size classes and places in a pool: every size, every class, every offset. */
#include "unit/heap_host.h"

Test(classes, every_size_has_the_smallest_class_that_fits)
{
	cr_assert_eq(class_of(0), 0);
	for (size_t size = 1; size <= CLASS_MAX; size++) {
		unsigned c = class_of(size);
		cr_assert(c >= 1 && c < CLASS_POOLED, "size %zu", size);
		cr_assert_geq(class_bytes(c), size);
		cr_assert(c == 1 || class_bytes(c - 1) < size, "size %zu", size);
		cr_assert(c == class_of(size - 1) || c == class_of(size - 1) + 1, "size %zu", size);
		if (size <= CLASS_FINE_MAX)
			cr_assert_eq(c, class_of_fine(size));
	}
	cr_assert_eq(class_of(CLASS_MAX), CLASS_POOLED - 1);
}

Test(classes, waste_is_bounded)
{
	for (size_t size = 1; size <= CLASS_MAX; size++) {
		size_t slack = class_bytes(class_of(size)) - size;
		cr_assert(size <= CLASS_FINE_MAX ? slack < CLASS_GRAIN : slack < size / 8,
			  "size %zu", size);
	}
}

Test(classes, sizes_grow_and_are_aligned)
{
	cr_assert_eq(class_bytes(0), CLASS_GRAIN);
	for (unsigned c = 1; c < CLASS_POOLED; c++) {
		size_t bytes = class_bytes(c), power = CLASS_GRAIN;
		cr_assert_eq(class_of(bytes), c);
		cr_assert(c == 1 || bytes > class_bytes(c - 1));
		cr_assert_eq(bytes % CLASS_GRAIN, 0);
		while (power * 2 <= bytes / 8)
			power *= 2;
		if (bytes > CLASS_FINE_MAX)
			cr_assert_eq(bytes % power, 0, "class %u", c);
	}
}

/* What heap_alloc_aligned() looks for: it is there, and the class of the size rounded up. */
Test(classes, every_alignment_up_to_a_page_finds_a_class)
{
	for (size_t alignment = 2 * CLASS_GRAIN; alignment <= CLASS_PAGE; alignment *= 2)
		for (size_t size = 1; size <= CLASS_MAX; size++) {
			unsigned c = class_of(size);
			while (c < CLASS_POOLED && class_bytes(c) % alignment)
				c++;
			size_t rounded = (size + alignment - 1) & -alignment;
			cr_assert_eq(c, class_of(rounded), "%zu at %zu", size, alignment);
		}
}

Test(classes, pools_hold_at_least_eight_blocks)
{
	for (unsigned c = 0; c < CLASS_POOLED; c++) {
		size_t units = class_units(c), bytes = class_bytes(c);
		size_t capacity = class_capacity(c);
		cr_assert_geq(capacity, 8);
		cr_assert_leq(capacity, UINT16_MAX, "pm_pool.capacity");
		cr_assert_leq(units * PM_UNIT_BYTES - capacity * bytes, units * PM_UNIT_BYTES / 8);
	}
}

Test(classes, the_table_says_the_same)
{
	struct pm_class classes[CLASS_COUNT];
	class_describe(classes);
	for (size_t size = 0; size <= CLASS_MAX; size++) {
		unsigned c = 0;
		while (classes[c].request_max < size)
			c++;
		cr_assert_eq(c, class_of(size), "size %zu", size);
		cr_assert_eq(classes[c].kind, PM_CLASS_POOL);
		cr_assert_eq(classes[c].block_bytes, class_bytes(c));
		cr_assert_eq(classes[c].pool_bytes, class_units(c) * PM_UNIT_BYTES);
	}
	cr_assert_eq(classes[CLASS_LARGE].kind, PM_CLASS_LARGE);
	cr_assert_eq(classes[CLASS_LARGE_BYTES].kind, PM_CLASS_LARGE_BYTES);
}

/* --- pool_place --------------------------------------------------------------------------------- */

static struct pool pool_of(unsigned size_class)
{
	struct pool pool = {.start = (char *)(uintptr_t)0x80000000000, .units = 1};
	pool.units = (uint16_t)class_units(size_class);
	pool_init(&pool, size_class, NULL, NULL);
	return pool;
}

static void place_is(const struct pool *pool, uint64_t offset)
{
	struct place place = pool_place(pool, pool->start + offset);
	cr_assert_eq(place.index, offset / pool->block_bytes, "class %u, offset %lu",
		     pool->size_class, offset);
	cr_assert_eq(place.exact, offset % pool->block_bytes == 0, "class %u, offset %lu",
		     pool->size_class, offset);
}

Test(place, every_offset_of_every_class)
{
	for (unsigned c = 0; c < CLASS_POOLED; c++) {
		struct pool pool = pool_of(c);
		for (uint64_t offset = 0; offset < 2 * pool.units * (uint64_t)PM_UNIT_BYTES;
		     offset++)
			place_is(&pool, offset);
	}
}

Test(place, far_above)
{
	uint32_t random = 1;
	for (unsigned c = 0; c < CLASS_POOLED; c++) {
		struct pool pool = pool_of(c);
		for (unsigned bits = 18; bits < 47; bits++)
			for (int near = -70; near <= 70; near++)
				place_is(&pool, (UINT64_C(1) << bits) + (uint64_t)near);
		for (unsigned i = 0; i < 20000; i++)
			place_is(&pool,
				 ((uint64_t)host_random(&random) << 15) ^ host_random(&random));
	}
}

static void is_outside(const struct pool *pool, uint64_t below)
{
	struct place place = pool_place(pool, pool->start - below);
	cr_assert(!place.exact || place.index >= pool->capacity, "class %u, %lu below",
		  pool->size_class, below);
	cr_assert_geq(place.index, pool->capacity, "class %u, %lu below", pool->size_class, below);
}

Test(place, below_is_never_inside)
{
	uint32_t random = 1;
	for (unsigned c = 0; c < CLASS_POOLED; c++) {
		struct pool pool = pool_of(c);
		for (uint64_t below = 1; below <= 2 * PM_UNIT_BYTES; below++)
			is_outside(&pool, below);
		for (unsigned i = 0; i < 20000; i++)
			is_outside(&pool, ((uint64_t)host_random(&random) << 11) + 1);
	}
}
