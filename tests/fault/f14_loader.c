/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-builtin */ /* link: -ldl */
/*
 * F14: allocates while others hold the loader's lock.
 *
 * usage: f14_loader callback ROUNDS        a dl_iterate_phdr() callback waits for a mutex, whose holder allocates
 *        f14_loader together MILLISECONDS LIBRARY LIBRARY    dlopen, dlclose, dl_iterate_phdr and malloc in threads
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { PAGE = 4096, COPIES = 64 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int is_held, is_inside, is_over;
static atomic_long came;

static int inside(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)info;
	(void)size;
	(void)unused;
	is_inside = 1;
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	return 1;
}

static void *iterate(void *unused)
{
	while (!is_held)
		;
	dl_iterate_phdr(inside, NULL);
	return unused;
}

static __attribute__((noinline)) void allocate(size_t size)
{
	char *block = malloc(size);
	if (!block)
		abort();
	block[0] = 1;
	came++;
	free(block);
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) int site_compare(const void *left, const void *right)
{
	allocate(*(const unsigned char *)left + 1U);
	return *(const unsigned char *)left - *(const unsigned char *)right;
}

/* Through functions of libc that no walk has met before. */
static void allocate_below(int round)
{
	unsigned char bytes[] = {5, 1, 4, 2, 3};
	if (round % 2)
		qsort(bytes, sizeof bytes, 1, site_compare);
	else
		bsearch(bytes, bytes, sizeof bytes, 1, site_compare);
	allocate(1000 + (size_t)round);
}

static void callbacks(int rounds)
{
	for (int round = 0; round < rounds; round++) {
		pthread_t thread;
		is_held = is_inside = 0;
		pthread_create(&thread, NULL, iterate, NULL);
		pthread_mutex_lock(&mutex);
		is_held = 1;
		while (!is_inside)
			;
		allocate_below(round);
		pthread_mutex_unlock(&mutex);
		pthread_join(thread, NULL);
	}
}

static char **paths;

static void *open_and_close(void *which)
{
	void *(*entry)(size_t);
	for (unsigned i = 0; !is_over; i++) {
		void *opened = dlopen(paths[which ? i % 2 : 0], RTLD_NOW);
		*(void **)&entry = opened ? dlsym(opened, "entry") : NULL;
		if (!entry)
			abort();
		free(entry(i % 300 + 1));
		came++;
		dlclose(opened);
	}
	return NULL;
}

static int count_one(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)info;
	(void)size;
	(void)unused;
	allocate(100);
	return 0;
}

static void *iterate_on(void *unused)
{
	while (!is_over)
		dl_iterate_phdr(count_one, NULL);
	return unused;
}

static void *allocate_on(void *unused)
{
	for (int i = 0; !is_over; i++)
		allocate_below(i);
	return unused;
}

static void together(long milliseconds)
{
	static void *(*const works[])(void *) = {open_and_close, open_and_close, iterate_on,
						 allocate_on, allocate_on};
	enum { WORKS = sizeof works / sizeof *works };
	const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
	pthread_t thread[WORKS];
	for (uintptr_t i = 0; i < WORKS; i++)
		pthread_create(&thread[i], NULL, works[i], (void *)i);
	nanosleep(&time, NULL);
	is_over = 1;
	for (unsigned i = 0; i < WORKS; i++)
		pthread_join(thread[i], NULL);
}

int main(int argc, char **argv)
{
	paths = argv + 3;
	if (argc > 4)
		together(atol(argv[2]));
	else if (argc > 2)
		callbacks(atoi(argv[2]));
	printf("%s\n", came > 100 ? "through" : "few");
	return 0;
}
