/* SPDX-License-Identifier: MIT */
/*
 * python_gc.h: which generation each sweep takes, as gc_collect_generations() and gc_collect_main() of CPython 3.11 choose
 * it, without the rule that leaves out full collections of a heap that has grown by less than a quarter.
 */
#ifndef TESTS_PYTHON_GC_H
#define TESTS_PYTHON_GC_H

#include <stdint.h>

struct python_gc {
	uint32_t threshold[3], count[3]; /* count[0] is the clock's: here it is always exceeded */
	uint64_t epoch, sweeps[3];
};

/* Returns the generation that is swept. */
static inline unsigned python_gc_sweep(struct python_gc *gc)
{
	unsigned generation = 2;
	while (generation && gc->count[generation] <= gc->threshold[generation])
		generation--;
	if (generation < 2)
		gc->count[generation + 1]++;
	for (unsigned g = 0; g <= generation; g++)
		gc->count[g] = 0;
	gc->sweeps[generation]++;
	gc->epoch++;
	return generation;
}

/* After that many epochs from the start of the process. */
static inline struct python_gc python_gc_at(const uint32_t threshold[3], uint64_t epoch)
{
	struct python_gc gc = {.threshold = {threshold[0], threshold[1], threshold[2]}};
	while (gc.epoch < epoch)
		python_gc_sweep(&gc);
	return gc;
}

#endif
