/* SPDX-License-Identifier: MIT */
/* place.c: see place.h. */
#define _GNU_SOURCE
#include "replay/place.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STACK_BYTES = 64 << 10, STACK_TOUCHED_BYTES = 16 << 10 };

static struct {
	pthread_mutex_t lock;
	struct place *free;
	size_t page_bytes, kept_bytes; /* whole pages */
} places = {.lock = PTHREAD_MUTEX_INITIALIZER};

_Noreturn void give_up(const char *what)
{
	dprintf(STDERR_FILENO, "poolmem-replay: %s\n", what);
	_exit(1);
}

static char *map(size_t bytes)
{
	void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mapped == MAP_FAILED)
		give_up("no memory for its tables");
	madvise(mapped, bytes, MADV_NOHUGEPAGE);
	return mapped;
}

static void touch_pages(volatile char *from, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += (size_t)sysconf(_SC_PAGESIZE))
		from[at] = 0;
}

void *map_touched(size_t bytes)
{
	char *mapped = map(bytes);

	touch_pages(mapped, bytes);
	return mapped;
}

void places_begin(size_t kept_bytes)
{
	places.page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	places.kept_bytes = (kept_bytes + places.page_bytes - 1) & ~(places.page_bytes - 1);
}

static void put(struct place *place)
{
	pthread_mutex_lock(&places.lock);
	place->next = places.free;
	places.free = place;
	pthread_mutex_unlock(&places.lock);
}

size_t places_add(void)
{
	size_t touched_bytes = STACK_TOUCHED_BYTES + places.kept_bytes;
	char *mapped = map(places.page_bytes + STACK_BYTES + places.kept_bytes);
	char *stack = mapped + places.page_bytes, *end = stack + STACK_BYTES;
	struct place *place = (struct place *)(void *)end;

	mprotect(mapped, places.page_bytes, PROT_NONE);
	touch_pages(end - STACK_TOUCHED_BYTES, touched_bytes);
	*place = (struct place){.stack = stack};
	put(place);
	return touched_bytes;
}

struct place *place_take(void)
{
	pthread_mutex_lock(&places.lock);
	struct place *place = places.free;

	if (place)
		places.free = place->next;
	pthread_mutex_unlock(&places.lock);
	if (place && place->had_thread)
		pthread_join(place->thread, NULL);
	return place;
}

void place_start(struct place *place, void *(*run)(void *))
{
	pthread_attr_t attributes;

	place->had_thread = true;
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, place->stack, STACK_BYTES);
	if (pthread_create(&place->thread, &attributes, run, place))
		give_up("no thread can be created");
	pthread_attr_destroy(&attributes);
}

void place_leave(struct place *place)
{
	put(place);
}
