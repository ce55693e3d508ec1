/* SPDX-License-Identifier: MIT */
/*
 * kernels.c: patterns of allocation that decide between allocators.  kernels NAME runs one; without a
 * name it lists them.  The work is fixed, so that time and instructions can be compared.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 2 };

static uint64_t step(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static uint64_t next_random(void)
{
	static uint64_t state = 1;
	return step(&state);
}

/* The first bytes are written, as whoever asks for memory does. */
static void *get(size_t bytes)
{
	char *block = malloc(bytes);
	*(volatile char *)block = 1;
	return block;
}

/* Every page is written. */
static void *get_filled(size_t bytes)
{
	volatile char *block = get(bytes);
	for (size_t at = 0; at < bytes; at += 4096)
		block[at] = 1;
	return (void *)block;
}

static void start(pthread_t *thread, void *(*run)(void *), void *argument)
{
	if (pthread_create(thread, NULL, run, argument))
		abort();
}

/* A block at a time. */

static void pairs(size_t bytes, long count)
{
	for (long i = 0; i < count; i++)
		free(get(bytes));
}

static void pair_64(void)
{
	pairs(64, 30000000);
}

static void pair_3000(void)
{
	pairs(3000, 20000000);
}

static void pair_40000(void)
{
	pairs(40000, 15000000);
}

static void pair_256k(void)
{
	pairs(256 << 10, 10000000);
}

static void zeroed(void)
{
	for (long i = 0; i < 20000000; i++) {
		char *block = calloc(1, 128);
		*(volatile char *)block = 1;
		free(block);
	}
}

/* Large ones, of which calloc need not write all: 64 KiB to 1 MiB. */
static void zeroed_large(void)
{
	for (long i = 0; i < 50000; i++) {
		char *block = calloc(1, (64 + next_random() % 960) << 10);
		*(volatile char *)block = 1;
		free(block);
	}
}

/* A thousand at a time. */

enum { BATCH = 1000 };
static void *batch[BATCH];

static void fill_batch(void)
{
	for (int i = 0; i < BATCH; i++)
		batch[i] = get(16 + (size_t)(i % 16) * 16);
}

static void lifo(void)
{
	for (int round = 0; round < 20000; round++) {
		fill_batch();
		for (int i = BATCH; i-- > 0;)
			free(batch[i]);
	}
}

static void fifo(void)
{
	for (int round = 0; round < 20000; round++) {
		fill_batch();
		for (int i = 0; i < BATCH; i++)
			free(batch[i]);
	}
}

/* At random places of a large set. */

enum { LIVE = 100000 };
static void *live[LIVE];

static void churn(void)
{
	for (long i = 0; i < 10000000; i++) {
		uint64_t at = next_random() % LIVE;
		free(live[at]);
		live[at] = get(16 + next_random() % 512);
	}
}

/* Sizes as programs have them: most are small, each doubling up to 32 KiB half as frequent. */
static size_t mixed_size(uint64_t *state)
{
	uint64_t random = step(state);
	int doublings = __builtin_ctzll(random | 1 << 10);
	return ((size_t)16 << doublings) + (random >> 12) % ((size_t)16 << doublings);
}

static void mixed(void)
{
	uint64_t state = 1;
	for (long i = 0; i < 8000000; i++) {
		uint64_t at = step(&state) % LIVE;
		free(live[at]);
		live[at] = get(mixed_size(&state));
	}
}

/* Blocks of 32 KiB to 25 MiB, 16 live, every page written. */
static void large(void)
{
	for (int i = 0; i < 800; i++) {
		uint64_t at = next_random() % 16;
		unsigned shift = (unsigned)(next_random() % 10);
		size_t bytes = ((size_t)32 << 10 << shift) +
			       next_random() % ((size_t)32 << 10 << shift);
		free(live[at]);
		live[at] = get_filled(bytes < 25 << 20 ? bytes : 25 << 20);
	}
}

/* Texts that grow by a quarter in turn, up to 64 KiB. */
static void growth(void)
{
	enum { TEXTS = 100 };
	static struct {
		char *start;
		size_t bytes;
	} texts[TEXTS];
	for (long i = 0; i < 3000000; i++) {
		uint64_t at = next_random() % TEXTS;
		if (texts[at].bytes > 65536) {
			free(texts[at].start);
			texts[at].start = NULL;
			texts[at].bytes = 0;
		}
		texts[at].bytes += texts[at].bytes / 4 + 16;
		texts[at].start = realloc(texts[at].start, texts[at].bytes);
		texts[at].start[texts[at].bytes - 1] = 1;
	}
}

