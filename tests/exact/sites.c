/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-ipa-icf */ /* link: -ldl */
/*
 * sites.c: allocates in functions whose names begin with site_, keeps its own account of each, and prints it:
 * name, blocks allocated, bytes asked for, freed, live, bytes asked for live, moved, temporary, freed by another thread.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { BLOCKS = 60000, THREADS = 4, PER_THREAD = 500, DEPTH = 60 };

enum site {
	SITE_plain,
	SITE_recursive,
	SITE_inlined,
	SITE_zeroed,
	SITE_grown,
	SITE_aligned,
	SITE_library,
	SITE_threaded,
	SITE_temporary,
	SITE_handled,
	SITE_coroutine,
	SITE_large,
	SITE_sorted,
	SITE_child,
	SITE_COUNT
};

static const char *const names[SITE_COUNT] = {
	"site_plain",     "site_recursive", "site_inlined",  "site_zeroed",    "site_grown",
	"site_aligned",   "site_library",   "site_threaded", "site_temporary", "site_handled",
	"site_coroutine", "site_large",     "site_sorted",   "site_child",
};

static struct account {
	uint64_t allocated, requested, freed, live, live_requested, moved, temporary, remote;
} accounts[SITE_COUNT];

static struct {
	void *block;
	size_t size;
	uint64_t order; /* of all allocations of the main thread */
	enum site site;
} blocks[BLOCKS];
static unsigned block_count;
static uint64_t state = 1, order;

static unsigned below(unsigned limit)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(state >> 33) % limit;
}

/* A block that one of the functions has got. */
static void *keep(enum site site, void *block, size_t size)
{
	struct account *account = &accounts[site];
	if (!block || block_count == BLOCKS)
		abort();
	account->allocated++;
	account->requested += size;
	account->live++;
	account->live_requested += size;
	blocks[block_count].block = block;
	blocks[block_count].size = size;
	blocks[block_count].order = ++order;
	blocks[block_count++].site = site;
	return block;
}

static void gone(enum site site, size_t size)
{
	accounts[site].freed++;
	accounts[site].remote += site == SITE_threaded;
	accounts[site].live--;
	accounts[site].live_requested -= size;
}

static void give(unsigned i)
{
	gone(blocks[i].site, blocks[i].size);
	accounts[blocks[i].site].temporary += blocks[i].order == order &&
					      blocks[i].site != SITE_threaded;
	free(blocks[i].block);
	blocks[i] = blocks[--block_count];
}

#define SITE __attribute__((noinline, noclone)) void

SITE site_plain(size_t size)
{
	keep(SITE_plain, malloc(size), size);
}

SITE site_recursive(unsigned depth)
{
	keep(SITE_recursive, malloc(depth + 1), depth + 1);
	if (depth)
		site_recursive(depth - 1);
	__asm__ volatile("");
}

static inline __attribute__((always_inline)) void site_inlined(size_t size)
{
	keep(SITE_inlined, malloc(size), size);
}

static __attribute__((noinline)) void one_caller(void)
{
	site_inlined(100);
	__asm__ volatile("");
}

static __attribute__((noinline)) void other_caller(void)
{
	site_inlined(2000);
	__asm__ volatile("");
}

SITE site_zeroed(size_t size)
{
	keep(SITE_zeroed, calloc(size, 3), size * 3);
}

/* A block that moves is one that is freed and another that is allocated; one that stays has another size. */
SITE site_grown(size_t most)
{
	void *block = keep(SITE_grown, malloc(8), 8);
	struct account *account = &accounts[SITE_grown];
	unsigned last = block_count - 1;
	for (size_t size = 8, more; size < most; size = more) {
		more = size + size / 3 + 1;
		void *now = realloc(block, more);
		if (now != block) {
			account->freed++;
			account->allocated++;
			account->moved++;
			account->requested += more;
			blocks[last].order = ++order;
		}
		account->live_requested += more - size;
		blocks[last].block = block = now;
		blocks[last].size = more;
	}
}

SITE site_aligned(size_t alignment, size_t size)
{
	keep(SITE_aligned, aligned_alloc(alignment, size), size);
}

SITE site_temporary(size_t size)
{
	void *block = keep(SITE_temporary, malloc(size), size);
	__asm__ volatile("" : "+r"(block));
	give(block_count - 1);
}

