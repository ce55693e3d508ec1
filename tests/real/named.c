/* SPDX-License-Identifier: MIT */
/* cflags: -g -O1 */
/*
 * named.c MS: threads with names of their own, one that changes it, one that keeps that of the program, and one after the other
 * in the same slot.  Each allocates blocks of a size of its own, and stays for so long.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned milliseconds;

__attribute__((noinline)) static void take(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		void *block = malloc(100);
		__asm__ volatile("" : "+r"(block));
	}
}

static void stay(void)
{
	usleep(milliseconds * 1000);
}

static void *reader(void *unused)
{
	pthread_setname_np(pthread_self(), "a) (\n\x1b[31m");
	take(1000);
	stay();
	return unused;
}

static void *changes(void *unused)
{
	pthread_setname_np(pthread_self(), "before");
	take(2000);
	stay();
	pthread_setname_np(pthread_self(), "after");
	stay();
	return unused;
}

static void *nameless(void *unused)
{
	take(3000);
	stay();
	return unused;
}

static void *worker(void *number)
{
	char name[16];
	snprintf(name, sizeof name, "worker-%lu", (unsigned long)(uintptr_t)number);
	pthread_setname_np(pthread_self(), name);
	take(4000);
	stay();
	return NULL;
}

int main(int argc, char **argv)
{
	static void *(*const first[])(void *) = {reader, changes, nameless, worker};
	enum { FIRST = sizeof first / sizeof *first };
	pthread_t threads[FIRST], last;
	milliseconds = argc > 1 ? (unsigned)atoi(argv[1]) : 200;
	take(5000);
	for (uintptr_t i = 0; i < FIRST; i++)
		pthread_create(&threads[i], NULL, first[i], (void *)i);
	for (unsigned i = 0; i < FIRST; i++)
		if (first[i] != changes)
			pthread_join(threads[i], NULL);
	pthread_create(&last, NULL, worker, (void *)9UL);
	pthread_join(last, NULL);
	pthread_join(threads[1], NULL);
	stay();
	return 0;
}
