/* SPDX-License-Identifier: MIT */
/*
 * recycle.c: areas of dead children, and areas laid ready.
 *
 * An area is taken back when its process is gone, which a futex call tells without a signal or a file.  The counts of the dead one are added to a DEPARTED slot first.
 */
#include "segment/segment.h"

#include "sys/memory.h"

enum { RECYCLE_FROM = 64, LOOK_AT = 32 };

static uint32_t kind_of(uint32_t number)
{
	const struct pm_chunk *chunk = segment_chunk(number);
	return chunk ? __atomic_load_n(&chunk->kind, __ATOMIC_ACQUIRE) : PM_CHUNK_EMPTY;
}

/* Only one-slot areas of forked children whose pids mean here what they mean there. */
static bool may_be_taken(const struct pm_slot *slot, uint32_t number)
{
	const struct pm_process *process = &slot->process;
	uint32_t state = __atomic_load_n(&process->state, __ATOMIC_ACQUIRE);
	return slot->chunk.process == number && process->parent && state != PM_STATE_NONE &&
	       !process->more_slots && !process->foreign && process->pid;
}

static bool is_dead(const struct pm_slot *slot)
{
	uint32_t scratch = 0;
	return !memory_thread_exists(&scratch, slot->process.pid);
}

/* Somebody's parent stays, so that the tree can be told. */
static bool has_children(uint32_t number)
{
	uint32_t chunks = __atomic_load_n(&segment.header->chunks, __ATOMIC_ACQUIRE);
	for (uint32_t n = 1; n < chunks; n++)
		if (kind_of(n) == PM_CHUNK_SLOT &&
		    ((const struct pm_slot *)segment_chunk(n))->process.parent == number)
			return true;
	return false;
}

/* Another process may take it, and a new child get it, between the look and the swap: look again. */
static bool take_dead(uint32_t number)
{
	uint32_t slot_kind = PM_CHUNK_SLOT;
	struct pm_slot *slot = segment_chunk(number);
	if (!slot || kind_of(number) != PM_CHUNK_SLOT || !may_be_taken(slot, number) ||
	    !is_dead(slot) || has_children(number) ||
	    !__atomic_compare_exchange_n(&slot->chunk.kind, &slot_kind, PM_CHUNK_EMPTY, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	if (may_be_taken(slot, number) && is_dead(slot))
		return true;
	segment_commit(number, PM_CHUNK_SLOT);
	return false;
}

/* The pools it published are not the next one's. */
static void clear_maps(uint32_t process)
{
	uint32_t chunks = __atomic_load_n(&segment.header->chunks, __ATOMIC_ACQUIRE);
	for (uint32_t n = 1; n < chunks; n++) {
		struct pm_map *map = segment_chunk(n);
		if (kind_of(n) == PM_CHUNK_MAP && map->chunk.process == process &&
		    map->chunk.used_bytes > sizeof map->chunk)
			__builtin_memset((char *)map + sizeof map->chunk, 0,
					 map->chunk.used_bytes - sizeof map->chunk);
	}
}

static void add_counts(struct pm_slot *to, const struct pm_slot *from)
{
	for (unsigned c = 0; c < PM_TALLY_COUNT; c++) {
		const struct pm_tally *tally = &from->tally[c];
		int64_t allocations = tally->limit[tally->left & 1] - (tally->left >> 8);
		__atomic_add_fetch(&to->tally[c].limit[0], allocations, __ATOMIC_RELAXED);
		for (unsigned age = 0; age < PM_AGE_COUNT; age++)
			__atomic_add_fetch(&to->tally[c].freed[age], tally->freed[age],
					   __ATOMIC_RELAXED);
	}
	for (unsigned i = 0; i < PM_COUNTER_COUNT; i++)
		__atomic_add_fetch(&to->counter[i], from->counter[i], __ATOMIC_RELAXED);
}

static uint32_t find_departed(void)
{
	uint32_t chunks = __atomic_load_n(&segment.header->chunks, __ATOMIC_ACQUIRE);
	for (uint32_t n = 1; n < chunks; n++)
		if (kind_of(n) == PM_CHUNK_SLOT &&
		    ((const struct pm_slot *)segment_chunk(n))->use == PM_SLOT_DEPARTED)
			return n;
	return 0;
}

/* Of the process that created the segment.  Two at a time may make one each: both count. */
static struct pm_slot *departed_slot(void)
{
	uint32_t number = find_departed();
	if (!number) {
		number = segment_add(segment.header->leader, 1, sizeof(struct pm_slot));
		if (!number)
			return NULL;
		((struct pm_slot *)segment_chunk(number))->use = PM_SLOT_DEPARTED;
		segment_commit(number, PM_CHUNK_SLOT);
	}
	return segment_chunk(number);
}

static void empty(uint32_t number, struct pm_slot *departed)
{
	struct pm_slot *slot = segment_chunk(number);
	struct pm_slot *creator = segment_chunk(segment.header->leader);
	add_counts(departed, slot);
	clear_maps(number);
	__builtin_memset((char *)slot + sizeof slot->chunk, 0, sizeof *slot - sizeof slot->chunk);
	slot->chunk.process = number;
	__atomic_add_fetch(&creator->process.recycled_children, 1, __ATOMIC_RELAXED);
	__atomic_or_fetch(&creator->process.notes, UINT64_C(1) << PM_NOTE_RECYCLED,
			  __ATOMIC_RELAXED);
}

/* Looks at a few chunks from where it stopped the last time.  Returns an EMPTY slot or 0. */
static uint32_t recycle(void)
{
	static uint32_t next;
	uint32_t chunks = __atomic_load_n(&segment.header->chunks, __ATOMIC_ACQUIRE);
	for (unsigned looked = 0; looked < LOOK_AT && looked < chunks; looked++) {
		uint32_t number = next++ % chunks;
		if (!number || !take_dead(number))
			continue;
		struct pm_slot *departed = departed_slot();
		if (departed) {
			empty(number, departed);
			return number;
		}
		segment_commit(number, PM_CHUNK_SLOT); /* no room for the sums: leave it */
		return 0;
	}
	return 0;
}

/* Once there are many chunks, areas of the dead are used before new ones. */
static uint32_t area(void)
{
	if (!segment.header)
		return 0;
	uint32_t chunks = __atomic_load_n(&segment.header->chunks, __ATOMIC_ACQUIRE);
	uint32_t number = chunks > RECYCLE_FROM || segment.full ? recycle() : 0;
	return number ? number : segment_add(0, 0, sizeof(struct pm_slot));
}

uint32_t segment_renew_spare(uint32_t number)
{
	if (number && kind_of(number) == PM_CHUNK_SPARE)
		return number;
	number = area();
	if (number)
		segment_commit(number, PM_CHUNK_SPARE);
	return number;
}

uint32_t segment_claim_any(void)
{
	uint32_t number = area();
	if (number)
		segment_commit(number, PM_CHUNK_SLOT);
	return number;
}