SITE site_handled(int number)
{
	keep(SITE_handled, malloc((size_t)number), (size_t)number);
}

SITE site_large(size_t size)
{
	keep(SITE_large, malloc(size), size);
}

static ucontext_t here, there;

SITE site_coroutine(void)
{
	for (unsigned i = 0; i < 50; i++) {
		keep(SITE_coroutine, malloc(i + 1), i + 1);
		swapcontext(&there, &here);
	}
}

SITE site_child(size_t size)
{
	keep(SITE_child, malloc(size), size);
}

static __attribute__((noinline, noclone)) int site_sorted(const void *left, const void *right)
{
	keep(SITE_sorted, malloc(24), 24);
	return *(const int *)left - *(const int *)right;
}

/* --- scenes ------------------------------------------------------------------------------------------ */

static void *of_threads[THREADS][PER_THREAD];

static __attribute__((noinline, noclone)) void *site_threaded(void *number)
{
	for (unsigned i = 0; i < PER_THREAD; i++)
		of_threads[(uintptr_t)number][i] = malloc(40 + (uintptr_t)number);
	__asm__ volatile("");
	return NULL;
}

static void threads(void)
{
	pthread_t thread[THREADS];
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, site_threaded, (void *)i);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (unsigned t = 0; t < THREADS; t++)
		for (unsigned i = 0; i < PER_THREAD; i++) {
			keep(SITE_threaded, of_threads[t][i], 40 + t);
			if (i % 2)
				give(block_count - 1);
		}
}

static void coroutine(void)
{
	static char stack[8192];
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof stack;
	there.uc_link = &here;
	makecontext(&there, site_coroutine, 0);
	for (unsigned i = 0; i <= 50; i++)
		swapcontext(&here, &there);
}

static void library(const char *path)
{
	void *opened = dlopen(path, RTLD_NOW);
	void *(*allocate)(size_t) = NULL;
	*(void **)&allocate = opened ? dlsym(opened, "site_library") : NULL;
	if (!allocate)
		abort();
	for (unsigned i = 1; i <= 100; i++)
		keep(SITE_library, allocate(i), i);
}

static void sort(void)
{
	int numbers[30];
	for (unsigned i = 0; i < 30; i++)
		numbers[i] = (int)below(1000);
	qsort(numbers, 30, sizeof *numbers, site_sorted);
}

static void print(void)
{
	for (unsigned i = 0; i < SITE_COUNT; i++) {
		const struct account *a = &accounts[i];
		printf("%s %lu %lu %lu %lu %lu %lu %lu %lu\n", names[i], a->allocated, a->requested,
		       a->freed, a->live, a->live_requested, a->moved, a->temporary, a->remote);
	}
}

/* By the same calls in the parent and in the child, each of which has an account of its own: what it inherited is in neither. */
static void before_and_after_fork(void)
{
	for (bool is_child = false;; is_child = true) {
		for (unsigned i = 0; i < 300; i++) {
			site_child(i);
			if (i % 3 == 0)
				give(block_count - 1);
		}
		print();
		fflush(stdout);
		if (is_child || fork())
			break;
		for (unsigned i = 0; i < 200; i++)
			free(blocks[i].block);
		memset(accounts, 0, sizeof accounts);
		block_count = 0;
		puts("child");
	}
	wait(NULL);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, malloc(BUFSIZ), _IOFBF, BUFSIZ);
	if (argc < 2)
		return 2;
	signal(SIGUSR1, site_handled);
	for (unsigned i = 0; i < 3000; i++) {
		site_plain(below(40000));
		if (i % 10 == 0)
			site_recursive(i % DEPTH);
		if (i % 3 == 0)
			give(below(block_count));
		if (i % 100 == 0)
			raise(SIGUSR1);
		one_caller();
		other_caller();
		site_zeroed(below(500));
		site_temporary(below(2000));
		site_aligned(16U << below(5), 16 * (1 + below(100)));
		if (i % 50 == 0)
			site_large(40000 + below(3000000));
	}
	for (unsigned i = 1; i < 20; i++)
		site_grown(i * 150000);
	threads();
	coroutine();
	library(argv[1]);
	sort();
	for (unsigned i = 0; i < 3000; i++)
		give(below(block_count));
	before_and_after_fork();
	return 0;
}