/* 200,000 blocks of 16 to 2,048 bytes, a random 90 % freed, then other sizes in their place. */
static void bulk(void)
{
	enum { COUNT = 200000 };
	void **blocks = get(COUNT * sizeof *blocks);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < COUNT; i++)
			blocks[i] = get_filled(16 + next_random() % 2033);
		for (int i = 0; i < COUNT; i++)
			if (next_random() % 10) {
				free(blocks[i]);
				blocks[i] = NULL;
			}
		for (int i = 0, more = COUNT / 6; i < COUNT && more > 0; i++)
			if (!blocks[i]) {
				blocks[i] = get_filled(2049 + next_random() % 6144);
				more--;
			}
		for (int i = 0; i < COUNT; i++)
			free(blocks[i]);
	}
	free(blocks);
}

/*
 * One thread makes, the other frees, PARCEL blocks at a time: who waits sleeps, so that the CPU time is
 * that of the work.
 */
enum { PARCEL = 256, PARCELS = 16, SENT = 60000 };
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	long made, taken;
	void *blocks[PARCELS][PARCEL];
} belt = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, {{NULL}}};

static void await(const long *count, long least)
{
	pthread_mutex_lock(&belt.lock);
	while (*count < least)
		pthread_cond_wait(&belt.changed, &belt.lock);
	pthread_mutex_unlock(&belt.lock);
}

static void advance(long *count)
{
	pthread_mutex_lock(&belt.lock);
	++*count;
	pthread_cond_signal(&belt.changed);
	pthread_mutex_unlock(&belt.lock);
}

static void *consume(void *unused)
{
	for (long parcel = 0; parcel < SENT; parcel++) {
		await(&belt.made, parcel + 1);
		for (int i = 0; i < PARCEL; i++)
			free(belt.blocks[parcel % PARCELS][i]);
		advance(&belt.taken);
	}
	return unused;
}

static void hand_over(size_t (*size)(uint64_t *))
{
	pthread_t consumer;
	uint64_t state = 1;
	start(&consumer, consume, NULL);
	for (long parcel = 0; parcel < SENT; parcel++) {
		await(&belt.taken, parcel - PARCELS + 1);
		for (int i = 0; i < PARCEL; i++)
			belt.blocks[parcel % PARCELS][i] = get(size(&state));
		advance(&belt.made);
	}
	pthread_join(consumer, NULL);
}

static size_t size_64(uint64_t *unused)
{
	(void)unused;
	return 64;
}

static void handover(void)
{
	hand_over(size_64);
}

static void handover_mixed(void)
{
	hand_over(mixed_size);
}

/*
 * A server, as in Larson and Krishnan: threads exchange blocks of their sets, then leave the set to the
 * thread that comes after them.
 */
enum { HELD = 5000, GENERATIONS = 50, EXCHANGES = 200000 };
struct service {
	uint64_t state;
	void *held[HELD];
};

static void *serve(void *argument)
{
	struct service *service = argument;
	for (long i = 0; i < EXCHANGES; i++) {
		uint64_t at = step(&service->state) % HELD;
		free(service->held[at]);
		service->held[at] = get(8 + step(&service->state) % 1000);
	}
	return NULL;
}

static void server(void)
{
	static struct service services[THREADS];
	pthread_t threads[THREADS];
	for (int generation = 0; generation < GENERATIONS; generation++) {
		for (int i = 0; i < THREADS; i++) {
			services[i].state += (uint64_t)i;
			start(&threads[i], serve, &services[i]);
		}
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
	}
}

/* Threads that live for a hundred blocks, and leave half of them to others. */

enum { BRIEF = 100 };

static void *live_briefly(void *argument)
{
	void **left = argument;
	for (int i = 0; i < BRIEF; i++) {
		void *block = get(16 + (size_t)i * 8);
		if (i % 2)
			left[i] = block;
		else
			free(block);
	}
	return NULL;
}

static void short_threads(void)
{
	static void *left[THREADS][BRIEF];
	pthread_t threads[THREADS];
	for (int round = 0; round < 10000; round++) {
		for (int i = 0; i < THREADS; i++)
			start(&threads[i], live_briefly, left[i]);
		for (int i = 0; i < THREADS; i++) {
			pthread_join(threads[i], NULL);
			for (int k = 1; k < BRIEF; k += 2)
				free(left[i][k]);
		}
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} kernels[] = {
	{"pair_64", pair_64},
	{"pair_3000", pair_3000},
	{"pair_40000", pair_40000},
	{"pair_256k", pair_256k},
	{"lifo", lifo},
	{"fifo", fifo},
	{"churn", churn},
	{"mixed", mixed},
	{"large", large},
	{"growth", growth},
	{"zeroed", zeroed},
	{"zeroed_large", zeroed_large},
	{"bulk", bulk},
	{"handover", handover},
	{"handover_mixed", handover_mixed},
	{"server", server},
	{"short_threads", short_threads},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
		if (argc < 2)
			puts(kernels[i].name);
		else if (!strcmp(argv[1], kernels[i].name))
			return kernels[i].run(), 0;
	return argc < 2 ? 0 : 2;
}
