/* link: -lpthread */
/* SPDX-License-Identifier: MIT */
/*
 * peaks.c: one block lives at a time, of so many bytes.
 *
 *   peaks BYTES            one thread
 *   peaks BYTES handed     each block is freed by another thread before the next one comes
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

enum { ROUNDS = 20000 };

static void *volatile handed;
static sem_t full, empty;

static void *take(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		sem_wait(&full);
		free(handed);
		sem_post(&empty);
	}
	return unused;
}

static void hand_on(size_t bytes)
{
	pthread_t thread;
	sem_init(&full, 0, 0);
	sem_init(&empty, 0, 1);
	pthread_create(&thread, NULL, take, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		sem_wait(&empty);
		handed = malloc(bytes);
		sem_post(&full);
	}
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	size_t bytes = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		hand_on(bytes);
	for (int i = 0; argc == 2 && i < ROUNDS; i++) {
		void *volatile block = malloc(bytes);
		free(block);
	}
	return 0;
}
