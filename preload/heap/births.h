/* SPDX-License-Identifier: MIT */
/*
 * births.h: stamps of blocks of another allocator, by address: heap=next.
 *
 *   address --> 64 GiB of 2048 --> 64 MiB of 1024 --> a stamp for each 16 bytes, 4 MiB
 *
 * A block has that of its first byte.  Those of 8 usable bytes lie closer and have tables of their own, a stamp for each 8
 * bytes.  Pages of a table are touched where blocks begin: 6 % of what small blocks take.  Private memory: a forked child
 * has what its parent had.
 */
#ifndef HEAP_BIRTHS_H
#define HEAP_BIRTHS_H

#include "tally/stamps.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

enum {
	BIRTHS_REGION_SHIFT = 26,
	BIRTHS_SHELF_SHIFT = 36,
	BIRTHS_ADDRESS_BITS = 47,
	BIRTHS_SHELVES = 1 << (BIRTHS_ADDRESS_BITS - BIRTHS_SHELF_SHIFT),
	BIRTHS_REGIONS = 1 << (BIRTHS_SHELF_SHIFT - BIRTHS_REGION_SHIFT),
	BIRTHS_SMALL = 8, /* usable bytes of blocks that may begin closer than every 16 bytes */
	BIRTHS_PAGE = 4096,
	BIRTHS_PAGES_MAX = (1 << (BIRTHS_REGION_SHIFT - 3)) / BIRTHS_PAGE,
};

/* Of a region; `touched` tells which of its pages hold any. */
struct births {
	uint8_t touched[BIRTHS_PAGES_MAX];
	uint8_t stamps[];
};

struct births_shelf {
	struct births *of[2][BIRTHS_REGIONS]; /* of blocks that are not small, that are; atomic; NULL: none */
};

extern struct births_shelf *births_shelves[BIRTHS_SHELVES]; /* atomic */

/* Makes the table of an address.  NULL: no memory, or no such address. */
struct births *births_make(uintptr_t address, bool is_small);

static inline struct births *births_find(uintptr_t address, bool is_small)
{
	uintptr_t number = address >> BIRTHS_SHELF_SHIFT;
	if (__builtin_expect(number >= BIRTHS_SHELVES, 0))
		return NULL;
	struct births_shelf *shelf = __atomic_load_n(&births_shelves[number], __ATOMIC_ACQUIRE);
	uintptr_t region = address >> BIRTHS_REGION_SHIFT & (BIRTHS_REGIONS - 1);
	return __builtin_expect(!shelf, 0)
		       ? NULL
		       : __atomic_load_n(&shelf->of[is_small][region], __ATOMIC_ACQUIRE);
}

static inline uintptr_t births_index(uintptr_t address, bool is_small)
{
	return (address & (((uintptr_t)1 << BIRTHS_REGION_SHIFT) - 1)) >> (is_small ? 3 : 4);
}

/* Where its stamp is, of a block of so many usable bytes.  NULL: nowhere yet. */
static inline uint8_t *births_at(const void *block, size_t usable)
{
	uintptr_t address = (uintptr_t)block;
	bool is_small = usable <= BIRTHS_SMALL;
	struct births *births = births_find(address, is_small);
	return __builtin_expect(!births, 0) ? NULL
					    : &births->stamps[births_index(address, is_small)];
}

/* A block of so many usable bytes is born.  false: no memory, it has no stamp. */
static inline bool births_put(const void *block, size_t usable, uint8_t stamp)
{
	uintptr_t address = (uintptr_t)block;
	bool is_small = usable <= BIRTHS_SMALL;
	struct births *births = births_find(address, is_small);
	if (__builtin_expect(!births, 0) && !(births = births_make(address, is_small)))
		return false;
	uintptr_t index = births_index(address, is_small);
	__atomic_store_n(&births->stamps[index], stamp, __ATOMIC_RELEASE);
	if (__builtin_expect(!births->touched[index / BIRTHS_PAGE], 0))
		births->touched[index / BIRTHS_PAGE] = 1;
	return true;
}

/* The same where others were born on that page of stamps; false: none was, births_put() it. */
static inline bool births_put_again(const void *block, size_t usable, uint8_t stamp)
{
	uintptr_t address = (uintptr_t)block;
	bool is_small = usable <= BIRTHS_SMALL;
	struct births *births = births_find(address, is_small);
	uintptr_t index = births_index(address, is_small);
	if (__builtin_expect(!births || !births->touched[index / BIRTHS_PAGE], 0))
		return false;
	__atomic_store_n(&births->stamps[index], stamp, __ATOMIC_RELEASE);
	return true;
}

/* It dies; its stamp, or STAMP_FREE: it had none. */
static inline uint8_t births_take(const void *block, size_t usable)
{
	uint8_t *at = births_at(block, usable);
	if (__builtin_expect(!at, 0))
		return STAMP_FREE;
	uint8_t stamp = *at;
	*at = STAMP_FREE;
	return stamp;
}

/* Calls with each page of stamps that was touched, of so many. */
void births_each(void (*visit)(uint8_t *stamps, uint32_t count));

#pragma GCC visibility pop

#endif
