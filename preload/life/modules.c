/* SPDX-License-Identifier: MIT */
/*
 * modules.c: programs and libraries that stacks lead through.
 *
 * Those that are there at the start stand in the facts.  One that came by dlopen() is met by the first walk that
 * needs its unwinding information: then it is added to the facts, and the loader's own record of it, a block of malloc like any
 * other, is marked, so that its free, which is a dlclose() whoever called that, is seen here.  Another module may come to the
 * same addresses afterwards: steps are forgotten, and frames that are met from then on are of the next generation.
 */
#define _GNU_SOURCE
#include "heap/region.h"
#include "life/records.h"
#include "stack/walk.h"
#include "tally/clock.h"

#include <link.h>
#include <string.h>

enum { MODULES_MAX = 1024, MODULE_HEAD_BYTES = 4096 };

/* Added to by one thread at a time, first where one was that is closed. */
static struct module {
	uint64_t first, last; /* addresses of its first byte and behind its last; 0: none */
	uint64_t record;      /* the loader's, where that is watched; atomic: 0 is written last */
} known[MODULES_MAX];
static uint32_t known_count; /* atomic */
static uint32_t generation;  /* atomic */

uint32_t modules_generation(void)
{
	return __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
}

static bool is_known(uint64_t first)
{
	uint32_t count = __atomic_load_n(&known_count, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < count; i++)
		if (known[i].first <= first && first < known[i].last)
			return true;
	return false;
}

static struct module *free_place(void)
{
	for (uint32_t i = 0; i < known_count; i++)
		if (!__atomic_load_n(&known[i].record, __ATOMIC_ACQUIRE) && !known[i].last)
			return &known[i];
	return known_count < MODULES_MAX ? &known[known_count] : NULL;
}

void modules_know(uint64_t first, uint64_t last)
{
	struct module *place = free_place();
	if (!place)
		return;
	*place = (struct module){first, last, 0};
	if (place == &known[known_count])
		__atomic_store_n(&known_count, known_count + 1, __ATOMIC_RELEASE);
}

void modules_closed(uint64_t record)
{
	uint32_t count = __atomic_load_n(&known_count, __ATOMIC_ACQUIRE);
	__atomic_add_fetch(&generation, 1, __ATOMIC_RELEASE);
	steps_forget();
	for (uint32_t i = 0; i < count; i++)
		if (__atomic_load_n(&known[i].record, __ATOMIC_ACQUIRE) == record) {
			known[i].first = known[i].last = 0;
			__atomic_store_n(&known[i].record, 0, __ATOMIC_RELEASE);
		}
}

/* Where it has become free meanwhile, the stamp stays as it is. */
static bool mark(struct pool *pool, uint8_t *stamp, const void *block)
{
	uint8_t now = __atomic_load_n(stamp, __ATOMIC_RELAXED);
	struct recorded recorded = {
		.address = (uintptr_t)block,
		.bytes = pool->block_bytes,
		.epoch = clock_now.epoch - clock_age(now),
		.descent = records_descent(),
		.size_class = pool->size_class,
		.stamp = now,
		.is_module = true,
	};
	if (now == STAMP_FREE || now == STAMP_SPECIAL || !blocks_put(&recorded))
		return false;
	if (__atomic_compare_exchange_n(stamp, &now, STAMP_SPECIAL, false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		return true;
	blocks_remove(blocks_find(block));
	return false;
}

/* Of a frozen block that is not recorded the free is not seen. */
static bool watch(const void *record)
{
	struct pool *pool = region_pool_of(record);
	struct place place = pool_place(pool, record);
	if (pool == &pool_nowhere || pool->state == POOL_LARGE || !place.exact)
		return false;
	return host_is_recorded(pool, place.index) ? records_watch(pool, place.index)
						   : mark(pool, &pool->stamps[place.index], record);
}

/* What dl_iterate_phdr() would say of it, which takes the loader's lock. */
static bool describe(const struct dl_find_object *found, struct dl_phdr_info *ret_info)
{
	const ElfW(Ehdr) *header = found->dlfo_map_start;
	size_t bytes = (size_t)((char *)found->dlfo_map_end - (char *)found->dlfo_map_start);
	if (bytes < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) > MODULE_HEAD_BYTES)
		return false;
	*ret_info = (struct dl_phdr_info){
		.dlpi_addr = found->dlfo_link_map->l_addr,
		.dlpi_name = found->dlfo_link_map->l_name,
		.dlpi_phdr = (const ElfW(Phdr) *)((const char *)header + header->e_phoff),
		.dlpi_phnum = header->e_phnum,
	};
	return true;
}

/* Its free may come at any time from when it is watched. */
static void watch_known(uint64_t first, const void *record)
{
	for (uint32_t i = 0; i < known_count; i++)
		if (known[i].first <= first && first < known[i].last) {
			__atomic_store_n(&known[i].record, (uintptr_t)record, __ATOMIC_RELEASE);
			if (!watch(record))
				__atomic_store_n(&known[i].record, 0, __ATOMIC_RELEASE);
		}
}

static void meet(const struct dl_find_object *found)
{
	struct dl_phdr_info info;
	uint64_t first = (uintptr_t)found->dlfo_map_start;
	if (is_known(first) || !wiped.alive || !wiped_try(&wiped.entering))
		return;
	if (!is_known(first) && describe(found, &info)) {
		if (free_place() && facts_add_module(&info, modules_generation()))
			watch_known(first, found->dlfo_link_map);
		else
			life_process()->notes |= UINT64_C(1) << PM_NOTE_FACTS_CUT;
	}
	wiped_done(&wiped.entering);
}

void modules_init(void)
{
	walk_met = meet;
}
