/* SPDX-License-Identifier: MIT */
/*
 * Keeps memory in the ways in which it is kept, and its own account of each block.   usage: frag CASE exit|wait|free
 *
 *   exit  writes the account and exits       wait  writes it and sleeps
 *   free  writes "RSS", frees what the case names as the cause, writes "RSS" again
 *
 * Account: a line "FUNCTION BLOCKS BYTES" of what lives, by who allocated it; then, of the blocks of up to 2,048 bytes, for each
 * page "ADDRESS FUNCTION=BLOCKS ... BYTES", where BYTES are usable ones on it.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, BLOCKS_MAX = 1200000, WHO_MAX = 4, THREADS_MAX = 8 };

struct kept {
	char *block;
	uint32_t bytes;
	uint8_t who;
};

static const char *const names[WHO_MAX] = {"keep", "fill", "cache", "other"};
static struct kept *kept;
static size_t count;

static struct thread {
	sem_t go, done;
	unsigned blocks;
} threads[THREADS_MAX];
static unsigned thread_count;

#define ALLOCATES __attribute__((noinline, noclone))

ALLOCATES static char *keep(size_t bytes)
{
	char *block = malloc(bytes);
	memset(block, 1, bytes);
	return block;
}

ALLOCATES static char *fill(size_t bytes)
{
	char *block = malloc(bytes);
	memset(block, 2, bytes);
	return block;
}

ALLOCATES static char *cache(size_t bytes)
{
	char *block = malloc(bytes);
	memset(block, 3, bytes);
	return block;
}

ALLOCATES static char *other(size_t bytes)
{
	char *block = malloc(bytes);
	memset(block, 4, bytes);
	return block;
}

static char *(*const makers[WHO_MAX])(size_t bytes) = {keep, fill, cache, other};

static void make(unsigned who, size_t bytes)
{
	char *block = makers[who](bytes);
	kept[count++] = (struct kept){block, (uint32_t)malloc_usable_size(block), (uint8_t)who};
}

/* Of those made by `who` all but each `stays`th; 0: all. */
static void drop(unsigned who, size_t stays)
{
	size_t left = 0, seen = 0;

	for (size_t i = 0; i < count; i++)
		if (kept[i].who != who || (stays && seen++ % stays == 0))
			kept[left++] = kept[i];
		else
			free(kept[i].block);
	count = left;
}

/*
 * One small block that lives on in each of ten thousand pools, which are units of 64 KiB: the second of each.  The others are
 * a list through the blocks themselves.
 */
static void one_in_each_pool(void)
{
	enum { POOLS = 10000, UNIT_SHIFT = 16 };
	uintptr_t unit = 0;
	char *list = NULL;

	while (count < POOLS) {
		char *block = fill(32);
		*(char **)block = list;
		list = block;
		if ((uintptr_t)block >> UNIT_SHIFT != unit)
			make(0, 32);
		unit = (uintptr_t)block >> UNIT_SHIFT;
	}
	for (char *next; list; list = next) {
		next = *(char **)list;
		free(list);
	}
}

static void after_a_peak(void)
{
	for (unsigned i = 0; i < 200000; i++)
		make(2, 200);
	drop(2, 100);
}

static void two_lifetimes(void)
{
	for (unsigned i = 0; i < 300000; i++)
		make(i % 16 ? 1 : 0, 100);
	drop(1, 0);
	for (unsigned i = 0; i < 20000; i++)
		make(3, 1000);
}

/* Allocates, frees nothing, and lives on: it gives back what it can when it is told. */
static void *thread_that_keeps(void *of_own)
{
	struct thread *thread = of_own;

	for (unsigned i = 0; i < thread->blocks; i++)
		make(i % 50 ? 1 : 0, 64);
	for (;;) {
		sem_post(&thread->done);
		sem_wait(&thread->go);
		malloc_trim(0);
	}
	return NULL;
}

