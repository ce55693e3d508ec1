/* SPDX-License-Identifier: MIT */
/*
 * drift.c MEGABYTES CYCLES|SECONDSs: keeps about so many megabytes live while the sizes of its blocks drift through all
 * there are, again and again.  In each phase four times as much comes and goes, at random, so that a few blocks of all
 * earlier sizes stay among those of the new ones.
 *
 * Prints a line per cycle, `cycle N: K KiB resident at most`, and at last what is resident when all is freed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TURNOVER = 4, BLOCKS_MAX = 1 << 22, LOOK_EVERY = 1 << 22, PAGE = 4096 };

struct phase {
	size_t least, most;
};
static const struct phase phases[] = {
	{16, 128},        {64, 1024},          {1000, 8000}, {4000, 64000},
	{64000, 2000000}, {1000000, 12000000}, {16, 2000},
};

struct block {
	unsigned char *bytes;
	size_t size;
};

static struct block *blocks;
static size_t count, live, peak_kib;
static uint64_t state = 1;

static uint64_t next_random(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 33;
}

static size_t resident_kib(void)
{
	unsigned long pages = 0;
	char text[64] = {0};
	FILE *file = fopen("/proc/self/statm", "r");
	if (file && fgets(text, sizeof text, file))
		sscanf(text, "%*u %lu", &pages);
	if (file)
		fclose(file);
	return pages * (PAGE / 1024);
}

static void look(void)
{
	size_t kib = resident_kib();
	if (kib > peak_kib)
		peak_kib = kib;
}

static void drop(size_t index)
{
	struct block *block = &blocks[index];
	if (block->bytes[0] != (unsigned char)block->size ||
	    block->bytes[block->size - 1] != (unsigned char)block->size)
		abort();
	live -= block->size;
	free(block->bytes);
	*block = blocks[--count];
}

static void add(struct phase phase)
{
	size_t size = phase.least + next_random() % (phase.most - phase.least);
	unsigned char *bytes = malloc(size);
	if (!bytes)
		abort();
	for (size_t at = 0; at < size; at += PAGE)
		bytes[at] = 1;
	bytes[0] = bytes[size - 1] = (unsigned char)size;
	blocks[count++] = (struct block){bytes, size};
	live += size;
}

static void run_phase(struct phase phase, size_t target)
{
	size_t done = 0, looked = 0;
	while (done < TURNOVER * target) {
		while (count && (live > target || count == BLOCKS_MAX))
			drop(next_random() % count);
		add(phase);
		done += blocks[count - 1].size;
		if (done - looked >= LOOK_EVERY) {
			looked = done;
			look();
		}
	}
}

static void cycle(unsigned number, size_t target)
{
	peak_kib = 0;
	for (size_t i = 0; i < sizeof phases / sizeof *phases; i++)
		run_phase(phases[i], target);
	printf("cycle %u: %zu KiB resident at most\n", number, peak_kib);
	fflush(stdout);
}

/* A program that goes on, if only a little. */
static void rest(void)
{
	struct timespec tenth = {0, 100000000};
	for (unsigned i = 0; i < 20; i++) {
		for (unsigned j = 0; j < 2000; j++) {
			void *volatile block = malloc(100);
			free(block);
		}
		nanosleep(&tenth, NULL);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	size_t target = strtoull(argv[1], NULL, 10) << 20;
	unsigned long wanted = strtoul(argv[2], NULL, 10);
	int by_time = argv[2][strlen(argv[2]) - 1] == 's';
	time_t begin = time(NULL);
	blocks = calloc(BLOCKS_MAX, sizeof *blocks);
	for (unsigned i = 1; by_time ? (unsigned long)(time(NULL) - begin) < wanted : i <= wanted;
	     i++)
		cycle(i, target);
	while (count)
		drop(count - 1);
	free(blocks);
	rest();
	printf("freed: %zu KiB resident\n", resident_kib());
	return 0;
}
