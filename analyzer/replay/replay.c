/* SPDX-License-Identifier: MIT */
/*
 * replay.c: poolmem-replay, which calls malloc and free as a script says, under whatever allocator it was started.
 *
 *   chunk --read--> steps of a batch, decoded --> called, memory touched --> progress of the thread, for others that wait
 *
 * It asks the allocator for nothing of its own: tables are mapped, and touched before the first step, so that what is
 * resident later and was not then is the allocator's.  What libc needs for a thread is the exception.
 */
#define _GNU_SOURCE
#include "replay/place.h"
#include "replay/resident.h"
#include "replay/script.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <malloc.h>
#include <poolmem/trace.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 512,
	SPINS = 64,
	LINE = 64,
	PLACES_MAX = 256, /* that are there before the first step; further ones when they are needed */
	NAP_NS = 20000, /* of a thread that waits for another; each is twice as long */
	NAP_NS_MAX = 10000000,
	NS_PER_MS = 1000000,
	NS_PER_S = 1000000000
};

struct step {
	uint8_t kind, log2;
	uint32_t pages;
	uint64_t slot, size; /* of SPAWN and WAIT: the thread, and the second number */
};

/* A thread's own. */
struct runner {
	struct place place; /* of thread 0 unused */
	uint32_t thread;
	uint64_t chunk;              /* offset of the one in `bytes` */
	uint64_t calls_ns, aside_ns; /* of processors; aside: of calls_ns for other threads */
	uint64_t failed;
	uint32_t at, used;
	struct step batch[BATCH];
	unsigned char bytes[SCRIPT_CHUNK_BYTES];
};

struct progress {
	uint64_t steps; /* atomic */
	char line[LINE - sizeof(uint64_t)];
};

static struct {
	int fd;
	bool touches, waits; /* for the time at which the program was so far */
	uint64_t began_ns;
	struct script_header header;
	void **slots;
	struct progress *progress;
	uint32_t running;          /* atomic: threads; a futex, woken when there are none */
	uint64_t calls_ns, failed; /* atomic: of threads that have ended */
	uint64_t steps;            /* atomic */
} replay;

/* --- reading -------------------------------------------------------------------------------------- */

static void load(struct runner *runner, uint64_t offset)
{
	struct script_chunk *chunk = (struct script_chunk *)runner->bytes;
	ssize_t got = pread(replay.fd, runner->bytes, sizeof runner->bytes, (off_t)offset);

	if (got < (ssize_t)sizeof *chunk || chunk->used > (size_t)got - sizeof *chunk)
		give_up("the script is damaged");
	runner->chunk = offset;
	runner->at = 0;
	runner->used = chunk->used;
}

static const unsigned char *steps_of(const struct runner *runner)
{
	return runner->bytes + sizeof(struct script_chunk);
}

static uint64_t take_number(struct runner *runner)
{
	const unsigned char *bytes = steps_of(runner);
	uint64_t number = 0;
	unsigned byte, shift = 0;

	do {
		if (runner->at >= runner->used)
			give_up("the script is damaged");
		byte = bytes[runner->at++];
		number |= (uint64_t)(byte & 127) << shift;
		shift += 7;
	} while (byte >= 128 && shift < 64);
	return number;
}

static void take_pages(struct runner *runner, struct step *step)
{
	if (step->size < PM_TRACE_LARGE_BYTES)
		return;
	if (runner->used - runner->at < sizeof step->pages)
		give_up("the script is damaged");
	memcpy(&step->pages, steps_of(runner) + runner->at, sizeof step->pages);
	runner->at += sizeof step->pages;
}

static struct step take_step(struct runner *runner)
{
	struct step step = {.kind = steps_of(runner)[runner->at++]};

	if (step.kind == SCRIPT_END)
		return step;
	step.slot = take_number(runner);
	if (step.kind == SCRIPT_FREE)
		return step;
	step.size = take_number(runner);
	if (step.kind == SCRIPT_ALIGNED)
		step.log2 = (uint8_t)take_number(runner);
	if (step.kind <= SCRIPT_REALLOC)
		take_pages(runner, &step);
	return step;
}

/* Returns how many; none after SCRIPT_END. */
static unsigned read_batch(struct runner *runner)
{
	unsigned count = 0;

	while (count < BATCH) {
		if (runner->at == runner->used) {
			uint64_t next = ((struct script_chunk *)runner->bytes)->next;

			if (!next)
				break;
			load(runner, next);
			continue;
		}
		runner->batch[count] = take_step(runner);
		if (runner->batch[count++].kind == SCRIPT_END)
			break;
	}
	return count;
}