/* They allocate in turn, so that the account has one writer. */
static void start_threads(unsigned wanted, unsigned blocks)
{
	for (; thread_count < wanted; thread_count++) {
		struct thread *thread = &threads[thread_count];
		pthread_t id;
		thread->blocks = blocks;
		sem_init(&thread->go, 0, 0);
		sem_init(&thread->done, 0, 0);
		pthread_create(&id, NULL, thread_that_keeps, thread);
		sem_wait(&thread->done);
	}
	drop(1, 0);
}

static void give_back(void)
{
	malloc_trim(0);
	for (unsigned i = 0; i < thread_count; i++) {
		sem_post(&threads[i].go);
		sem_wait(&threads[i].done);
	}
}

/* What it made and is not kept the first thread frees. */
static void in_a_thread(void)
{
	start_threads(1, 400000);
}

static void in_each_thread(void)
{
	start_threads(THREADS_MAX, 100000);
}

static const struct {
	const char *name;
	void (*make)(void);
	unsigned cause; /* whose blocks keep memory */
} cases[] = {
	{"pools", one_in_each_pool, 0},  {"peak", after_a_peak, 2},
	{"lifetimes", two_lifetimes, 0}, {"thread", in_a_thread, 0},
	{"threads", in_each_thread, 0},
};

static int by_address(const void *left, const void *right)
{
	const struct kept *a = left, *b = right;
	return (a->block > b->block) - (a->block < b->block);
}

static void print_page(uintptr_t page, const unsigned *blocks, unsigned bytes)
{
	if (!bytes)
		return;
	printf("%lx", (unsigned long)page);
	for (unsigned who = 0; who < WHO_MAX; who++)
		if (blocks[who])
			printf(" %s=%u", names[who], blocks[who]);
	printf(" %u\n", bytes);
}

/* Blocks come in order of address; one may lie on two pages. */
static void print_pages(void)
{
	uintptr_t page = 0;
	unsigned blocks[WHO_MAX] = {0}, bytes = 0;

	for (size_t i = 0; i < count; i++) {
		uintptr_t first = (uintptr_t)kept[i].block, last = first + kept[i].bytes;
		for (uintptr_t at = first & -PAGE; at < last; at += PAGE) {
			if (at != page) {
				print_page(page, blocks, bytes);
				memset(blocks, 0, sizeof blocks);
				bytes = 0;
				page = at;
			}
			uintptr_t begin = first > at ? first : at;
			blocks[kept[i].who]++;
			bytes += (unsigned)((last < at + PAGE ? last : at + PAGE) - begin);
		}
	}
	print_page(page, blocks, bytes);
}

static void print_account(void)
{
	uint64_t blocks[WHO_MAX] = {0}, bytes[WHO_MAX] = {0};

	qsort(kept, count, sizeof *kept, by_address);
	for (size_t i = 0; i < count; i++) {
		blocks[kept[i].who]++;
		bytes[kept[i].who] += kept[i].bytes;
	}
	for (unsigned who = 0; who < WHO_MAX; who++)
		printf("%s %lu %lu\n", names[who], (unsigned long)blocks[who],
		       (unsigned long)bytes[who]);
	print_pages();
	fflush(stdout);
}

static void print_rss(void)
{
	char line[256];
	unsigned long kib = 0, all = 0;
	FILE *smaps = fopen("/proc/self/smaps", "r");

	while (fgets(line, sizeof line, smaps))
		if (sscanf(line, "Rss: %lu", &kib) == 1)
			all += kib;
	fclose(smaps);
	printf("%lu\n", all * 1024);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static char stream[1 << 16];
	size_t which = 0;

	setvbuf(stdout, stream, _IOFBF, sizeof stream);
	kept = memalign(PAGE, BLOCKS_MAX * sizeof *kept); /* larger than any pool holds */
	while (argc == 3 && which < sizeof cases / sizeof *cases &&
	       strcmp(cases[which].name, argv[1]))
		which++;
	if (argc != 3 || which == sizeof cases / sizeof *cases)
		return 2;
	cases[which].make();
	give_back();
	if (strcmp(argv[2], "free") == 0) {
		print_rss();
		getchar();
		drop(cases[which].cause, 0);
		give_back();
		print_rss();
		return 0;
	}
	print_account();
	if (strcmp(argv[2], "wait") == 0)
		getchar();
	return 0;
}
