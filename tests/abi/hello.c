/* link: -lpthread */
/* SPDX-License-Identifier: MIT */
/* A small program that allocates from main, from threads and through libc. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *work(void *arg)
{
	void *p[100];
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 100; i++)
			p[i] = malloc((size_t)(i * round) % 5000);
		for (int i = 0; i < 100; i++)
			free(p[i]);
	}
	return arg;
}

int main(void)
{
	pthread_t threads[4];
	char *text = strdup("hello");
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	work(NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	puts(text);
	free(text);
	return 0;
}
