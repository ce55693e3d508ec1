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
 *
 * `poolmem replay --what-if` tries others: PM_CLASS_GRAIN and PM_CLASS_LOG2 are set for libraries of its own alone.
 */
#ifndef HEAP_CLASS_H
#define HEAP_CLASS_H

#include <poolmem/format.h>
#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

#ifndef PM_CLASS_GRAIN
#define PM_CLASS_GRAIN 16
#endif
#ifndef PM_CLASS_LOG2 /* classes to a doubling, as a power of two */
#define PM_CLASS_LOG2 3
#endif

enum {
	CLASS_GRAIN = PM_CLASS_GRAIN,
	CLASS_PAGE = 4096,                               /* pools are threaded a page at a time */
	CLASS_FINE_MAX = 1024,                           /* classes every 16 bytes up to here */
	CLASS_MAX = 32768,                               /* largest block cut from a pool */
	CLASS_FINE = CLASS_FINE_MAX / CLASS_GRAIN,       /* the class of CLASS_FINE_MAX */
	CLASS_STEPS = 1 << PM_CLASS_LOG2,                /* to a doubling */
	CLASS_POOLED = CLASS_FINE + 1 + 5 * CLASS_STEPS, /* classes 0 .. 104 are cut from pools */
	CLASS_LARGE = CLASS_POOLED,
	CLASS_LARGE_BYTES,
	CLASS_COUNT,
	CLASS_POOL_BYTES_MAX = 262144
};

_Static_assert((CLASS_FINE_MAX << 5) == CLASS_MAX, "doublings");

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
	return CLASS_FINE + 1 + (doubling - 10) * CLASS_STEPS +
	       (unsigned)((last >> (doubling - PM_CLASS_LOG2)) & (CLASS_STEPS - 1));
}

/* Usable bytes of a block of the class. */
static inline size_t class_bytes(unsigned size_class)
{
	if (size_class <= CLASS_FINE)
		return size_class ? (size_t)size_class * CLASS_GRAIN : CLASS_GRAIN;
	unsigned step = size_class - CLASS_FINE - 1, doubling = step / CLASS_STEPS;
	return ((size_t)CLASS_FINE_MAX << doubling) +
	       ((size_t)(step % CLASS_STEPS + 1) * (CLASS_FINE_MAX / CLASS_STEPS) << doubling);
}

/* Bytes of one of what the class counts; 0: of large blocks, whose bytes CLASS_LARGE_BYTES counts. */
static inline size_t class_unit(unsigned size_class)
{
	if (size_class < CLASS_POOLED)
		return class_bytes(size_class);
	return size_class == CLASS_LARGE_BYTES;
}

/* A set of classes, a bit each. */
enum { CLASS_SET_WORDS = CLASS_COUNT > 128 ? 3 : 2 };

struct class_set {
	uint64_t bits[CLASS_SET_WORDS];
};

_Static_assert(CLASS_COUNT <= 8 * sizeof(struct class_set), "a bit each");

static inline bool class_is_in(const struct class_set *set, unsigned size_class)
{
	return set->bits[size_class / 64] >> size_class % 64 & 1;
}

static inline void class_put(struct class_set *set, unsigned size_class, bool is_in)
{
	uint64_t *bits = &set->bits[size_class / 64], bit = UINT64_C(1) << size_class % 64;
	*bits = is_in ? *bits | bit : *bits & ~bit;
}

static inline void class_join(struct class_set *set, const struct class_set *more)
{
	for (unsigned word = 0; word < CLASS_SET_WORDS; word++)
		set->bits[word] |= more->bits[word];
}

/* for each size_class, an unsigned, in it; a word of the set is read when the loop comes to it. */
#define CLASS_EACH(size_class, set)                                                                 \
	for (unsigned word_ = 0; word_ < CLASS_SET_WORDS; word_++)                                  \
		for (uint64_t bits_ = (set)->bits[word_];                                           \
		     bits_ && ((size_class) = word_ * 64 + (unsigned)__builtin_ctzll(bits_), true); \
		     bits_ &= bits_ - 1)

/* Units of a pool of the class: at least eight blocks.  A unit is 64 KiB, but where another is tried. */
static inline unsigned class_units(unsigned size_class)
{
	unsigned units = 1;
	if (PM_UNIT_BYTES >= 65536)
		return class_bytes(size_class) <= PM_UNIT_BYTES / 8
			       ? 1
			       : CLASS_POOL_BYTES_MAX / PM_UNIT_BYTES;
	while (class_bytes(size_class) > units * (size_t)PM_UNIT_BYTES / 8)
		units *= 2;
	return units;
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
