/* SPDX-License-Identifier: MIT */
/* intern.c: see intern.h. */
#include "stack/intern.h"

#include "stack/sample.h"
#include "sys/memory.h"

enum { INDEX = 2 * INTERN_SITES, FRAMES_USED_MAX = INTERN_FRAMES / 4 * 3, PROBES_MAX = 4096 };

/* A frame and its number; 0: an empty place. */
struct entered {
	uint64_t address;
	uint32_t caller, generation, number, reserved;
};

static struct interned {
	struct site sites[INTERN_SITES];
	uint32_t index[INDEX]; /* atomic; numbers of sites, from 1 on; 0: none */
	struct entered frames[INTERN_FRAMES];
} * interned; /* atomic */

static uint32_t site_count, frame_count;

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash ^= word;
	return sample_random(&hash);
}

static uint64_t hash_of(const struct stack *stack)
{
	uint64_t hash = mix(stack->generation, (uint64_t)stack->size_class << 16 |
						       (uint64_t)stack->large_log2 << 8 |
						       stack->end);
	for (unsigned i = 0; i < stack->depth; i++)
		hash = mix(hash, stack->addresses[i]);
	return hash;
}

static uint32_t *place_of(struct interned *in, uint64_t hash)
{
	uint32_t number;
	for (uint64_t at = hash, probes = 0; probes < PROBES_MAX; at++, probes++) {
		uint32_t *place = &in->index[at % INDEX];
		number = __atomic_load_n(place, __ATOMIC_ACQUIRE);
		if (!number || in->sites[number - 1].hash == hash)
			return place;
	}
	return NULL;
}

uint32_t intern_find(const struct stack *stack)
{
	struct interned *in = __atomic_load_n(&interned, __ATOMIC_ACQUIRE);
	uint32_t *place = in ? place_of(in, hash_of(stack)) : NULL;
	return place ? __atomic_load_n(place, __ATOMIC_ACQUIRE) : 0;
}

const struct site *intern_site(uint32_t number)
{
	return &interned->sites[number - 1];
}

static struct interned *map(void)
{
	if (interned)
		return interned;
	struct interned *in = memory_map(NULL, sizeof *in);
	if (in)
		memory_no_huge_pages(in, sizeof *in);
	__atomic_store_n(&interned, in, __ATOMIC_RELEASE);
	return in;
}

/* Of the frame with that caller; 0: no room. */
static uint32_t frame_number(struct interned *in, const struct pm_frame *frame,
			     intern_publish *publish)
{
	uint64_t at = mix(mix(frame->caller, frame->generation), frame->address);
	struct entered *entered = &in->frames[at % INTERN_FRAMES];
	while (entered->number &&
	       (entered->address != frame->address || entered->caller != frame->caller ||
		entered->generation != frame->generation))
		entered = &in->frames[++at % INTERN_FRAMES];
	if (entered->number)
		return entered->number;
	uint32_t number = frame_count < FRAMES_USED_MAX ? publish(frame) : 0;
	if (!number)
		return 0;
	*entered = (struct entered){frame->address, frame->caller, frame->generation, 0, 0};
	entered->number = number;
	frame_count++;
	return number;
}

static uint32_t innermost(struct interned *in, const struct stack *stack, intern_publish *publish)
{
	uint32_t number = 0;
	for (unsigned i = stack->depth; i--;) {
		struct pm_frame frame = {stack->addresses[i], number, stack->generation};
		number = frame_number(in, &frame, publish);
		if (!number)
			return 0;
	}
	return number;
}

uint32_t intern_enter(const struct stack *stack, intern_publish *publish, bool *ret_whole)
{
	struct interned *in = map();
	uint64_t hash = hash_of(stack);
	uint32_t *place = in && site_count < INTERN_SITES - 1 ? place_of(in, hash) : NULL;
	if (!place)
		return 0;
	if (*place) {
		*ret_whole = true;
		return *place;
	}
	uint32_t frame = innermost(in, stack, publish);
	*ret_whole = frame || !stack->depth;
	in->sites[site_count] = (struct site){
		.hash = hash,
		.frame = frame,
		.size_class = stack->size_class,
		.large_log2 = stack->large_log2,
		.stack_end = *ret_whole ? stack->end : PM_STACK_NONE,
	};
	__atomic_store_n(place, ++site_count, __ATOMIC_RELEASE);
	return site_count;
}
