/* cflags: -fno-builtin */
/* link: -ldl -lpthread */
/* SPDX-License-Identifier: MIT */
/* Corners of the malloc family that are not a matter of one size: one line for each, as glibc answers. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { ERRNO_BEFORE = 1234 };

static volatile size_t huge = PTRDIFF_MAX;

static void say(const char *what, int holds)
{
	printf("%-60s %s\n", what, holds ? "yes" : "NO");
}

static void zero_sizes(void)
{
	enum { COUNT = 1000 };
	static uintptr_t seen[COUNT];
	int unique = 1, aligned = 1;

	for (int i = 0; i < COUNT; i++) {
		seen[i] = (uintptr_t)(i % 4 == 0   ? malloc(0)
				      : i % 4 == 1 ? calloc(0, 7)
				      : i % 4 == 2 ? realloc(NULL, 0)
						   : calloc(7, 0));
		aligned &= seen[i] != 0 && seen[i] % 16 == 0;
		for (int k = 0; k < i; k++)
			unique &= seen[i] != seen[k];
	}
	for (int i = 0; i < COUNT; i++)
		free((void *)seen[i]);
	say("blocks of no bytes are unique", unique);
	say("blocks of no bytes are aligned and not NULL", aligned);

	void *p = malloc(100);
	errno = ERRNO_BEFORE;
	say("realloc(p, 0) returns NULL", realloc(p, 0) == NULL);
	say("realloc(p, 0) keeps errno", errno == ERRNO_BEFORE);
	p = malloc(0);
	say("realloc(malloc(0), 0) returns NULL", realloc(p, 0) == NULL);
	p = malloc(100);
	say("reallocarray(p, 0, 5) returns NULL", reallocarray(p, 0, 5) == NULL);
	p = reallocarray(NULL, 0, 0);
	say("reallocarray(NULL, 0, 0) is a block", p != NULL);
	free(p);
	say("malloc_usable_size(NULL) is 0", malloc_usable_size(NULL) == 0);
}

/* realloc(p, 0) must give the memory back: two pages of each of 100,000 blocks are touched in turn. */
static void zero_frees(void)
{
	int served = 1;
	for (int i = 0; i < 100000; i++) {
		char *p = malloc(1 << 20);
		served &= p != NULL;
		if (p)
			p[0] = p[(1 << 20) - 1] = 1;
		served &= realloc(p, 0) == NULL;
	}
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	say("realloc(p, 0) frees",
	    served && used.ru_maxrss < 500000); /* in KiB; 800,000 were touched */
}

static void every_size(void)
{
	enum { SIZES = 70000, GROUP = 64 };
	int aligned = 1, usable = 1, apart = 1;

	for (size_t first = 0; first < SIZES; first += GROUP) {
		unsigned char *p[GROUP];
		size_t have[GROUP];
		for (size_t i = 0; i < GROUP; i++) {
			p[i] = malloc(first + i);
			have[i] = malloc_usable_size(p[i]);
			aligned &= (uintptr_t)p[i] % 16 == 0;
			usable &= have[i] >= first + i;
			memset(p[i], (int)i, have[i]);
		}
		for (size_t i = 0; i < GROUP; i++) {
			for (size_t k = 0; k < have[i]; k += k < 16 || k + 16 >= have[i] ? 1 : 7)
				apart &= p[i][k] == i;
			free(p[i]);
		}
	}
	say("each size up to 70,000 is aligned to 16", aligned);
	say("each size up to 70,000 has its usable size", usable);
	say("usable bytes are ours to write", apart);
}

static void same_size(void)
{
	int same = 1;
	for (size_t bytes = 1; bytes < 3000000; bytes += bytes / 7 + 1) {
		char *p = malloc(bytes);
		uintptr_t was = (uintptr_t)p;
		p = realloc(p, bytes);
		same &= (uintptr_t)p == was;
		free(p);
	}
	say("realloc to the same size returns the same block", same);
}

/* A block grown and shrunk byte by byte and in leaps keeps its contents. */
static void grow_and_shrink(void)
{
	unsigned char *p = NULL;
	int kept = 1;
	for (size_t n = 1; n <= 40000; n++) {
		p = realloc(p, n);
		p[n - 1] = (unsigned char)(n * 7);
		if (n % 997 == 0)
			for (size_t i = 0; i < n; i++)
				kept &= p[i] == (unsigned char)((i + 1) * 7);
	}
	for (size_t n = 40000; n > 0; n -= n / 3 + 1) {
		p = realloc(p, n);
		for (size_t i = 0; i < n; i++)
			kept &= p[i] == (unsigned char)((i + 1) * 7);
	}
	free(p);
	say("growing by one and shrinking by leaps keeps contents", kept);
}

static void resize_aligned(void)
{
	int kept = 1;
	for (size_t alignment = 16; alignment <= 1 << 20; alignment *= 2)
		for (size_t bytes = 1; bytes < 1 << 20; bytes = bytes * 5 + 3) {
			unsigned char *p = aligned_alloc(alignment, bytes);
			memset(p, 0x5b, bytes);
			p = realloc(p, bytes * 2);
			for (size_t i = 0; i < bytes; i++)
				kept &= p[i] == 0x5b;
			p = realloc(p, bytes / 2 + 1);
			for (size_t i = 0; i < bytes / 2 + 1 && i < bytes; i++)
				kept &= p[i] == 0x5b;
			free(p);
		}
	say("realloc of aligned blocks keeps contents", kept);
}

