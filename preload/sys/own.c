/* SPDX-License-Identifier: MIT */
/*
 * own.c: which mappings are the library's own, for who asks where memory went.
 *
 * A list that only grows; a place whose mapping went is free.  What finds no place is not noted, and is taken for the
 * program's.
 */
#include "sys/memory.h"

struct memory_own memory_own[MEMORY_OWN_MAX] MEMORY_FAR;
uint32_t memory_own_count;

static void note(const void *address, size_t bytes, enum memory_use use)
{
	uint32_t place = __atomic_fetch_add(&memory_own_count, 1, __ATOMIC_RELAXED);
	if (place >= MEMORY_OWN_MAX) {
		__atomic_store_n(&memory_own_count, MEMORY_OWN_MAX, __ATOMIC_RELAXED);
		return;
	}
	memory_own[place].bytes = bytes;
	memory_own[place].use = use;
	__atomic_store_n(&memory_own[place].address, (uintptr_t)address, __ATOMIC_RELEASE);
}

static uint32_t places(void)
{
	uint32_t count = __atomic_load_n(&memory_own_count, __ATOMIC_ACQUIRE);
	return count < MEMORY_OWN_MAX ? count : MEMORY_OWN_MAX;
}

void *memory_map_own(enum memory_use use, size_t bytes)
{
	void *mapped = memory_map(NULL, bytes);
	if (mapped)
		note(mapped, bytes, use);
	return mapped;
}

void memory_unmap_own(void *address, size_t bytes)
{
	for (uint32_t i = 0; i < places(); i++)
		if (__atomic_load_n(&memory_own[i].address, __ATOMIC_RELAXED) == (uintptr_t)address)
			__atomic_store_n(&memory_own[i].address, 0, __ATOMIC_RELAXED);
	memory_unmap(address, bytes);
}

void memory_each_own(memory_visit_own *visit, void *context)
{
	for (uint32_t i = 0; i < places(); i++) {
		uintptr_t address = __atomic_load_n(&memory_own[i].address, __ATOMIC_ACQUIRE);
		if (address)
			visit((const void *)address, memory_own[i].bytes, memory_own[i].use,
			      context);
	}
}
