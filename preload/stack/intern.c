/* SPDX-License-Identifier: MIT */
/* intern.c: see intern.h. */
#include "stack/intern.h"

#include "stack/reuse.h"
#include "stack/sample.h"
#include "sys/memory.h"

enum {
	BLOCKS = INTERN_SITES / INTERN_SITE_BLOCK,
	FIRST_PLACES = 128, /* of the index, which grows when it is half full, and of frames, at three quarters */
	GROWTH = 2,
};

/* A number from 1 on, atomic, stored behind its hash; 0: an empty place. */
struct indexed {
	uint64_t hash;
	uint64_t number;
};

/* Places by hash, a power of two.  Old ones stay: somebody may be looking. */
struct index {
	uint64_t places;
	struct indexed place[];
};

/* A frame and its number; 0: an empty place. */
struct entered {
	uint64_t address;
	uint32_t caller, generation, number, reserved;
};

static struct site *site_blocks[BLOCKS];
static struct index *index_now; /* atomic */
static uint32_t site_count;

/* Nobody looks at these but who enters. */
static struct {
	struct entered *place;
	uint64_t places, count; /* places: a power of two */
} frames;

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash ^= word;
	return sample_random(&hash);
}

const void *intern_site_blocks(void)
{
	return site_blocks;
}

const struct site *intern_site(uint32_t number)
{
	return &site_blocks[(number - 1) / INTERN_SITE_BLOCK][(number - 1) % INTERN_SITE_BLOCK];
}

/* Where it stands, or where it would. */
static struct indexed *place_of(struct index *index, uint64_t hash, uint64_t *ret_number)
{
	for (uint64_t at = hash;; at++) {
		struct indexed *place = &index->place[at & (index->places - 1)];
		*ret_number = __atomic_load_n(&place->number, __ATOMIC_ACQUIRE);
		if (!*ret_number || place->hash == hash)
			return place;
	}
}

uint32_t intern_find(uint64_t hash)
{
	struct index *index = __atomic_load_n(&index_now, __ATOMIC_ACQUIRE);
	uint64_t number = 0;
	if (index)
		place_of(index, hash, &number);
	return (uint32_t)number;
}

/* --- entering ---------------------------------------------------------------------------------------- */

static void *map(size_t bytes)
{
	void *mapped = memory_map_own(MEMORY_TELEMETRY, bytes);
	if (mapped)
		memory_no_huge_pages(mapped, bytes);
	return mapped;
}

static void put(struct index *index, uint64_t hash, uint64_t number)
{
	uint64_t none;
	struct indexed *place = place_of(index, hash, &none);
	place->hash = hash;
	__atomic_store_n(&place->number, number, __ATOMIC_RELEASE);
}

static bool grow_index(void)
{
	struct index *old = index_now;
	uint64_t places = old ? old->places * GROWTH : FIRST_PLACES;
	struct index *index = map(sizeof *index + places * sizeof index->place[0]);
	if (!index)
		return false;
	index->places = places;
	for (uint64_t i = 0; old && i < old->places; i++)
		if (old->place[i].number)
			put(index, old->place[i].hash, old->place[i].number);
	__atomic_store_n(&index_now, index, __ATOMIC_RELEASE);
	return true;
}

static struct entered *frame_place(const struct pm_frame *frame)
{
	uint64_t at = mix(mix(frame->caller, frame->generation), frame->address);
	struct entered *entered = &frames.place[at & (frames.places - 1)];
	while (entered->number &&
	       (entered->address != frame->address || entered->caller != frame->caller ||
		entered->generation != frame->generation))
		entered = &frames.place[++at & (frames.places - 1)];
	return entered;
}

static bool grow_frames(void)
{
	struct entered *old = frames.place;
	uint64_t old_places = frames.places, places = old ? old_places * GROWTH : FIRST_PLACES;
	struct entered *place = places <= INTERN_FRAMES ? map(places * sizeof *place) : NULL;
	if (!place)
		return false;
	frames.place = place;
	frames.places = places;
	for (uint64_t i = 0; old && i < old_places; i++) {
		struct pm_frame frame = {old[i].address, old[i].caller, old[i].generation};
		if (old[i].number)
			*frame_place(&frame) = old[i];
	}
	if (old)
		memory_unmap_own(old, old_places * sizeof *old);
	return true;
}

/* 0: no room. */
static uint32_t frame_number(const struct pm_frame *frame, intern_publish *publish)
{
	if (4 * frames.count >= 3 * frames.places && !grow_frames())
		return 0;
	struct entered *entered = frame_place(frame);
	if (entered->number)
		return entered->number;
	uint32_t number = publish(frame);
	if (!number)
		return 0;
	*entered = (struct entered){frame->address, frame->caller, frame->generation, 0, 0};
	entered->number = number;
	frames.count++;
	return number;
}

/* The frames inside the innermost one whose number is noted are looked up, and noted. */
static uint32_t innermost(const struct stack *stack, intern_publish *publish)
{
	uint32_t *noted = stack->numbers, number = 0;
	unsigned fresh = noted ? 0 : stack->depth;
	while (fresh < stack->depth && !noted[fresh])
		fresh++;
	if (fresh < stack->depth)
		number = noted[fresh];
	for (unsigned i = fresh; i--;) {
		uint64_t address = stack->addresses[i];
		struct pm_frame frame = {address, number, reuse_generation(address)};
		number = frame_number(&frame, publish);
		if (!number)
			return 0;
		if (noted)
			noted[i] = number;
	}
	return number;
}

/* Of as many as there may be, longer stacks leave some for shorter ones. */
static uint64_t share_for(unsigned depth, uint64_t most)
{
	if (depth > INTERN_SHORT)
		return most - most / 4;
	if (depth > INTERN_TINY)
		return most - most / 16;
	return depth ? most - most / 64 : most;
}

bool intern_has_room(unsigned depth)
{
	return __atomic_load_n(&site_count, __ATOMIC_RELAXED) < share_for(depth, INTERN_SITES) &&
	       __atomic_load_n(&frames.count, __ATOMIC_RELAXED) <
		       share_for(depth, INTERN_FRAMES / 2);
}

static bool make_room(void)
{
	struct site **block = &site_blocks[site_count / INTERN_SITE_BLOCK];
	if (site_count == INTERN_SITES)
		return false;
	if (!*block)
		*block = map(INTERN_SITE_BLOCK * sizeof **block);
	bool is_full = !index_now || 2 * site_count >= index_now->places;
	return *block && (!is_full || grow_index());
}

/* What no frame found room for, though it is as short as can be, stands with none. */
uint32_t intern_enter(const struct stack *stack, intern_publish *publish, bool *ret_whole)
{
	uint64_t hash = intern_hash(stack);
	uint32_t number = intern_find(hash); /* somebody was faster */
	*ret_whole = true;
	if (number || !intern_has_room(stack->depth) || !make_room())
		return number;
	uint32_t frame = innermost(stack, publish);
	*ret_whole = frame || !stack->depth;
	if (!*ret_whole && stack->depth > INTERN_TINY)
		return 0;
	site_blocks[site_count / INTERN_SITE_BLOCK][site_count % INTERN_SITE_BLOCK] = (struct site){
		.frame = frame,
		.size_class = stack->size_class,
		.large_log2 = stack->large_log2,
		.stack_end = *ret_whole ? stack->end : PM_STACK_NONE,
	};
	number = ++site_count; /* before it is found: a child that is forked here does not give it again */
	put(index_now, hash, number);
	return number;
}
