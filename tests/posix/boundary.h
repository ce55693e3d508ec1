/* SPDX-License-Identifier: MIT */
/*
 * boundary.h: the sizes, factors and alignments that boundary.c hands to each entry point.
 *
 * Left out is what the memory of the machine decides, not the allocator.
 */
#ifndef POOLMEM_TESTS_POSIX_BOUNDARY_H
#define POOLMEM_TESTS_POSIX_BOUNDARY_H

#include <stdint.h>
#include <stdlib.h>

enum { ALIGN_MIN = 16 };

/* Between these the answer depends on the memory of the machine. */
static const size_t served_max = (size_t)1 << 30;
static const size_t refused_min = (size_t)1 << 47;

/* True when the request lies where the memory of the machine decides. */
static int machine_decides(size_t bytes)
{
	return bytes > served_max && bytes < refused_min - 1;
}

struct list {
	size_t v[512];
	unsigned count;
};

static void add(struct list *l, size_t v)
{
	if (machine_decides(v))
		return;
	for (unsigned i = 0; i < l->count; i++)
		if (l->v[i] == v)
			return;
	l->v[l->count++] = v;
}

static void add_near(struct list *l, size_t v)
{
	add(l, v - 1);
	add(l, v);
	add(l, v + 1);
}

static void fill_sizes(struct list *l)
{
	static const size_t inner[] = {
		12,     24,     40,     48,     56,      72,      80,      88,       100,
		104,    120,    136,    1000,   1008,    1016,    1032,    1040,     1048,
		1056,   1152,   1280,   1536,   1792,    2560,    3072,    4368,     4608,
		12288,  20480,  30720,  30721,  65520,   65552,   98304,   131048,   131056,
		131064, 131088, 135168, 196608, 1048560, 2097136, 3145728, 33554408, 67108848};
	static const size_t below_top[] = {0,  1,  2,  3,  7,    8,    15,   16,    17,   31,
					   32, 33, 63, 64, 4094, 4095, 4096, 65535, 65536};

	add(l, 0);
	for (unsigned k = 1; k <= 30; k++)
		add_near(l, (size_t)1 << k);
	for (unsigned i = 0; i < sizeof inner / sizeof *inner; i++)
		add(l, inner[i]);
	for (unsigned k = 47; k < 64; k++)
		add_near(l, (size_t)1 << k);
	for (unsigned i = 0; i < sizeof below_top / sizeof *below_top; i++) {
		add(l, SIZE_MAX - below_top[i]);
		add(l, (size_t)PTRDIFF_MAX - below_top[i]);
		add(l, (size_t)PTRDIFF_MAX + below_top[i]);
	}
}

/* For functions of two arguments: fewer values, all pairs of them. */
static void fill_factors(struct list *l)
{
	static const size_t v[] = {0,
				   1,
				   2,
				   3,
				   7,
				   8,
				   15,
				   16,
				   17,
				   31,
				   33,
				   64,
				   100,
				   255,
				   256,
				   1000,
				   1023,
				   1024,
				   1025,
				   4095,
				   4096,
				   4097,
				   65535,
				   65536,
				   65537,
				   131072,
				   1048576,
				   16777216,
				   2147483647,
				   2147483648,
				   4294967295,
				   4294967296,
				   4294967297,
				   (size_t)1 << 47,
				   (size_t)1 << 61,
				   ((size_t)1 << 61) + 1,
				   (size_t)1 << 62,
				   (size_t)PTRDIFF_MAX,
				   (size_t)PTRDIFF_MAX + 1,
				   SIZE_MAX / 3,
				   SIZE_MAX / 2,
				   SIZE_MAX - 16,
				   SIZE_MAX - 1,
				   SIZE_MAX};
	for (unsigned i = 0; i < sizeof v / sizeof *v; i++)
		l->v[l->count++] = v[i];
}

static void fill_alignments(struct list *l)
{
	static const size_t v[] = {0,
				   1,
				   2,
				   3,
				   4,
				   5,
				   6,
				   7,
				   8,
				   9,
				   12,
				   15,
				   16,
				   17,
				   20,
				   24,
				   31,
				   32,
				   33,
				   40,
				   48,
				   56,
				   63,
				   64,
				   65,
				   96,
				   100,
				   127,
				   128,
				   129,
				   192,
				   255,
				   256,
				   384,
				   512,
				   1000,
				   1024,
				   2048,
				   4095,
				   4096,
				   4097,
				   6000,
				   8192,
				   16384,
				   32768,
				   65536,
				   65537,
				   131072,
				   1048576,
				   1048577,
				   2097152,
				   4194304,
				   16777216,
				   1073741824,
				   (size_t)1 << 47,
				   ((size_t)1 << 47) + 1,
				   (size_t)1 << 61,
				   (size_t)1 << 62,
				   ((size_t)1 << 62) + 1,
				   ((size_t)1 << 63) - 1,
				   (size_t)1 << 63,
				   ((size_t)1 << 63) + 1,
				   ((size_t)1 << 63) + 8,
				   SIZE_MAX - 4095,
				   SIZE_MAX - 7,
				   SIZE_MAX - 1,
				   SIZE_MAX};
	for (unsigned i = 0; i < sizeof v / sizeof *v; i++)
		l->v[l->count++] = v[i];
}

static size_t power_above(size_t alignment)
{
	size_t a = ALIGN_MIN;
	while (a < alignment && a <= SIZE_MAX / 4)
		a <<= 1;
	return a < alignment ? (size_t)1 << 63 : a;
}

/* Sizes of the aligned family: fewer when the alignment is large and each case maps much memory. */
static void fill_aligned_sizes(struct list *l, size_t alignment)
{
	fill_sizes(l);
	unsigned kept = 0;
	for (unsigned i = 0; i < l->count; i++) {
		size_t sum;
		int overflow = __builtin_add_overflow(power_above(alignment), l->v[i], &sum);
		if (overflow || !machine_decides(sum) ||
		    (alignment == served_max && l->v[i] < 1 << 20))
			l->v[kept++] = l->v[i];
	}
	l->count = kept;
}

#endif
