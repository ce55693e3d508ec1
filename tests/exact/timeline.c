/* SPDX-License-Identifier: MIT */
/*
 * Allocates and frees small blocks, and writes down what lives after each allocation: the timeline must say the same.
 *
 *   timeline SEGMENTS LOG STEPS small|mixed|fork|threads
 *   timeline SEGMENTS LOG STEPS early|large|drop          writes nothing down: see each
 *
 * LOG: 64-bit words: allocations and live bytes at the start, allocations written down; and of each, live bytes after it
 * and after the two frees that may come before the next.  It is a shared mapping, so that it is there after a kill.  A
 * forked child writes LOG.child.
 */
#include "exact/own_segment.h"

#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>

enum { BLOCKS = 20000, THREADS = 4, WAVE = 50000 };

struct log {
	uint64_t allocations_before, live_before, count;
	struct {
		uint64_t after, after_free, after_both;
	} live[];
};

static struct log *written;
static unsigned seed = 1;

static unsigned draw(unsigned below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static struct log *open_log(const char *path, unsigned long steps)
{
	size_t bytes = sizeof(struct log) + steps * sizeof written->live[0];
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (file < 0 || ftruncate(file, (off_t)bytes)) {
		perror(path);
		exit(2);
	}
	void *log = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	return log;
}

/* What the library has counted so far, by the segment; a forked child's inherited bytes are live, too. */
static void note_start(const char *segments)
{
	const struct pm_header *header = own_segment(segments);
	const struct pm_slot *slot = own_slot(header);
	const struct pm_class *classes = (const void *)((const char *)header +
							header->classes.offset);
	uint64_t allocations = 0, live = slot->process.inherited_bytes;
	for (uint32_t c = 0; c < header->classes.count; c++) {
		const struct pm_tally *tally = &slot->tally[c];
		uint64_t allocated = (uint64_t)(tally->limit[tally->left & 1] - (tally->left >> 8));
		uint64_t freed = 0;
		for (unsigned age = 0; age < PM_AGE_COUNT; age++)
			freed += pm_tally_freed(tally, age);
		allocations += classes[c].kind == PM_CLASS_LARGE_BYTES ? 0 : allocated;
		live += classes[c].kind == PM_CLASS_POOL
				? (allocated - freed) * classes[c].block_bytes
			: classes[c].kind == PM_CLASS_LARGE_BYTES ? allocated - freed
								  : 0;
	}
	written->allocations_before = allocations;
	written->live_before = live;
}

static void *blocks[BLOCKS];

/* Fills and empties in waves, so that there are many peaks. */
static bool is_rising(unsigned long step)
{
	return step % WAVE < WAVE * 2 / 3;
}

static size_t size_of(unsigned long step, bool mixed)
{
	return mixed && step % 500 == 0 ? 100000 + draw(900000) : 1 + draw(700);
}

static uint64_t release(unsigned index)
{
	void *block = blocks[index];
	uint64_t bytes = block ? malloc_usable_size(block) : 0;
	blocks[index] = NULL;
	free(block);
	return bytes;
}

static void churn(unsigned long steps, bool mixed, uint64_t live)
{
	unsigned place = draw(BLOCKS);
	for (unsigned long step = 0; step < steps; step++) {
		blocks[place] = malloc(size_of(step, mixed));
		live += malloc_usable_size(blocks[place]);
		written->live[step].after = live;
		unsigned other = draw(BLOCKS), next = draw(BLOCKS);
		uint64_t falling = is_rising(step) ? 0 : malloc_usable_size(blocks[other]);
		written->live[step].after_free = live - falling;
		uint64_t last = falling && next == other ? 0 : malloc_usable_size(blocks[next]);
		written->live[step].after_both = live - falling - last;
		__atomic_store_n(&written->count, step + 1, __ATOMIC_RELEASE);
		if (falling)
			live -= release(other);
		live -= release(next);
		place = next;
	}
}

static void work(const char *segments, const char *path, unsigned long steps, bool mixed)
{
	written = open_log(path, steps);
	free(malloc(100000)); /* a slow call: a forked child takes its area */
	note_start(segments);
	churn(steps, mixed, written->live_before);
}

/* --- threads that come to their peaks at different times --------------------------------------------- */

static void *rise_and_fall(void *steps)
{
	enum { HELD = 2000 };
	void *held[HELD] = {NULL};
	for (unsigned long step = 0; step < *(unsigned long *)steps; step++) {
		void **place = &held[step % HELD];
		free(*place);
		*place = step / HELD % 3 ? malloc(step % 900 + 1) : NULL;
		if (step % 400 == 0)
			free(malloc(200000));
	}
	for (unsigned i = 0; i < HELD; i++)
		free(held[i]);
	return NULL;
}

static void run_threads(unsigned long steps)
{
	pthread_t threads[THREADS];
	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, rise_and_fall, &steps);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* --- moments that no slow call of a size class falls on ----------------------------------------------- */

static void pass(void *block)
{
	__asm__ volatile("" : : "r"(block) : "memory");
	free(block);
}

static void pair(unsigned long steps)
{
	for (unsigned long step = 0; step < steps; step++)
		pass(malloc(step % 40 + 1));
}

/* Most lives before there is a timeline. */
static void peak_early(unsigned long steps)
{
	pass(malloc(900000));
	pair(steps);
}

/* Most lives for a moment, in one block. */
static void peak_large(unsigned long steps)
{
	pair(steps);
	pass(malloc(3000000));
	pair(steps);
}

/* All is given back just before the end: few blocks, so that no moment is due for the time that it took. */
static void drop(unsigned long steps)
{
	enum { FEW = BLOCKS / 10 };
	for (unsigned i = 0; i < FEW; i++)
		blocks[i] = malloc(4000);
	pair(steps);
	for (unsigned i = 0; i < FEW; i++)
		pass(blocks[i]);
}

static bool run_moment(const char *scene, unsigned long steps)
{
	static const struct {
		const char *name;
		void (*run)(unsigned long steps);
	} scenes[] = {{"early", peak_early}, {"large", peak_large}, {"drop", drop}};
	for (unsigned i = 0; i < sizeof scenes / sizeof *scenes; i++) {
		if (strcmp(scene, scenes[i].name) != 0)
			continue;
		scenes[i].run(steps);
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	unsigned long steps = strtoul(argv[3], NULL, 10);
	if (run_moment(argv[4], steps))
		return 0;
	char child_log[4096];
	snprintf(child_log, sizeof child_log, "%s.child", argv[2]);
	if (!strcmp(argv[4], "threads")) {
		run_threads(steps);
		return 0;
	}
	work(argv[1], argv[2], steps, !strcmp(argv[4], "mixed"));
	if (strcmp(argv[4], "fork") != 0)
		return 0;
	pid_t child = fork();
	if (!child) {
		work(argv[1], child_log, steps, false);
		return 0;
	}
	int status;
	return waitpid(child, &status, 0) != child || status;
}
