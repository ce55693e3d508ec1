/* SPDX-License-Identifier: MIT */
/* steps.c: fills the table and makes it forget. */
#include "stack/steps.h"

#include "stack/walk.h"
#include "sys/memory.h"

enum { GENERATIONS = 65535 };

struct steps_entry (*steps_table)[STEPS_WAYS];
uint32_t steps_generation = 1;
uint32_t steps_mask = STEPS_FEW - 1;

static uint32_t turn; /* which way is given up next; races do no harm */

static const size_t table_bytes = sizeof(struct steps_entry) * STEPS_WAYS * STEPS_SETS;

static bool is_current(const struct steps_entry *entry, uint32_t generation)
{
	uint64_t step = __atomic_load_n(&entry->step, __ATOMIC_RELAXED);
	uint64_t mark = __atomic_load_n(&entry->mark, __ATOMIC_RELAXED);
	return (mark ^ steps_mix(step)) >> 48 == generation;
}

/* Where as many were given up as there are sets.  What moves to another set is found no more, and entered again. */
static void serve_more(uint32_t given_up)
{
	uint32_t mask = __atomic_load_n(&steps_mask, __ATOMIC_RELAXED);
	if ((given_up & mask) == mask && mask < STEPS_SETS - 1)
		__atomic_compare_exchange_n(&steps_mask, &mask, 2 * mask + 1, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void steps_widen(void)
{
	__atomic_store_n(&steps_mask, STEPS_SETS - 1, __ATOMIC_RELAXED);
}

/* An entry that says nothing now, else one after the other. */
static struct steps_entry *choose(struct steps_entry *set, uint64_t hash, uint32_t generation)
{
	for (unsigned i = 0; i < STEPS_WAYS; i++)
		if (!is_current(&set[(hash + i) % STEPS_WAYS], generation))
			return &set[(hash + i) % STEPS_WAYS];
	uint32_t given_up = __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED);
	serve_more(given_up);
	return &set[given_up % STEPS_WAYS];
}

static void enter(uint32_t generation, uintptr_t ip, bool is_exact, struct step step)
{
	struct steps_entry(*table)[STEPS_WAYS] = __atomic_load_n(&steps_table, __ATOMIC_ACQUIRE);
	uint64_t hash = steps_hash(ip), word;
	if (!table || !steps_has_key(ip))
		return;
	__builtin_memcpy(&word, &step, sizeof word);
	struct steps_entry *entry = choose(steps_set(table, hash), hash, generation);
	uint64_t mark = steps_key(generation, ip, is_exact) ^ steps_mix(word);
	__atomic_store_n(&entry->step, word, __ATOMIC_RELAXED);
	__atomic_store_n(&entry->mark, mark, __ATOMIC_RELAXED);
}

/* Where there is no module now, one may be tomorrow: that is not remembered. */
__attribute__((noinline)) struct step steps_add(uintptr_t ip, bool is_exact)
{
	uint32_t generation = __atomic_load_n(&steps_generation, __ATOMIC_ACQUIRE);
	bool has_module;
	struct step step = step_compile(ip, is_exact, &has_module);
	if (has_module)
		enter(generation, ip, is_exact, step);
	return step;
}

bool steps_init(void)
{
	void *table = memory_map_own(MEMORY_TELEMETRY, table_bytes);
	if (table)
		__atomic_store_n(&steps_table, table, __ATOMIC_RELEASE);
	return table;
}

/* Before the first generation comes again, what it entered goes. */
static void clear(void)
{
	struct steps_entry(*table)[STEPS_WAYS] = __atomic_load_n(&steps_table, __ATOMIC_ACQUIRE);
	if (!table || memory_purge(table, table_bytes))
		return;
	for (unsigned i = 0; i < STEPS_SETS * STEPS_WAYS; i++)
		__atomic_store_n(&table[i / STEPS_WAYS][i % STEPS_WAYS].mark, 0, __ATOMIC_RELAXED);
}

void steps_forget(void)
{
	uint32_t now = __atomic_load_n(&steps_generation, __ATOMIC_ACQUIRE), next;
	do {
		next = now % GENERATIONS + 1;
		if (next == 1)
			clear();
	} while (!__atomic_compare_exchange_n(&steps_generation, &now, next, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}
