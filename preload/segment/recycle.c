/* SPDX-License-Identifier: MIT */
/*
 * recycle.c: areas of dead children, and areas laid ready.
 *
 * An area is taken back when its process is gone, which a futex call tells without a signal or a file.
 * The counts of the dead one are added to a slot DEPARTED first.  There are two of those.  The older one is
 * rewritten as a whole, and one store of its sequence puts it in force; so whoever is killed at any point
 * of this leaves each count exactly once: in the dead one's own area, marked DYING, or in the slot that
 * names the area as `absorbed`.
 */
#include "segment/segment.h"

#include "sys/memory.h"

enum { RECYCLE_FROM = 64, RECYCLE_LATE_FROM = 2048, LOOK_AT = 32 };

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

/* One process at a time, across the tree: who it is stands in the leader's slot. */
static bool lock(struct pm_slot *leader)
{
	uint32_t holder = 0, scratch = 0, mine = segment.pid;
	if (!mine)
		return false; /* pids mean something else here than to the others */
	if (__atomic_compare_exchange_n(&leader->recycler, &holder, mine, false, __ATOMIC_ACQ_REL,
					__ATOMIC_RELAXED))
		return true;
	return !memory_thread_exists(&scratch, holder) &&
	       __atomic_compare_exchange_n(&leader->recycler, &holder, mine, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void unlock(struct pm_slot *leader)
{
	__atomic_store_n(&leader->recycler, 0, __ATOMIC_RELEASE);
}

/* Marks it DYING.  One that is DYING already was left so by a holder of the lock who was killed. */
static bool take_dead(uint32_t number)
{
	uint32_t slot_kind = PM_CHUNK_SLOT;
	struct pm_slot *slot = segment_chunk(number);
	if (!slot)
		return false;
	if (kind_of(number) == PM_CHUNK_DYING)
		return true;
	return kind_of(number) == PM_CHUNK_SLOT && may_be_taken(slot, number) && is_dead(slot) &&
	       !has_children(number) &&
	       __atomic_compare_exchange_n(&slot->chunk.kind, &slot_kind, PM_CHUNK_DYING, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void clear_behind(struct pm_chunk *chunk, size_t bytes)
{
	__builtin_memset(chunk + 1, 0, bytes - sizeof *chunk);
}

/* Bytes of a chunk that are of one process alone; 0: not of that sort. */
static size_t record_bytes(const struct pm_chunk *chunk, uint32_t kind)
{
	switch (kind) {
	case PM_CHUNK_MAP:
	case PM_CHUNK_TIMELINE:
	case PM_CHUNK_SURVEY:
	case PM_CHUNK_SITES: return chunk->used_bytes;
	case PM_CHUNK_SURVIVAL: return sizeof(struct pm_survival);
	case PM_CHUNK_MARKS: return sizeof(struct pm_marks);
	default: return 0;
	}
}

/* The pools it published, its sweeps, marks, sites and timeline are not the next one's. */
static void clear_records(uint32_t process)
{
	uint32_t chunks = __atomic_load_n(&segment.header->chunks, __ATOMIC_ACQUIRE);
	for (uint32_t n = 1; n < chunks; n++) {
		struct pm_chunk *chunk = segment_chunk(n);
		size_t bytes = record_bytes(chunk, kind_of(n));
		if (bytes <= sizeof *chunk || chunk->process != process)
			continue;
		clear_behind(chunk, bytes);
		if (chunk->kind == PM_CHUNK_SITES || chunk->kind == PM_CHUNK_SURVEY)
			chunk->used_bytes = 0;
	}
}

static void add_counts(struct pm_slot *to, const struct pm_slot *from)
{
	for (unsigned c = 0; c < PM_TALLY_COUNT; c++) {
		const struct pm_tally *tally = &from->tally[c];
		to->tally[c].limit[0] += tally->limit[tally->left & 1] - (tally->left >> 8);
		for (unsigned age = 0; age < PM_AGE_COUNT; age++)
			to->tally[c].freed[age] += pm_tally_freed(tally, age);
	}
	for (unsigned i = 0; i < PM_COUNTER_COUNT; i++)
		to->counter[i] += from->counter[i];
}

/* Both DEPARTED slots, the one in force first.  false: no room. */
static bool departed_slots(struct pm_slot *ret[2])
{
	uint32_t chunks = __atomic_load_n(&segment.header->chunks, __ATOMIC_ACQUIRE);
	unsigned found = 0;
	for (uint32_t n = 1; n < chunks && found < 2; n++) {
		struct pm_slot *slot = segment_chunk(n);
		if (kind_of(n) == PM_CHUNK_SLOT && slot->use == PM_SLOT_DEPARTED)
			ret[found++] = slot;
	}
	for (; found < 2; found++) {
		uint32_t number = segment_add(segment.header->leader, 0, sizeof(struct pm_slot));
		if (!number)
			return false;
		ret[found] = segment_chunk(number);
		ret[found]->use = PM_SLOT_DEPARTED;
		segment_commit(number, PM_CHUNK_SLOT);
	}
	if (ret[1]->chunk.sequence > ret[0]->chunk.sequence) {
		struct pm_slot *newer = ret[1];
		ret[1] = ret[0];
		ret[0] = newer;
	}
	return true;
}

/* Adds the counts of the dead; the store of the sequence is the moment.  Returns the slot in force then. */
static const struct pm_slot *absorb(struct pm_slot *const departed[2], const struct pm_slot *dead,
				    uint32_t number)
{
	const struct pm_slot *now = departed[0];
	struct pm_slot *next = departed[1];
	if (now->absorbed == number) /* by one who was killed before he could empty it */
		return now;
	__builtin_memcpy(next->counter, now->counter, sizeof next->counter);
	__builtin_memcpy(next->tally, now->tally, sizeof next->tally);
	add_counts(next, dead);
	next->process.recycled_children = now->process.recycled_children + 1;
	next->absorbed = number;
	__atomic_store_n(&next->chunk.sequence, now->chunk.sequence + 1, __ATOMIC_RELEASE);
	return next;
}

/* As segment_add() leaves a chunk.  Who sees that its counts are gone sees them where they were added. */
static void empty(struct pm_slot *dead, uint32_t number)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	clear_records(number);
	__builtin_memset((char *)dead + sizeof dead->chunk, 0, sizeof *dead - sizeof dead->chunk);
	dead->chunk.process = number;
	segment_commit(number, PM_CHUNK_EMPTY);
}

/* The slot names nothing that could be handed out again: an area is DYING a second time. */
static void forget_absorbed(struct pm_slot *const departed[2])
{
	for (unsigned i = 0; i < 2; i++)
		__atomic_store_n(&departed[i]->absorbed, 0, __ATOMIC_RELEASE);
}

static bool reclaim(uint32_t number, struct pm_slot *leader)
{
	struct pm_slot *departed[2], *dead = segment_chunk(number);
	if (!departed_slots(departed))
		return false; /* no room for the sums: it stays DYING, and counted */
	leader->process.recycled_children = absorb(departed, dead, number)->process.recycled_children;
	empty(dead, number);
	forget_absorbed(departed);
	__atomic_or_fetch(&leader->process.notes, UINT64_C(1) << PM_NOTE_RECYCLED, __ATOMIC_RELAXED);
	return true;
}

/* Looks at a few chunks from where it stopped the last time.  Returns an EMPTY slot or 0. */
static uint32_t look_for_dead(struct pm_slot *leader)
{
	static uint32_t next;
	uint32_t chunks = __atomic_load_n(&segment.header->chunks, __ATOMIC_ACQUIRE);
	for (unsigned looked = 0; looked < LOOK_AT && looked < chunks; looked++) {
		uint32_t number = next++ % chunks;
		if (number && take_dead(number))
			return reclaim(number, leader) ? number : 0;
	}
	return 0;
}

static uint32_t recycle(void)
{
	struct pm_slot *leader = segment_chunk(segment.header->leader);
	if (!lock(leader))
		return 0;
	uint32_t number = look_for_dead(leader);
	unlock(leader);
	return number;
}

/* Once there are many chunks, areas of the dead are used before new ones. */
static uint32_t area(void)
{
	if (!segment.header)
		return 0;
	uint32_t chunks = __atomic_load_n(&segment.header->chunks, __ATOMIC_ACQUIRE);
	uint32_t from = segment.keeps_dead ? RECYCLE_LATE_FROM : RECYCLE_FROM;
	uint32_t number = chunks > from || segment.full ? recycle() : 0;
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
