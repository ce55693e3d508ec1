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

static uint64_t state = 1;

static uint64_t next_random(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 33;
}

static void *get(size_t bytes)
{
	void *block = malloc(bytes);
	__asm__ volatile("" : : "r"(block) : "memory");
	return block;
}

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
	pairs(40000, 3000000);
}

enum { BATCH = 1000 };
static void *batch[BATCH];

static void lifo(void)
{
	for (int round = 0; round < 20000; round++) {
		for (int i = 0; i < BATCH; i++)
			batch[i] = get(16 + (size_t)(i % 16) * 16);
		for (int i = BATCH; i-- > 0;)
			free(batch[i]);
	}
}

static void fifo(void)
{
	for (int round = 0; round < 20000; round++) {
		for (int i = 0; i < BATCH; i++)
			batch[i] = get(16 + (size_t)(i % 16) * 16);
		for (int i = 0; i < BATCH; i++)
			free(batch[i]);
	}
}

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

static void growth(void)
{
	for (int round = 0; round < 300; round++) {
		char *text = NULL;
		for (size_t bytes = 1; bytes < 4000000; bytes += bytes / 4 + 1) {
			text = realloc(text, bytes);
			text[bytes - 1] = 1;
		}
		free(text);
	}
}

static void zeroed(void)
{
	for (long i = 0; i < 10000000; i++) {
		void *block = calloc(1, 128);
		__asm__ volatile("" : : "r"(block) : "memory");
		free(block);
	}
}

enum { QUEUE = 1024 };
static void *volatile queue[QUEUE];

static void *consume(void *unused)
{
	for (long i = 0; i < 5000000; i++) {
		void *block;
		while (!(block = __atomic_exchange_n(&queue[i % QUEUE], NULL, __ATOMIC_ACQUIRE)))
			;
		free(block);
	}
	return unused;
}

static void handover(void)
{
	pthread_t consumer;
	pthread_create(&consumer, NULL, consume, NULL);
	for (long i = 0; i < 5000000; i++) {
		void *block = get(64);
		while (queue[i % QUEUE])
			;
		__atomic_store_n(&queue[i % QUEUE], block, __ATOMIC_RELEASE);
	}
	pthread_join(consumer, NULL);
}

static const struct {
	const char *name;
	void (*run)(void);
} kernels[] = {
	{"pair_64", pair_64}, {"pair_3000", pair_3000}, {"pair_40000", pair_40000},
	{"lifo", lifo},       {"fifo", fifo},           {"churn", churn},
	{"growth", growth},   {"zeroed", zeroed},       {"handover", handover},
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
