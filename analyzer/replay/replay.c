/* SPDX-License-Identifier: MIT */
/*
 * replay.c: poolmem-replay, which calls malloc and free as a script says, under whatever allocator it was started.
 *
 *   chunk --read--> steps of a batch, decoded --> called, memory touched --> progress of the thread, for others that wait
 *
 * It asks the allocator for nothing of its own: tables are mapped.  What libc needs for a thread is the exception.
 */
#define _GNU_SOURCE
#include "replay/script.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poolmem/trace.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 512,
	SPINS = 64,
	LINE = 64,
	STACK_BYTES = 64 << 10,
	TEXT_ROOM = 4096,
	NAP_NS = 20000, /* of a thread that waits for another; each is twice as long */
	NAP_NS_MAX = 10000000,
	NS_PER_MS = 1000000,
	LOOK_NS = 4 * NS_PER_MS, /* between two looks at what is resident */
	NS_PER_S = 1000000000
};

struct step {
	uint8_t kind, log2;
	uint32_t pages;
	uint64_t slot, size; /* of SPAWN and WAIT: the thread, and the second number */
};

/* A thread's own, mapped. */
struct runner {
	uint32_t thread;
	uint64_t chunk;                /* offset of the one in `bytes` */
	uint64_t calls_ns, waiting_ns; /* of processors; waiting for others is in both */
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
	uint64_t running;          /* atomic: threads */
	uint64_t calls_ns, failed; /* atomic: of threads that have ended */
	uint64_t steps;            /* atomic */
	struct {
		int fd;
		uint64_t due_ns; /* atomic: the next look; LOOKING: somebody looks */
		uint64_t last_ns, last_bytes;
		double byte_ns; /* bytes times nanoseconds, up to the last look */
	} resident;
} replay;

#define LOOKING UINT64_MAX

static _Noreturn void give_up(const char *what)
{
	dprintf(STDERR_FILENO, "poolmem-replay: %s\n", what);
	_exit(1);
}

static void *map(size_t bytes)
{
	void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mapped == MAP_FAILED)
		give_up("no memory for its tables");
	madvise(mapped, bytes, MADV_NOHUGEPAGE);
	return mapped;
}

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

static void *run(void *runner);

static void spawn(const struct step *step)
{
	struct runner *runner = map(sizeof *runner);
	pthread_attr_t attributes;
	pthread_t thread;

	runner->thread = (uint32_t)step->slot;
	load(runner, step->size);
	__atomic_add_fetch(&replay.running, 1, __ATOMIC_RELAXED);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, run, runner))
		give_up("no thread can be created");
	pthread_attr_destroy(&attributes);
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
	runner->waiting_ns += now_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns;
}

/* Resident bytes now, of /proc/self/statm. */
static uint64_t resident(void)
{
	char text[LINE + 1] = "";
	ssize_t bytes = pread(replay.resident.fd, text, LINE, 0);
	const char *second = bytes > 0 ? strchr(text, ' ') : NULL;

	return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* What was resident from the last look to this one is taken as the mean of both.  One thread at a time. */
static void look(uint64_t ns)
{
	uint64_t bytes = resident();
	uint64_t span_ns = ns - replay.resident.last_ns;

	replay.resident.byte_ns += ((double)bytes + (double)replay.resident.last_bytes) / 2 *
				   (double)span_ns;
	replay.resident.last_ns = ns;
	replay.resident.last_bytes = bytes;
}

static void look_if_due(uint64_t ns)
{
	uint64_t due_ns = __atomic_load_n(&replay.resident.due_ns, __ATOMIC_RELAXED);

	if (ns < due_ns || !__atomic_compare_exchange_n(&replay.resident.due_ns, &due_ns, LOOKING,
							false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	look(ns);
	__atomic_store_n(&replay.resident.due_ns, ns + LOOK_NS, __ATOMIC_RELEASE);
}

/* Before the wait and after it, so that what is resident then counts for as long as it was. */
static void wait_until(uint64_t ms)
{
	uint64_t due_ns = replay.began_ns + ms * NS_PER_MS, now = now_ns(CLOCK_MONOTONIC);
	struct timespec due = {(time_t)(due_ns / NS_PER_S), (long)(due_ns % NS_PER_S)};

	if (!replay.waits || now >= due_ns)
		return;
	look_if_due(now);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
	look_if_due(now_ns(CLOCK_MONOTONIC));
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
	case SCRIPT_SPAWN: spawn(step); return;
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
	look_if_due(now_ns(CLOCK_MONOTONIC));
}

static uint64_t less(uint64_t whole, uint64_t part)
{
	return whole > part ? whole - part : 0;
}

static void *run(void *context)
{
	struct runner *runner = context;
	uint64_t done = 0;
	unsigned count;

	while ((count = read_batch(runner)))
		run_batch(runner, count, &done);
	__atomic_add_fetch(&replay.calls_ns, less(runner->calls_ns, runner->waiting_ns),
			   __ATOMIC_RELAXED);
	__atomic_add_fetch(&replay.failed, runner->failed, __ATOMIC_RELAXED);
	__atomic_add_fetch(&replay.steps, done, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&replay.running, 1, __ATOMIC_RELEASE);
	if (runner->thread)
		munmap(runner, sizeof *runner);
	return NULL;
}

/* --- measuring ------------------------------------------------------------------------------------ */

/* Bytes, of a line of /proc/self/status. */
static uint64_t status(const char *key)
{
	char text[TEXT_ROOM];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t bytes = read(fd, text, sizeof text - 1);

	close(fd);
	text[bytes > 0 ? bytes : 0] = 0;
	const char *line = strstr(text, key);

	return line ? strtoull(line + strlen(key), NULL, 10) * 1024 : 0;
}

static uint64_t faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_minflt;
}

static uint64_t mean(double byte_ns, uint64_t ns)
{
	return ns ? (uint64_t)(byte_ns / (double)ns) : 0;
}

static void measure(struct runner *first)
{
	struct script_result result = {.faults = faults()};
	uint64_t own = status("VmRSS:") + replay.header.slots * sizeof(void *);
	replay.began_ns = replay.resident.last_ns = now_ns(CLOCK_MONOTONIC);
	replay.resident.due_ns = replay.began_ns + LOOK_NS;
	replay.resident.last_bytes = resident();
	run(first);
	while (__atomic_load_n(&replay.running, __ATOMIC_ACQUIRE))
		sched_yield();
	look(now_ns(CLOCK_MONOTONIC));
	result.wall_ns = replay.resident.last_ns - replay.began_ns;
	result.rss_mean = less(mean(replay.resident.byte_ns, result.wall_ns), own);
	result.faults = faults() - result.faults;
	result.rss_end = less(status("VmRSS:"), own);
	result.rss_peak = less(status("VmHWM:"), own);
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
	replay.resident.fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	replay.slots = map((replay.header.slots + 1) * sizeof(void *));
	replay.progress = map(((size_t)replay.header.threads + 1) * sizeof *replay.progress);
	struct runner *first = map(sizeof *first);

	memset(first, 0, sizeof *first);
	load(first, replay.header.first);
	replay.running = 1;
	measure(first);
	_exit(0); /* what is live stays so: no destructor frees it */
}
