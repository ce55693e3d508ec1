/* SPDX-License-Identifier: MIT */
/*
 * Eight threads keep a log of each block, when it came and when it went, while one of them sweeps; from that and from the
 * sweeps that the library logged follows where each block died, and that is compared by class and generation.
 *
 *     witnesses DIRECTORY SEED CALLS
 *
 * DIRECTORY holds its segment and no other.  Threads free each other's blocks.
 *
 * How far they may differ is derived from the log: an epoch turns somewhere within the call that asks for the sweep.  A
 * malloc or free that overlaps that call may be in the epoch before or in the one after; all others are in one.  So it is
 * known between which generations a block died; where these are not one, each may have counted it.  What came to generations 1
 * and 2 may differ by what the library says is uncertain, too.
 */
#include "exact/own_segment.h"

#include <poolmem/poolmem.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

enum { THREADS = 8, HELD = 2000, SHORT = 64, LEFT = 256, SWEEPS = 60, OLDEST = 2 };

struct moment {
	uint64_t from, to; /* ns */
};

struct witness {
	void *at;
	uint32_t size_class;
	struct moment born, died; /* died.to: 0: it lives */
};

struct range {
	uint64_t least, most;
};

static const struct pm_header *header;
static const struct pm_slot *slot;
static const struct pm_class *classes;

static struct witness *log_of[THREADS];
static struct witness *left[LEFT];
static struct moment turned[SWEEPS + 1]; /* by epoch since the start */
static unsigned epochs;
static uint64_t epoch_before;
static unsigned long calls; /* of each thread */
static uint32_t seed;
static pthread_barrier_t together;

/* Of each class: how many were certainly there, and how many may have been. */
static struct ranges {
	uint64_t born;
	struct range entered[3], survived[3], died[3], live[3];
} ranges[PM_TALLY_COUNT];

/* Of one block: in how many of the ways that it may have gone. */
struct path {
	unsigned ways, entered[3], survived[3], last[3];
};

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* --- the threads --------------------------------------------------------------------------------------- */

static void release(struct witness *it)
{
	if (!it)
		return;
	it->died.from = now();
	free(it->at);
	it->died.to = now();
}

static uint32_t class_of(size_t bytes)
{
	uint32_t large = 0;
	for (uint32_t c = 1; c < header->classes.count; c++) {
		if (classes[c].kind == PM_CLASS_POOL && classes[c].request_max >= bytes)
			return c;
		large = classes[c].kind == PM_CLASS_LARGE ? c : large;
	}
	return large;
}

static void obtain(struct witness *it, size_t bytes)
{
	it->size_class = class_of(bytes);
	it->born.from = now();
	it->at = malloc(bytes);
	it->born.to = now();
}

static void sweep(int generation)
{
	struct moment *it = &turned[++epochs];
	it->from = now();
	if (poolmem_collect(generation) < 0)
		abort();
	it->to = now();
}

/* Every second block goes soon, and what goes is often another thread's. */
static void *work(void *number)
{
	uintptr_t self = (uintptr_t)number;
	static struct witness *held[THREADS][HELD];
	uint32_t state = seed + (uint32_t)self * 7919;
	pthread_barrier_wait(&together);
	for (unsigned long i = 0; i < calls; i++) {
		state = state * 1664525 + 1013904223;
		unsigned n = (state >> 8) % (i & 1 ? SHORT : HELD);
		struct witness **mine = &held[self][n];
		release(__atomic_exchange_n(&left[state >> 24], *mine, __ATOMIC_ACQ_REL));
		*mine = &log_of[self][i];
		obtain(*mine, 400 + (state >> 4) % ((state >> 12) % 100 ? 2000 : 200000));
		if (!self && i % (calls / SWEEPS + 1) == calls / SWEEPS)
			sweep(epochs % 12 == 11 ? 2 : epochs % 4 == 3);
	}
	return NULL;
}

/* --- what follows from their logs ---------------------------------------------------------------------- */

static const struct pm_survival *find_survival(void)
{
	for (uint32_t n = 1; n < header->chunks; n++) {
		const struct pm_survival *it = own_chunk(header, n);
		if (it->chunk.kind == PM_CHUNK_SURVIVAL && it->chunk.process == slot->chunk.process)
			return it;
	}
	return NULL;
}