/* --- doing ---------------------------------------------------------------------------------------- */

/* Whole, as a program writes what it asked for; of large blocks so many pages.  What a realloc kept is not written again. */
static void touch(void *block, const struct step *step)
{
	uint64_t stride = replay.header.page_bytes, end = step->size;
	volatile char *bytes = block;

	if (end < PM_TRACE_LARGE_BYTES && step->kind != SCRIPT_REALLOC) {
		memset(block, 1, end);
		return;
	}
	if (end >= PM_TRACE_LARGE_BYTES && step->pages * stride < end)
		end = step->pages * stride;
	for (uint64_t at = 0; at < end; at += stride)
		bytes[at] = 1;
}

static void *request(const struct step *step, void *old)
{
	void *block = NULL;

	switch (step->kind) {
	case SCRIPT_MALLOC: return malloc(step->size);
	case SCRIPT_CALLOC: return calloc(1, step->size);
	case SCRIPT_REALLOC: return realloc(old, step->size ? step->size : 1); /* 0 would free it */
	default:
		if (posix_memalign(&block, (size_t)1 << step->log2, step->size))
			return NULL;
		return block;
	}
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* As long again as it has waited, so that a thousand threads that wait leave the processors to those that do not. */
static void nap(struct timespec *length)
{
	nanosleep(length, NULL);
	if (length->tv_nsec < NAP_NS_MAX)
		length->tv_nsec *= 2;
}

/* What that takes is no time of the calls. */
static void wait_for(struct runner *runner, const struct step *step)
{
	const uint64_t *steps = &replay.progress[step->slot].steps;
	struct timespec length = {0, NAP_NS};

	if (__atomic_load_n(steps, __ATOMIC_ACQUIRE) >= step->size)
		return;
	uint64_t began_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);

	for (unsigned turn = 0; __atomic_load_n(steps, __ATOMIC_ACQUIRE) < step->size; turn++)
		if (turn < SPINS)
			sched_yield();
		else
			nap(&length);
	runner->aside_ns += now_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns;
}

/* Before the wait and after it, so that what is resident then counts for as long as it was. */
static void wait_until(uint64_t ms)
{
	uint64_t due_ns = replay.began_ns + ms * NS_PER_MS, now = now_ns(CLOCK_MONOTONIC);
	struct timespec due = {(time_t)(due_ns / NS_PER_S), (long)(due_ns % NS_PER_S)};

	if (!replay.waits || now >= due_ns)
		return;
	resident_look(now);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
	resident_look(now_ns(CLOCK_MONOTONIC));
}

static void *run(void *runner);

static struct runner *new_runner(void)
{
	struct place *place;

	while (!(place = place_take()))
		resident_add_place();
	return (struct runner *)place;
}

/* That is no time of the calls either. */
static void spawn(struct runner *parent, const struct step *step)
{
	uint64_t began_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
	struct runner *runner = new_runner();

	runner->thread = (uint32_t)step->slot;
	runner->calls_ns = runner->aside_ns = runner->failed = 0;
	load(runner, step->size);
	__atomic_add_fetch(&replay.running, 1, __ATOMIC_RELAXED);
	place_start(&runner->place, run);
	parent->aside_ns += now_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns;
}

static void serve(struct runner *runner, const struct step *step)
{
	void **slot = &replay.slots[step->slot], *old = *slot;
	void *block = request(step, old);

	if (!block) {
		runner->failed++;
		return;
	}
	*slot = block;
	if (replay.touches)
		touch(block, step);
}

static void step_do(struct runner *runner, const struct step *step)
{
	switch (step->kind) {
	case SCRIPT_FREE:
		free(replay.slots[step->slot]);
		replay.slots[step->slot] = NULL;
		return;
	case SCRIPT_SPAWN: spawn(runner, step); return;
	case SCRIPT_WAIT: wait_for(runner, step); return;
	case SCRIPT_TIME: wait_until(step->slot); return;
	case SCRIPT_END: return;
	default: serve(runner, step);
	}
}

static bool is_sound(const struct step *step)
{
	uint64_t limit = step->kind < SCRIPT_SPAWN ? replay.header.slots : replay.header.threads;

	if (step->kind == SCRIPT_END || step->kind == SCRIPT_TIME)
		return step->slot <= INT32_MAX;
	return step->kind <= SCRIPT_WAIT && step->slot < limit;
}

