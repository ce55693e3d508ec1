/* SPDX-License-Identifier: MIT */
/*
 * foreign.c: blocks of another allocator, and who serves with POOLMEM=off or heap=next.
 *
 * A library loaded with RTLD_DEEPBIND, or blocks from before us: what is not in our arenas belongs to the
 * next allocator in the search order, usually glibc.  Before the constructor it is not known yet; such
 * frees are counted and left alone.
 */
#define _GNU_SOURCE
#include "life/life.h"
#include "sys/raw.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

bool host_off, host_next, host_unusual;
struct host_instead host_instead;

/* Where libc has the break, NULL as long as nobody asked it: its own allocator grows there, and ours never. */
extern char *__curbrk __attribute__((weak));
static const char *break_at_start;

struct foreign foreign;
struct host_tuning host_tuning;

/* A function pointer from dlsym, without a cast that ISO C forbids. */
static void find(void *pointer_to_function, const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);
	memcpy(pointer_to_function, &symbol, sizeof symbol);
}

static void *refuse(size_t size)
{
	(void)size;
	errno = ENOMEM;
	return NULL;
}

static void *calloc_of_one(size_t size)
{
	return foreign.calloc(1, size);
}

static void *refuse_other(void *block, size_t size)
{
	(void)block, (void)size;
	errno = ENOMEM;
	return NULL;
}

static void ignore(void *block)
{
	(void)block;
}

void foreign_serves(void)
{
	host_instead = (struct host_instead){
		.malloc = foreign.malloc ? foreign.malloc : refuse,
		.calloc = foreign.calloc ? calloc_of_one : refuse,
		.realloc = foreign.realloc ? foreign.realloc : refuse_other,
		.free = foreign.free ? foreign.free : ignore,
	};
}

void *host_realloc_foreign(void *block, size_t size)
{
	return foreign.realloc ? foreign.realloc(block, size) : refuse_other(block, size);
}

void host_free_foreign(void *block)
{
	if (host_instead.free) {
		host_instead.free(block);
		return;
	}
	int saved = errno;
	heap_count_here(PM_COUNTER_FOREIGN_FREE);
	if (foreign.free)
		foreign.free(block);
	errno = saved;
}

size_t host_usable_foreign(void *block)
{
	return foreign.usable ? foreign.usable(block) : 0;
}

bool foreign_heap_grew(void)
{
	return &__curbrk && __curbrk && __curbrk != break_at_start;
}

void foreign_init(void)
{
	break_at_start = (const char *)raw_call3(SYS_brk, 0, 0, 0);
	find(&foreign.malloc, "malloc");
	find(&foreign.calloc, "calloc");
	find(&foreign.realloc, "realloc");
	find(&foreign.memalign, "memalign");
	find(&foreign.free, "free");
	find(&foreign.usable, "malloc_usable_size");
}

void foreign_tuning_init(void)
{
	find(&host_tuning.mallinfo2, "mallinfo2");
	find(&host_tuning.mallinfo, "mallinfo");
	find(&host_tuning.mallopt, "mallopt");
	find(&host_tuning.malloc_trim, "malloc_trim");
	find(&host_tuning.malloc_stats, "malloc_stats");
	find(&host_tuning.malloc_info, "malloc_info");
}