/* Epochs that had certainly turned before it, and that may have turned before it was over. */
static struct range epoch_at(struct moment when)
{
	struct range epoch = {0, 0};
	while (epoch.least < epochs && turned[epoch.least + 1].to < when.from)
		epoch.least++;
	epoch.most = epoch.least;
	while (epoch.most < epochs && turned[epoch.most + 1].from <= when.to)
		epoch.most++;
	return epoch;
}

/* Of a block that was there from one epoch to the other: adds where it was, by the sweeps that were logged. */
static void follow(struct path *path, const struct pm_survival *survival, uint64_t birth,
		   uint64_t death)
{
	unsigned generation = 0;
	path->entered[0]++;
	for (uint64_t number = epoch_before + birth + 1; number <= epoch_before + death; number++) {
		const struct pm_sweep *it = &survival->sweep[number % PM_SWEEP_ROOM];
		if (it->epoch != number)
			abort();
		if (generation == OLDEST || it->generation < generation)
			continue;
		path->survived[generation]++;
		generation = it->generation < OLDEST ? it->generation + 1 : OLDEST;
		path->entered[generation]++;
	}
	path->last[generation]++;
	path->ways++;
}

static void add(struct range range[3], const unsigned count[3], unsigned ways)
{
	for (unsigned g = 0; g < 3; g++) {
		range[g].least += count[g] == ways;
		range[g].most += count[g] > 0;
	}
}

static void judge(const struct pm_survival *survival, const struct witness *it)
{
	struct moment end = {UINT64_MAX, UINT64_MAX};
	struct range birth = epoch_at(it->born), death = epoch_at(it->died.to ? it->died : end);
	struct ranges *of = &ranges[it->size_class];
	struct path path = {.ways = 0};
	for (uint64_t from = birth.least; from <= birth.most; from++)
		for (uint64_t to = death.least; to <= death.most; to++)
			if (from <= to)
				follow(&path, survival, from, to);
	of->born++;
	add(of->entered, path.entered, path.ways);
	add(of->survived, path.survived, path.ways);
	add(it->died.to ? of->died : of->live, path.last, path.ways);
}

static void tell_one(const char *name, const struct range range[3])
{
	printf(", \"%s\": [", name);
	for (unsigned g = 0; g < 3; g++)
		printf("%s[%llu, %llu]", g ? ", " : "", (unsigned long long)range[g].least,
		       (unsigned long long)range[g].most);
	printf("]");
}

/* {"48": {"born": N, "entered": [[LEAST, MOST], ...], ...}, ...}; "0" for large blocks */
static void tell(void)
{
	const char *before = "{";
	for (uint32_t c = 1; c < header->classes.count; c++) {
		const struct ranges *of = &ranges[c];
		if (!of->born)
			continue;
		printf("%s\"%u\": {\"born\": %llu", before, classes[c].block_bytes,
		       (unsigned long long)of->born);
		tell_one("entered", of->entered);
		tell_one("survived", of->survived);
		tell_one("died", of->died);
		tell_one("live", of->live);
		printf("}");
		before = ",\n";
	}
	printf("}\n");
}

/* --- main ---------------------------------------------------------------------------------------------- */

static void run_threads(void)
{
	pthread_t thread[THREADS];
	pthread_barrier_init(&together, NULL, THREADS);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, work, (void *)i);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	sweep(OLDEST);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	setvbuf(stdout, NULL, _IONBF, 0);
	seed = (uint32_t)strtoul(argv[2], NULL, 10) * 2654435761u + 1;
	calls = strtoul(argv[3], NULL, 10) / THREADS;
	header = own_segment(argv[1]);
	slot = own_slot(header);
	classes = (const void *)((const char *)header + header->classes.offset);
	for (unsigned i = 0; i < THREADS; i++)
		log_of[i] = mmap(NULL, calls * sizeof *log_of[i], PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (poolmem_disable())
		return 2;
	epoch_before = slot->process.epoch;
	run_threads();
	const struct pm_survival *survival = find_survival();
	for (unsigned i = 0; i < THREADS; i++)
		for (unsigned long n = 0; n < calls; n++)
			judge(survival, &log_of[i][n]);
	tell();
	return 0;
}