/* The clock runs while steps are done, not while they are read. */
static void run_batch(struct runner *runner, unsigned count, uint64_t *done)
{
	uint64_t *progress = &replay.progress[runner->thread].steps;

	for (unsigned i = 0; i < count; i++)
		if (!is_sound(&runner->batch[i]))
			give_up("the script is damaged");
	uint64_t began_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);

	for (unsigned i = 0; i < count; i++) {
		step_do(runner, &runner->batch[i]);
		__atomic_store_n(progress, ++*done, __ATOMIC_RELEASE);
	}
	runner->calls_ns += now_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns;
	resident_look(now_ns(CLOCK_MONOTONIC));
}

static void *run(void *context)
{
	struct runner *runner = context;
	uint64_t done = 0;
	unsigned count;

	while ((count = read_batch(runner)))
		run_batch(runner, count, &done);
	__atomic_add_fetch(&replay.calls_ns, less(runner->calls_ns, runner->aside_ns),
			   __ATOMIC_RELAXED);
	__atomic_add_fetch(&replay.failed, runner->failed, __ATOMIC_RELAXED);
	__atomic_add_fetch(&replay.steps, done, __ATOMIC_RELAXED);
	if (runner->thread)
		place_leave(&runner->place);
	if (!__atomic_sub_fetch(&replay.running, 1, __ATOMIC_RELEASE))
		syscall(SYS_futex, &replay.running, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return NULL;
}

static void wait_for_all(void)
{
	uint32_t running;

	while ((running = __atomic_load_n(&replay.running, __ATOMIC_ACQUIRE)))
		syscall(SYS_futex, &replay.running, FUTEX_WAIT_PRIVATE, running, NULL, NULL, 0);
}

/* --- measuring ------------------------------------------------------------------------------------ */

static uint64_t faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_minflt;
}

static void measure(struct runner *first)
{
	struct script_result result = {.steps = 0};

	resident_prepare();
	result.faults = faults();
	replay.began_ns = now_ns(CLOCK_MONOTONIC);
	resident_begin(replay.began_ns);
	run(first);
	wait_for_all();
	uint64_t ended_ns = now_ns(CLOCK_MONOTONIC);
	struct resident resident = resident_end(ended_ns);

	result.wall_ns = ended_ns - replay.began_ns;
	result.rss_mean = resident.mean;
	result.rss_end = resident.end;
	result.rss_peak = resident.peak;
	result.faults = less(faults() - result.faults, resident.own_faults);
	result.calls_ns = replay.calls_ns;
	result.steps = replay.steps;
	result.failed = replay.failed;
	if (write(SCRIPT_RESULT_FD, &result, sizeof result) != sizeof result)
		give_up("nobody takes the result");
}

static bool is_mode(const char *word)
{
	return strcmp(word, SCRIPT_MODE_PACED) == 0 || strcmp(word, SCRIPT_MODE_TOUCH) == 0 ||
	       strcmp(word, SCRIPT_MODE_SPEED) == 0;
}

/* Touched now: what grows later is of the allocator. */
static struct runner *make_tables(void)
{
	replay.slots = map_touched((replay.header.slots + 1) * sizeof(void *));
	replay.progress = map_touched(((size_t)replay.header.threads + 1) * sizeof *replay.progress);
	places_begin(sizeof(struct runner));
	for (uint32_t i = 0; i < replay.header.at_once && i < PLACES_MAX; i++)
		places_add();
	return map_touched(sizeof(struct runner));
}

int main(int argc, char **argv)
{
	if (argc != 3 || !is_mode(argv[1])) {
		dprintf(STDERR_FILENO,
			"poolmem-replay: started by `poolmem replay`, and by nobody else\n");
		return 2;
	}
	replay.touches = strcmp(argv[1], SCRIPT_MODE_SPEED) != 0;
	replay.waits = strcmp(argv[1], SCRIPT_MODE_PACED) == 0;
	replay.fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (replay.fd < 0 ||
	    pread(replay.fd, &replay.header, sizeof replay.header, 0) != sizeof replay.header ||
	    replay.header.magic != SCRIPT_MAGIC)
		give_up("that is no script");
	struct runner *first = make_tables();

	load(first, replay.header.first);
	replay.running = 1;
	measure(first);
	_exit(0); /* what is live stays so: no destructor frees it */
}
