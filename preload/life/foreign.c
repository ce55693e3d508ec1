/* SPDX-License-Identifier: MIT */
/*
 * foreign.c: blocks of another allocator.
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

bool host_off, host_unusual;

/* Where libc has the break, NULL as long as nobody asked it: its own allocator grows there, and ours never. */
extern char *__curbrk __attribute__((weak));
static const char *break_at_start;

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void *(*memalign)(size_t, size_t);
	void (*free)(void *);
	size_t (*usable)(void *);
} next;

/* A function pointer from dlsym, without a cast that ISO C forbids. */
static void find(void *pointer_to_function, const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);
	memcpy(pointer_to_function, &symbol, sizeof symbol);
}

bool foreign_heap_grew(void)
{
	return &__curbrk && __curbrk && __curbrk != break_at_start;
}

void foreign_init(void)
{
	break_at_start = (const char *)raw_call3(SYS_brk, 0, 0, 0);
	find(&next.malloc, "malloc");
	find(&next.calloc, "calloc");
	find(&next.realloc, "realloc");
	find(&next.memalign, "memalign");
	find(&next.free, "free");
	find(&next.usable, "malloc_usable_size");
}

void host_free_foreign(void *block)
{
	int saved = errno;
	if (!host_off)
		heap_count_here(PM_COUNTER_FOREIGN_FREE);
	if (next.free)
		next.free(block);
	errno = saved;
}

size_t host_usable_foreign(void *block)
{
	return next.usable ? next.usable(block) : 0;
}

void *host_realloc_foreign(void *block, size_t size)
{
	return next.realloc ? next.realloc(block, size) : NULL;
}

void *host_alloc_foreign(size_t alignment, size_t size, bool zeroed)
{
	if (alignment > CLASS_GRAIN)
		return next.memalign ? next.memalign(alignment, size) : NULL;
	if (zeroed)
		return next.calloc ? next.calloc(1, size) : NULL;
	return next.malloc ? next.malloc(size) : NULL;
}
