/* SPDX-License-Identifier: MIT */
/* saturate.h: sums and products that stop at the largest number: files may hold any count. */
#ifndef POOLMEM_MODEL_SATURATE_H
#define POOLMEM_MODEL_SATURATE_H

#include <stdint.h>

/* Not UINT64_MAX: each figure must fit a signed JSON integer. */
#define FIGURE_MAX ((uint64_t)INT64_MAX)

static inline uint64_t sum(uint64_t a, uint64_t b)
{
	uint64_t result;
	return __builtin_add_overflow(a, b, &result) || result > FIGURE_MAX ? FIGURE_MAX : result;
}

static inline uint64_t product(uint64_t a, uint64_t b)
{
	uint64_t result;
	return __builtin_mul_overflow(a, b, &result) || result > FIGURE_MAX ? FIGURE_MAX : result;
}

/* The same of what may be below 0. */
static inline int64_t balance(int64_t a, int64_t b)
{
	int64_t result;
	if (!__builtin_add_overflow(a, b, &result))
		return result < -INT64_MAX ? -INT64_MAX : result;
	return a < 0 ? -INT64_MAX : INT64_MAX;
}

static inline int64_t scaled(int64_t a, uint64_t b)
{
	uint64_t size = product(a < 0 ? 0 - (uint64_t)a : (uint64_t)a, b);
	return a < 0 ? -(int64_t)size : (int64_t)size;
}

/* What is below 0 is none. */
static inline uint64_t at_least_none(int64_t figure)
{
	return figure < 0 ? 0 : (uint64_t)figure;
}

static inline uint64_t excess(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

#endif
