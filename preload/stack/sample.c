/* SPDX-License-Identifier: MIT */
/* sample.c: see sample.h.  No libm: the library needs libc alone. */
#include "stack/sample.h"

enum { TERMS = 17 };

static const double LN_2 = 0x1.62e42fefa39efp-1;

/* ln((1+z)/(1-z)) = 2 (z + z^3/3 + z^5/5 + ...), and z is at most a third. */
static double log_of_mantissa(double mantissa)
{
	double z = (mantissa - 1) / (mantissa + 1), power = z, sum = 0;
	for (unsigned term = 1; term <= 2 * TERMS; term += 2) {
		sum += power / term;
		power *= z * z;
	}
	return 2 * sum;
}

/* u = (whole + 1) / 2^53 = mantissa * 2^(exponent - 53) */
double sample_exponential(uint64_t *state)
{
	uint64_t whole = (sample_random(state) >> 11) + 1;
	int exponent = 63 - __builtin_clzl(whole);
	double mantissa = (double)whole / (double)(UINT64_C(1) << exponent);
	return (53 - exponent) * LN_2 - log_of_mantissa(mantissa);
}

uint64_t sample_gap(uint64_t *state, size_t unit, uint64_t period)
{
	if (period <= 1)
		return 1;
	double gap = sample_exponential(state) * (double)period / (double)unit;
	return gap < 0x1p62 ? (uint64_t)gap + 1 : UINT64_C(1) << 62;
}
