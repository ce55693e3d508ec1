/* cflags: -fno-builtin */
/* link: -lpthread */
/* SPDX-License-Identifier: MIT */
/* Producers allocate, consumers free or resize on another thread.   usage: handover PAIRS STEPS SEED */
#include "mix.h"
#include <pthread.h>
#include <stdatomic.h>

enum { RING = 1024, PAIRS_MAX = 32 };

struct ring {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void *blocks[RING];
	unsigned put, got;
	int closed;
};

static struct ring rings[PAIRS_MAX];
static unsigned long steps, seed;

static void put(struct ring *r, void *block)
{
	pthread_mutex_lock(&r->lock);
	while (r->put - r->got == RING)
		pthread_cond_wait(&r->changed, &r->lock);
	r->blocks[r->put++ % RING] = block;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

/* Up to a ring full; none at the end. */
static unsigned get(struct ring *r, void **blocks)
{
	unsigned count = 0;
	pthread_mutex_lock(&r->lock);
	while (r->put == r->got && !r->closed)
		pthread_cond_wait(&r->changed, &r->lock);
	while (r->got != r->put)
		blocks[count++] = r->blocks[r->got++ % RING];
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return count;
}

static void *produce(void *arg)
{
	struct ring *r = arg;
	struct mix m = {.random = seed * 100 + (uint64_t)(r - rings)};
	for (unsigned long i = 0; i < steps; i++) {
		void *p = mix_take(&m);
		if (p)
			put(r, p);
	}
	pthread_mutex_lock(&r->lock);
	r->closed = 1;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void *consume(void *arg)
{
	void *blocks[RING];
	struct ring *r = arg;
	struct mix m = {.random = seed * 100 + 50 + (uint64_t)(r - rings)};
	for (unsigned count; (count = get(r, blocks)) > 0;)
		for (unsigned i = 0; i < count; i++)
			free(i % 8 ? blocks[i] : realloc(blocks[i], 1 + mix_bytes(&m)));
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long pairs = mix_argument(argc, argv, 1, 4);
	pthread_t threads[2 * PAIRS_MAX];

	steps = mix_argument(argc, argv, 2, 100000);
	seed = mix_argument(argc, argv, 3, 1);
	for (unsigned i = 0; i < pairs; i++) {
		pthread_mutex_init(&rings[i].lock, NULL);
		pthread_cond_init(&rings[i].changed, NULL);
		pthread_create(&threads[2 * i], NULL, produce, &rings[i]);
		pthread_create(&threads[2 * i + 1], NULL, consume, &rings[i]);
	}
	for (unsigned i = 0; i < 2 * pairs; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
