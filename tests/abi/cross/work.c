/* SPDX-License-Identifier: MIT */
/*
 * work.c: a known number of blocks of each kind, in the program and in children that it forks; each process says how many it
 * has asked for and given back, `PID ALLOCATED FREED`, and asks for none to say so.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 600, CHILDREN = 4, KINDS = 6 };

static unsigned long allocated, freed;
static void *kept[BLOCKS];

static void *checked(void *block, size_t alignment)
{
	if (!block || (uintptr_t)block % alignment)
		_exit(3);
	allocated++;
	return block;
}

__attribute__((noinline)) static void *leaf(size_t bytes)
{
	return checked(malloc(bytes), 16);
}

__attribute__((noinline)) static void *with_array(size_t bytes)
{
	volatile char array[bytes % 200 + 1];
	array[0] = 1;
	char *block = leaf(bytes);
	block[0] = array[0];
	return block;
}

static void *take(unsigned i)
{
	size_t bytes = (i * 7919) % 3000 + 1;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	switch (i % KINDS) {
	case 0: return checked(calloc(bytes, 3), 16);
	case 1: return checked(realloc(NULL, bytes), 16);
	case 2: return checked(memalign(1024, bytes), 1024);
	case 3: return checked(valloc(bytes), page);
	case 4: return checked(malloc(bytes * 100), 16); /* large */
	default: return with_array(bytes);
	}
}

static void give(unsigned i)
{
	free(kept[i]);
	freed += kept[i] != NULL;
	kept[i] = NULL;
}

/* In place, or moved: then one came and one went. */
static void resize(unsigned i)
{
	uintptr_t before = (uintptr_t)kept[i];
	size_t bytes = malloc_usable_size(kept[i]);

	memset(kept[i], (int)i, bytes);
	kept[i] = realloc(kept[i], bytes * 2);
	for (size_t at = 0; at < bytes; at++)
		if (((unsigned char *)kept[i])[at] != (unsigned char)i)
			_exit(4);
	allocated += (uintptr_t)kept[i] != before;
	freed += (uintptr_t)kept[i] != before;
}

static void work(unsigned step)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		give(i);
		kept[i] = take(i * step);
	}
	for (unsigned i = 0; i < BLOCKS; i += 3)
		resize(i);
	for (unsigned i = 0; i < BLOCKS; i += 2)
		give(i);
}

static void say(void)
{
	char line[64];
	int bytes = snprintf(line, sizeof line, "%d %lu %lu\n", (int)getpid(), allocated, freed);

	if (write(1, line, (size_t)bytes) != bytes)
		_exit(5);
}

int main(void)
{
	int status;

	work(1);
	for (unsigned n = 0; n < CHILDREN; n++) {
		if (fork() == 0) {
			allocated = freed = 0;
			work(n + 2);
			say();
			_exit(0);
		}
		if (wait(&status) < 0 || status)
			return 1;
	}
	work(5);
	say();
	return 0;
}
