/* SPDX-License-Identifier: MIT */
/*
 * sample.h: which blocks are recorded.
 *
 * A block of `unit` bytes is with probability 1 - exp(-unit / period), as if points lay on the bytes handed out, one
 * in `period` on the average and none knowing of another, and a block were recorded that holds one.  So the number of
 * blocks up to the next one that is has a geometric distribution, and may be drawn anew at any time.
 */
#ifndef STACK_SAMPLE_H
#define STACK_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* The next of a sequence of random numbers; `state` may be any number at first. */
static inline uint64_t sample_random(uint64_t *state)
{
	uint64_t mixed = (*state += UINT64_C(0x9e3779b97f4a7c15));
	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

/* Of an exponential distribution with mean 1: -ln(u), u above 0 and up to 1. */
double sample_exponential(uint64_t *state);

/* Blocks up to the next one that is recorded, itself counted: 1 or more. */
uint64_t sample_gap(uint64_t *state, size_t unit, uint64_t period);

#pragma GCC visibility pop

#endif
