/* SPDX-License-Identifier: MIT */
/* slots.c: counts of the slots of a process. */
#include "model/parts.h"
#include "model/saturate.h"
#include "source/chunk.h"
#include "text/allocate.h"

#include <string.h>

struct class_count *class_counts_new(const struct layout *layout)
{
	struct class_count *counts = allocate(layout->class_count, sizeof *counts);
	uint64_t *freed_at = allocate((size_t)layout->class_count * layout->age_count,
				      sizeof *freed_at);
	for (uint32_t c = 0; c < layout->class_count; c++)
		counts[c].freed_at = freed_at + (size_t)c * layout->age_count;
	return counts;
}

/* Returns the sum; ret_died: by generation. */
static uint64_t add_freed(const struct pm_tally *tally, const struct layout *layout,
			  struct class_count *total, uint64_t ret_died[GENERATION_COUNT])
{
	uint64_t freed = 0;
	for (uint32_t age = 0; age < layout->age_count; age++) {
		uint64_t *died = &ret_died[layout->ages[age].generation];
		/* The array may be longer than this program knows: not indexed by its type. */
		uint64_t count;
		memcpy(&count, (const char *)tally->freed + age * sizeof count, sizeof count);
		total->freed_at[age] = sum(total->freed_at[age], count);
		freed = sum(freed, count);
		*died = sum(*died, count);
	}
	total->freed = sum(total->freed, freed);
	return freed;
}

static void add_to_slot(const struct pm_class *size_class, int64_t allocated, uint64_t freed,
			struct slot *slot)
{
	bool counts_bytes = size_class->kind == PM_CLASS_LARGE_BYTES;
	uint64_t unit = counts_bytes ? 1 : size_class->block_bytes;

	if (!counts_bytes) {
		slot->allocated = balance(slot->allocated, allocated);
		slot->freed = sum(slot->freed, freed);
	}
	slot->allocated_bytes = balance(slot->allocated_bytes, scaled(allocated, unit));
	slot->freed_bytes = sum(slot->freed_bytes, product(freed, unit));
}

static void read_tallies(const struct image *image, const unsigned char *chunk, struct slot *slot,
			 struct process *process)
{
	for (uint32_t c = 0; c < process->layout->class_count; c++) {
		if (!process->layout->classes[c].kind)
			continue;
		const struct pm_tally *tally = chunk_tally(&image->header, chunk, c);
		struct class_count *total = &process->classes[c];
		int64_t allocated = tally_allocated(tally);
		uint64_t died[GENERATION_COUNT] = {0};
		uint64_t freed = add_freed(tally, process->layout, total, died);
		total->balance = balance(total->balance, allocated);
		total->allocated = at_least_none(total->balance);
		add_to_slot(&process->layout->classes[c], allocated, freed, slot);
		if (process->layout->classes[c].kind != PM_CLASS_LARGE_BYTES)
			for (int g = 0; g < GENERATION_COUNT; g++)
				slot->died[g] = sum(slot->died[g], died[g]);
	}
}

static void read_counters(const struct image *image, const struct pm_slot *from, struct slot *slot,
			  struct process *process)
{
	for (uint32_t i = 0; i < PM_COUNTER_COUNT && i < image->header.slot_counters; i++) {
		slot->counter[i] = from->counter[i];
		process->counter[i] = sum(process->counter[i], from->counter[i]);
	}
}

static void read_slot(const struct image *image, uint32_t number, struct slot *slot,
		      struct process *process)
{
	const struct pm_slot *from = (const void *)image->chunks[number];

	*slot = (struct slot){
		.chunk = number,
		.use = from->use,
		.tid = from->tid,
		.held = from->held,
		.holders = from->holders,
		.began_ns = from->began_ns,
		.ended_ns = from->ended_ns,
	};
	read_counters(image, from, slot, process);
	read_tallies(image, image->chunks[number], slot, process);
}

void read_slots(const struct image *image, bool departed, struct process *process)
{
	uint32_t count;
	const struct image_entry *entry = image_entries(image, PM_CHUNK_SLOT, process->chunk,
							&count);

	process->classes = class_counts_new(process->layout);
	process->slots = allocate(count, sizeof *process->slots);
	for (uint32_t i = 0; i < count; i++) {
		const struct pm_slot *slot = (const void *)image->chunks[entry[i].number];
		const struct image_amount *drift = &image->drift[entry[i].number];
		if ((slot->use == PM_SLOT_DEPARTED) != departed)
			continue;
		read_slot(image, entry[i].number, &process->slots[process->slot_count++], process);
		process->drift_blocks = sum(process->drift_blocks, drift->blocks);
		process->drift_bytes = sum(process->drift_bytes, drift->bytes);
	}
	process->telemetry_bytes = product(process->slot_count, image->header.chunk_bytes);
}
