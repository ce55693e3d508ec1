/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-ipa-icf */ /* link: -lpthread */
/*
 * thaws.c: threads come and go with blocks of one class and different sizes while another one freezes and thaws.  Prints
 * what site_churn allocated, freed and has live, blocks and bytes asked for.
 */
#include <poolmem/poolmem.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 3, ROUNDS = 2000000, KEPT = 64, SIZES = 16, LEAST = 33 };

static bool stop; /* atomic */
static struct account {
	uint64_t allocated, freed, live_requested;
} accounts[THREADS];

static __attribute__((noinline, noclone)) void *site_churn(size_t size)
{
	void *block = malloc(size);
	__asm__ volatile("" : "+r"(block)); /* no tail call */
	return block;
}

static void *churn(void *argument)
{
	struct account *account = argument;
	struct {
		void *block;
		size_t size;
	} kept[KEPT] = {{NULL, 0}};
	uint32_t state = (uint32_t)(account - accounts) + 1;
	for (unsigned i = 0; i < ROUNDS; i++) {
		state = state * 1664525 + 1013904223;
		unsigned at = state >> 16 & (KEPT - 1);
		if (kept[at].block) {
			free(kept[at].block);
			account->freed++;
			account->live_requested -= kept[at].size;
		}
		kept[at].size = LEAST + (state >> 8) % SIZES;
		kept[at].block = site_churn(kept[at].size);
		account->allocated++;
		account->live_requested += kept[at].size;
	}
	return NULL;
}

static void *freeze(void *unused)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		poolmem_collect(0);
		poolmem_freeze();
		poolmem_unfreeze();
	}
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS], freezer;
	struct account sum = {0};
	pthread_create(&freezer, NULL, freeze, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, churn, &accounts[i]);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum.allocated += accounts[i].allocated;
		sum.freed += accounts[i].freed;
		sum.live_requested += accounts[i].live_requested;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(freezer, NULL);
	printf("%lu %lu %lu %lu\n", sum.allocated, sum.freed, sum.allocated - sum.freed,
	       sum.live_requested);
	return 0;
}
