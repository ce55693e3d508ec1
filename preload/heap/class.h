/* SPDX-License-Identifier: MIT */
/*
 * class.h: size classes, pure arithmetic.
 *
 * Every 16 bytes up to 1 KiB, eight to a doubling above, up to 32 KiB; larger blocks have a run of pages
 * of their own.  Class 0 is malloc(0), kept apart because it tells something.  Above 1 KiB each class
 * size is a multiple of the largest power of two not above an eighth of it, and below every multiple of
 * 16 is one.  So a block aligned to up to a page comes from the class of its size rounded up to the
 * alignment: that is a class size itself, or all classes there are multiples of the alignment.
 *
 * Eight, as sizes a little above a power of two are common: to the pages of a data base with a header in
 * front (4,368 bytes) four to a doubling would add a sixth.
 */
#ifndef HEAP_CLASS_H
#define HEAP_CLASS_H

#include <poolmem/format.h>
#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

enum {
	CLASS_GRAIN = 16,
	CLASS_PAGE = 4096,     /* pools are threaded a page at a time */
	CLASS_FINE_MAX = 1024, /* classes every 16 bytes up to here */
	CLASS_MAX = 32768,     /* largest block cut from a pool */
	CLASS_POOLED = 105,    /* classes 0 .. 104 are cut from pools */
	CLASS_LARGE = 105,
	CLASS_LARGE_BYTES = 106,
	CLASS_COUNT = 107
};

static inline unsigned class_of_fine(size_t size)
{
	return (unsigned)((size + CLASS_GRAIN - 1) / CLASS_GRAIN);
}

/* Class of a request of up to CLASS_MAX bytes. */
static inline unsigned class_of(size_t size)
{
	if (size <= CLASS_FINE_MAX)
		return class_of_fine(size);
	size_t last = size - 1;
	unsigned doubling = 63 - (unsigned)__builtin_clzl(last);
	return 65 + (doubling - 10) * 8 + (unsigned)((last >> (doubling - 3)) & 7);
}

/* Usable bytes of a block of the class. */
static inline size_t class_bytes(unsigned size_class)
{
	if (size_class <= 64)
		return size_class ? (size_t)size_class * CLASS_GRAIN : CLASS_GRAIN;
	unsigned step = size_class - 65;
	return ((size_t)1024 << (step / 8)) + ((size_t)(step % 8 + 1) * 128 << (step / 8));
}

/* Bytes of one of what the class counts; 0: of large blocks, whose bytes CLASS_LARGE_BYTES counts. */
static inline size_t class_unit(unsigned size_class)
{
	if (size_class < CLASS_POOLED)
		return class_bytes(size_class);
	return size_class == CLASS_LARGE_BYTES;
}

/* A set of pooled classes, a bit each. */
struct class_set {
	uint64_t bits[2];
};

_Static_assert(CLASS_POOLED <= 8 * sizeof(struct class_set), "a bit each");

static inline bool class_is_in(const struct class_set *set, unsigned size_class)
{
	return set->bits[size_class / 64] >> size_class % 64 & 1;
}

static inline void class_put(struct class_set *set, unsigned size_class, bool is_in)
{
	uint64_t *bits = &set->bits[size_class / 64], bit = UINT64_C(1) << size_class % 64;
	*bits = is_in ? *bits | bit : *bits & ~bit;
}

/* Takes the first one out; -1: there is none. */
static inline int class_take(struct class_set *set)
{
	unsigned half = !set->bits[0];
	uint64_t bits = set->bits[half];
	set->bits[half] = bits & (bits - 1);
	return bits ? (int)(half * 64) + __builtin_ctzll(bits) : -1;
}

/* Units of a pool of the class: at least eight blocks. */
static inline unsigned class_units(unsigned size_class)
{
	return class_bytes(size_class) <= PM_UNIT_BYTES / 8 ? 1 : 4;
}

/* Blocks of a pool of the class. */
static inline size_t class_capacity(unsigned size_class)
{
	return class_units(size_class) * (size_t)PM_UNIT_BYTES / class_bytes(size_class);
}

/* Classes as data, for the segment. */
void class_describe(struct pm_class classes[CLASS_COUNT]);

#pragma GCC visibility pop

#endif
