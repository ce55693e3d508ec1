/* SPDX-License-Identifier: MIT */
/*
 * A program that collects by itself, thousands of times.
 *
 *     collects young     generation 0 alone, through more epochs than stamps last; then its blocks die
 *     collects length    the clock goes on at the pace that it had
 */
#include <poolmem/poolmem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 1000, MANY = 100000, COLLECTS = 70000 };

static bool failed;

static void expect(bool condition, const char *what, uint64_t value)
{
	if (condition)
		return;
	printf("%s: %lld\n", what, (long long)value);
	failed = true;
}

static void check(struct poolmem_stats stats[3])
{
	poolmem_get_stats(stats);
	for (unsigned g = 0; g < 3; g++) {
		expect(stats[g].live <= stats[g].entered, "live", stats[g].live);
		expect(stats[g].died <= stats[g].entered, "died", stats[g].died);
		expect(stats[g].entered ==
			       stats[g].survived + stats[g].died + stats[g].live + stats[g].frozen,
		       "entered", stats[g].entered);
	}
}

static void collect_young(unsigned rounds)
{
	static void *block[BLOCKS];
	struct poolmem_stats before[3], after[3];
	for (unsigned i = 0; i < BLOCKS; i++)
		block[i] = malloc(100);
	for (unsigned i = 0; i < rounds; i++)
		poolmem_collect(0);
	check(before);
	for (unsigned i = 0; i < BLOCKS; i++)
		free(block[i]);
	check(after);
	uint64_t died = after[1].died + after[2].died - before[1].died - before[2].died;
	expect(died == BLOCKS, "died as old ones", died);
	expect(!after[1].live && !after[2].live, "live when all are freed", after[1].live);
}

/* A growing program has as many sweeps after it asked for many as before. */
static void keep_pace(void)
{
	struct poolmem_stats before[3], after[3];
	poolmem_set_threshold(1000, 10, 10);
	for (unsigned i = 0; i < COLLECTS; i++)
		poolmem_collect(0);
	check(before);
	for (unsigned i = 0; i < MANY; i++) {
		void *volatile block = malloc(100);
		(void)block;
	}
	check(after);
	uint64_t sweeps = 0;
	for (unsigned g = 0; g < 3; g++)
		sweeps += after[g].sweeps - before[g].sweeps;
	expect(sweeps >= 80 && sweeps <= 100, "sweeps", sweeps);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "length")) {
		keep_pace();
		return failed;
	}
	poolmem_disable();
	for (unsigned rounds = 90; rounds < 1000; rounds += 7)
		collect_young(rounds);
	return failed;
}
