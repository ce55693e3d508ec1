/* SPDX-License-Identifier: MIT */
/*
 * modules.c: programs and libraries that stacks lead through.
 *
 * Those that are there at the start stand in the facts.  One that came by dlopen() is met by the first walk that
 * needs its unwinding information: then it is added to the facts, and the loader's own record of it, a block of malloc like any
 * other, is marked, so that its free, which is a dlclose() whoever called that, is seen here.  Another module may come to the
 * same addresses afterwards: steps are forgotten, and frames there are of another generation from then on.  A module that comes
 * back to where it was is of the one that it had, so that a program that opens and closes one in turn has no more stacks than
 * one that keeps it open.
 */
#define _GNU_SOURCE
#include "heap/births.h"
#include "heap/region.h"
#include "life/records.h"
#include "stack/reuse.h"
#include "stack/walk.h"
#include "tally/clock.h"

#include <link.h>
#include <string.h>

enum { MODULES_MAX = 1024, MET_MAX = 64, MODULE_HEAD_BYTES = 4096 };

/* Added to by one thread at a time, first where one was that is closed. */
static struct module {
	uint64_t first, last; /* addresses of its first byte and behind its last; 0: none */
	uint64_t record;      /* the loader's, where that is watched; atomic: 0 is written last */
	uint32_t generation;  /* of its frames, where addresses of it had one */
} known[MODULES_MAX];
static uint32_t known_count; /* atomic */

/* The last ones that were added, whether they are there or not.  Of one thread at a time. */
static struct met {
	uint64_t identity; /* of facts.c */
	uint32_t descent;  /* of whose facts */
	uint32_t generation;
} met[MET_MAX];
static uint32_t met_count;
static bool is_one_missed; /* atomic */

static uint32_t generations; /* so far; atomic */

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

void modules_know(uint64_t first, uint64_t last, uint32_t generation)
{
	struct module *place = free_place();
	if (!place)
		return;
	*place = (struct module){first, last, 0, generation};
	if (place == &known[known_count])
		__atomic_store_n(&known_count, known_count + 1, __ATOMIC_RELEASE);
}

/* --- generations ------------------------------------------------------------------------------------- */

static uint32_t next_generation(void)
{
	return __atomic_add_fetch(&generations, 1, __ATOMIC_RELAXED);
}

/* All code is of the next one, but for that of modules that something was said of. */
static uint32_t renew_all(void)
{
	uint32_t count = __atomic_load_n(&known_count, __ATOMIC_ACQUIRE), next = next_generation();
	reuse_set_all(next);
	for (uint32_t i = 0; i < count; i++)
		if (known[i].last)
			reuse_set(known[i].first, known[i].last, known[i].generation);
	return next;
}

void modules_closed(uint64_t record)
{
	uint32_t count = __atomic_load_n(&known_count, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < count; i++)
		if (__atomic_load_n(&known[i].record, __ATOMIC_ACQUIRE) == record) {
			struct module closed = known[i];
			known[i].first = known[i].last = 0;
			if (!reuse_set(closed.first, closed.last, next_generation()))
				renew_all();
			__atomic_store_n(&known[i].record, 0, __ATOMIC_RELEASE);
		}
	steps_forget();
}

/* One of these that came back and was not met at once has frames of the generation of its closing: so it is a new one. */
static const struct met *met_before(uint64_t identity)
{
	if (__atomic_exchange_n(&is_one_missed, false, __ATOMIC_RELAXED))
		memset(met, 0, sizeof met);
	for (uint32_t i = 0; identity && i < MET_MAX; i++)
		if (met[i].identity == identity && met[i].descent == life.descent)
			return &met[i];
	return NULL;
}

/* Of the generation of what is there since another one was closed.  false: no room. */
static bool add_new(const struct dl_phdr_info *info, const struct pm_module *module,
		    uint64_t identity)
{
	uint32_t generation = reuse_highest(module->first, module->last);
	if (generation && !reuse_set(module->first, module->last, generation))
		generation = renew_all();
	if (!facts_add_module(info, generation))
		return false;
	met[met_count++ % MET_MAX] = (struct met){identity, life.descent, generation};
	return true;
}

static bool add(const struct dl_phdr_info *info)
{
	struct pm_module module;
	uint64_t identity = facts_identity(info, &module);
	const struct met *before = met_before(identity);
	if (!before || !reuse_set(module.first, module.last, before->generation))
		return add_new(info, &module, identity);
	modules_know(module.first, module.last, before->generation);
	return true;
}

/* --- meeting ----------------------------------------------------------------------------------------- */

/*
 * Where it has become free meanwhile, the stamp stays as it is.  A free at the same time, which reads the stamp and then
 * writes it, would miss the mark: but the block goes when its module is closed, and the thread that marks it has a frame of
 * that module on its stack.
 */
static bool mark(size_t bytes, unsigned size_class, uint8_t *stamp, const void *block)
{
	uint8_t now = __atomic_load_n(stamp, __ATOMIC_RELAXED);
	struct recorded recorded = {
		.address = (uintptr_t)block,
		.bytes = bytes,
		.epoch = clock_now.epoch - clock_age(now),
		.descent = records_descent(),
		.size_class = (uint8_t)size_class,
		.stamp = now,
		.is_module = true,
	};
	if (now == STAMP_FREE || now == STAMP_SPECIAL || !blocks_put(&recorded))
		return false;
	if (__atomic_compare_exchange_n(stamp, &now, STAMP_SPECIAL, false, __ATOMIC_RELEASE,
					__ATOMIC_RELAXED))
		return true;
	blocks_remove(blocks_find(block));
	return false;
}

/* One that another allocator serves. */
static bool watch_elsewhere(const void *record)
{
	struct recorded *recorded = blocks_find(record);
	if (recorded) {
		recorded->is_module = true;
		return true;
	}
	size_t usable = host_usable_foreign((void *)record);
	uint8_t *stamp = births_at(record, usable);
	return stamp && mark(usable, CLASS_LARGE, stamp, record);
}

/* Of a frozen block that is not recorded the free is not seen. */
static bool watch(const void *record)
{
	if (host_next)
		return watch_elsewhere(record);
	struct pool *pool = region_pool_of(record);
	struct place place = pool_place(pool, record);
	if (pool == &pool_nowhere || pool->state == POOL_LARGE || !place.exact)
		return false;
	return host_is_recorded(pool, place.index) ? records_watch(pool, place.index)
						   : mark(pool->block_bytes, pool->size_class,
							  &pool->stamps[place.index], record);
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
	if (is_known(first) || !wiped.alive)
		return;
	if (!wiped_try(&wiped.entering)) {
		__atomic_store_n(&is_one_missed, true, __ATOMIC_RELAXED);
		return;
	}
	if (!is_known(first) && describe(found, &info)) {
		if (free_place() && add(&info))
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
