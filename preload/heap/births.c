/* SPDX-License-Identifier: MIT */
/* births.c: see births.h. */
#include "heap/births.h"

#include "sys/memory.h"

struct births_shelf *births_shelves[BIRTHS_SHELVES];

/* Maps what is to stand at a place, unless another thread was faster. */
static void *ensure(void *place_of_pointer, size_t bytes)
{
	void **place = place_of_pointer;
	void *there = __atomic_load_n(place, __ATOMIC_ACQUIRE);
	if (there)
		return there;
	void *mine = memory_map_own(MEMORY_TELEMETRY, bytes);
	if (!mine)
		return NULL;
	memory_no_huge_pages(mine, bytes);
	if (__atomic_compare_exchange_n(place, &there, mine, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return mine;
	memory_unmap_own(mine, bytes);
	return there;
}

static uint32_t stamps_of_region(bool is_small)
{
	return 1U << (BIRTHS_REGION_SHIFT - (is_small ? 3 : 4));
}

struct births *births_make(uintptr_t address, bool is_small)
{
	if (address >> BIRTHS_ADDRESS_BITS)
		return NULL;
	struct births_shelf *shelf = ensure(&births_shelves[address >> BIRTHS_SHELF_SHIFT],
					    sizeof *shelf);
	uintptr_t region = address >> BIRTHS_REGION_SHIFT & (BIRTHS_REGIONS - 1);
	return shelf ? ensure(&shelf->of[is_small][region],
			      sizeof(struct births) + stamps_of_region(is_small))
		     : NULL;
}

static void each_page(struct births *births, bool is_small,
		      void (*visit)(uint8_t *stamps, uint32_t count))
{
	for (uint32_t page = 0; page < stamps_of_region(is_small) / BIRTHS_PAGE; page++)
		if (births->touched[page])
			visit(&births->stamps[page * BIRTHS_PAGE], BIRTHS_PAGE);
}

static void each_of_shelf(struct births_shelf *shelf, void (*visit)(uint8_t *stamps, uint32_t count))
{
	for (int is_small = 0; is_small < 2; is_small++)
		for (unsigned i = 0; i < BIRTHS_REGIONS; i++) {
			struct births *births = __atomic_load_n(&shelf->of[is_small][i],
								__ATOMIC_ACQUIRE);
			if (births)
				each_page(births, is_small, visit);
		}
}

void births_each(void (*visit)(uint8_t *stamps, uint32_t count))
{
	for (unsigned i = 0; i < BIRTHS_SHELVES; i++) {
		struct births_shelf *shelf = __atomic_load_n(&births_shelves[i], __ATOMIC_ACQUIRE);
		if (shelf)
			each_of_shelf(shelf, visit);
	}
}
