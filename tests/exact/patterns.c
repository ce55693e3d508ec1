/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-ipa-icf */
/*
 * patterns.c: for each rule of `poolmem sites --advice` a function has_RULE that does what the rule is about, and
 * functions nearly_... that all but do it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 25000, FEWER = 20000, SOME = 5000, HANDED = 3000, ARRAYS = 300, LONG = 400 };

static void *kept[MANY], *handed[HANDED];

#define STEP __attribute__((noinline, noclone)) void

/* So that the call is none in last place, and the block is not done without. */
static void *seen(void *block)
{
	__asm__ volatile("" : "+r"(block) : : "memory");
	return block;
}

STEP has_temporary(void)
{
	for (int i = 0; i < SOME; i++)
		free(seen(malloc(100)));
}

/* The next one comes before the last one goes. */
STEP nearly_temporary(void)
{
	void *last = NULL;
	for (int i = 0; i < SOME; i++) {
		void *next = seen(malloc(100));
		free(last);
		last = next;
	}
	free(last);
}

/* In libc, which is not who should change. */
STEP has_temporary_in_libc(void)
{
	for (int i = 0; i < SOME; i++)
		free(seen(realpath("/", NULL)));
}

STEP has_growth(void)
{
	for (int i = 0; i < ARRAYS; i++) {
		void *array = NULL;
		for (size_t bytes = 16; bytes < LONG; bytes += 16)
			array = seen(realloc(array, bytes));
		free(array);
	}
}

/* What it has been given is long enough, or moves once: of a hundred moves 99. */
STEP nearly_growth(void)
{
	for (int i = 0; i < ARRAYS; i++) {
		void *array = NULL;
		for (size_t bytes = LONG; bytes > LONG - 16; bytes--)
			array = seen(realloc(array, bytes));
		if (i < 99)
			array = seen(realloc(array, LONG + 100));
		free(array);
	}
}

static void keep(void *(*allocate)(size_t), size_t bytes, int count)
{
	for (int i = 0; i < count; i++)
		kept[i] = allocate(bytes);
}

static void let_go(void)
{
	for (int i = 0; i < MANY; i++) {
		free(kept[i]);
		kept[i] = NULL;
	}
}

static __attribute__((noinline, noclone)) void *has_slack(size_t bytes)
{
	return seen(malloc(bytes));
}

static __attribute__((noinline, noclone)) void *nearly_slack(size_t bytes)
{
	return seen(malloc(bytes));
}

/* Never freed: that is another rule's, too. */
STEP has_tiny(void)
{
	for (int i = 0; i < 12000; i++)
		seen(malloc(32));
}

STEP nearly_tiny_few(void)
{
	for (int i = 0; i < 9999; i++)
		seen(malloc(32));
}

STEP nearly_tiny_large(void)
{
	for (int i = 0; i < 12000; i++)
		seen(malloc(80));
}

STEP has_leaked(void)
{
	for (int i = 0; i < 200; i++)
		seen(malloc(1000));
}

STEP nearly_leaked_few(void)
{
	for (int i = 0; i < 99; i++)
		seen(malloc(2000));
}

STEP nearly_leaked_small(void)
{
	for (int i = 0; i < 1000; i++)
		seen(malloc(64));
}

static void *free_most(void *one_in)
{
	for (int i = 0; i < HANDED; i++)
		if (i % *(int *)one_in == 0)
			free(handed[i]);
	return NULL;
}

/* Another thread frees one of so many, this one the rest. */
static void hand_over(int one_in)
{
	pthread_t thread;
	pthread_create(&thread, NULL, free_most, &one_in);
	pthread_join(thread, NULL);
	for (int i = 0; i < HANDED; i++)
		if (i % one_in != 0)
			free(handed[i]);
}

STEP has_remote(void)
{
	for (int i = 0; i < HANDED; i++)
		handed[i] = seen(malloc(100));
}

STEP nearly_remote(void)
{
	for (int i = 0; i < HANDED; i++)
		handed[i] = seen(malloc(100));
}

int main(void)
{
	has_temporary();
	nearly_temporary();
	has_temporary_in_libc();
	has_growth();
	nearly_growth();
	has_remote();
	hand_over(1);
	nearly_remote();
	hand_over(3);
	has_tiny();
	nearly_tiny_few();
	nearly_tiny_large();
	has_leaked();
	nearly_leaked_few();
	nearly_leaked_small();
	keep(nearly_slack, 25, FEWER);
	let_go();
	keep(has_slack, 17, MANY); /* the peak */
	let_go();
	return 0;
}