static void errno_of_free(void)
{
	int kept = 1;
	for (size_t bytes = 0; bytes < (size_t)64 << 20; bytes = bytes * 3 + 1) {
		void *p = malloc(bytes);
		errno = ERRNO_BEFORE;
		free(p);
		kept &= errno == ERRNO_BEFORE;
		p = aligned_alloc(4096, bytes);
		errno = 0;
		free(p);
		kept &= errno == 0;
	}
	errno = ERRNO_BEFORE;
	free(NULL);
	say("free keeps errno", kept);
	say("free(NULL) keeps errno", errno == ERRNO_BEFORE);
}

static void after_refusal(void)
{
	unsigned char *p = malloc(500);
	memset(p, 1, 500);
	errno = 0;
	int refused = malloc(huge) == NULL && errno == ENOMEM && calloc(huge, 3) == NULL &&
		      realloc(p, huge) == NULL && reallocarray(p, huge, huge) == NULL &&
		      aligned_alloc(64, huge) == NULL && valloc(huge) == NULL;
	int kept = 1;
	for (int i = 0; i < 500; i++)
		kept &= p[i] == 1;
	say("huge requests are refused", refused);
	say("a refused realloc leaves the block alone", kept);
	p = realloc(p, 600);
	say("the next request is served", p != NULL);
	free(p);
}

/* Newer entry points, where this libc or the preload has them; otherwise their meaning, which is free. */
static void newer(void)
{
	void (*cfree)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "cfree");
	void (*free_sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT,
									     "free_sized");
	void (*free_aligned_sized)(void *, size_t, size_t) = (void (*)(void *, size_t, size_t))dlsym(
		RTLD_DEFAULT, "free_aligned_sized");
	int kept = 1;

	for (size_t bytes = 0; bytes < 5000000; bytes = bytes * 2 + 1) {
		char *p = malloc(bytes), *q = malloc(bytes), *r = aligned_alloc(64, bytes);
		errno = ERRNO_BEFORE;
		if (cfree)
			cfree(p);
		else
			free(p);
		if (free_sized)
			free_sized(q, bytes);
		else
			free(q);
		if (free_aligned_sized)
			free_aligned_sized(r, 64, bytes);
		else
			free(r);
		kept &= errno == ERRNO_BEFORE;
	}
	if (cfree)
		cfree(NULL);
	if (free_sized)
		free_sized(NULL, 10);
	if (free_aligned_sized)
		free_aligned_sized(NULL, 64, 10);
	say("cfree, free_sized, free_aligned_sized keep errno", kept);
}

/* Blocks that libc allocates are freed by the program, and the other way round. */
static void shared_with_libc(void)
{
	char *copy = strdup("a string"), *printed = NULL, *line = malloc(1);
	size_t line_bytes = 1;
	int printed_bytes = asprintf(&printed, "%d%500s", 7, "");
	FILE *f = tmpfile();

	fprintf(f, "%s\n", printed);
	rewind(f);
	ssize_t read_bytes = getline(&line, &line_bytes, f);
	fclose(f);
	say("strdup, asprintf and getline share the heap",
	    strcmp(copy, "a string") == 0 && printed_bytes == 501 && read_bytes == 502 &&
		    strncmp(line, printed, 501) == 0);
	free(copy);
	free(printed);
	free(line);
}

static void *free_them(void *arg)
{
	void **blocks = arg;
	errno = ERRNO_BEFORE;
	for (int i = 0; blocks[i]; i++)
		free(blocks[i]);
	return errno == ERRNO_BEFORE ? malloc(77) : NULL;
}

static void across_threads(void)
{
	void *blocks[101] = {NULL}, *from_thread = NULL;
	pthread_t t;
	for (int i = 0; i < 100; i++)
		blocks[i] = malloc((size_t)i * i * i);
	errno = 0;
	pthread_create(&t, NULL, free_them, blocks);
	pthread_join(t, &from_thread);
	say("another thread frees and keeps its own errno", from_thread && errno == 0);
	say("a block outlives its thread", malloc_usable_size(from_thread) >= 77);
	free(from_thread);
}

/* With M_PERTURB or without: calloc is zero, also in memory that was used. */
static void zeroed(void)
{
	int zero = 1;
	for (int round = 0; round < 3; round++)
		for (size_t bytes = 1; bytes < 3000000; bytes = bytes * 2 + 1) {
			unsigned char *p = malloc(bytes);
			memset(p, 0xee, malloc_usable_size(p));
			free(p);
			p = calloc(1, bytes);
			for (size_t i = 0; i < bytes; i++)
				zero &= p[i] == 0;
			memset(p, 0xdd, bytes);
			free(p);
		}
	say("calloc is zero in used memory", zero);
}

int main(void)
{
	zero_sizes();
	zero_frees();
	every_size();
	same_size();
	grow_and_shrink();
	resize_aligned();
	errno_of_free();
	after_refusal();
	newer();
	shared_with_libc();
	across_threads();
	zeroed();
	return 0;
}
