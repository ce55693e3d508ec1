/* SPDX-License-Identifier: MIT */
/* phases.c: see phases.h. */
#include "study/phases.h"

#include "model/saturate.h"
#include "study/amount.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

/* Sums as of now, or as of the end, in the form of one more mark. */
static struct pm_mark last_of(const struct process *process)
{
	const struct pm_process *record = &process->record;
	const struct layout *layout = process->layout;
	struct pm_mark mark = {.at_ns = sum(record->began_ns, process->elapsed_ns),
			       .epoch = record->epoch};
	struct amount allocated = {0, 0}, freed[PM_AGE_COUNT] = {{0, 0}};

	memcpy(mark.sweeps, record->sweeps, sizeof mark.sweeps);
	for (uint32_t c = 0; c < layout->class_count; c++) {
		const struct class_count *count = &process->classes[c];
		amount_add(&allocated, &layout->classes[c], count->allocated);
		for (uint32_t age = 0; age < layout->age_count; age++)
			amount_add(&freed[age], &layout->classes[c], count->freed_at[age]);
	}
	mark.allocated = allocated.blocks;
	mark.allocated_bytes = allocated.bytes;
	for (uint32_t age = 0; age < layout->age_count; age++) {
		mark.freed[age] = freed[age].blocks;
		mark.freed_bytes[age] = freed[age].bytes;
	}
	return mark;
}

/* A forked child's epochs go on from its parent's. */
static struct pm_mark first_of(const struct process *process, const struct inheritance *inheritance)
{
	struct pm_mark mark = {.at_ns = process->record.began_ns};

	if (inheritance->before) {
		mark.epoch = inheritance->before->epoch;
		memcpy(mark.sweeps, inheritance->before->sweeps, sizeof mark.sweeps);
	}
	return mark;
}

static void set_live(struct phase *phase, const struct process *process, const struct pm_mark *end)
{
	uint64_t blocks = sum(process->record.inherited_blocks, end->allocated);
	uint64_t bytes = sum(process->record.inherited_bytes, end->allocated_bytes);

	for (uint32_t age = 0; age < process->layout->age_count; age++) {
		blocks = excess(blocks, end->freed[age]);
		bytes = excess(bytes, end->freed_bytes[age]);
	}
	phase->live = blocks;
	phase->live_bytes = bytes;
}

static void set_deaths(struct phase *phase, const struct process *process,
		       const struct pm_mark *begin, const struct pm_mark *end)
{
	struct age_row rows[PM_AGE_COUNT];
	uint32_t age_count = process->layout->age_count;

	for (uint32_t i = 0; i < age_count; i++) {
		const struct pm_age *age = &process->layout->ages[i];
		rows[i] = (struct age_row){
			.generation = age->generation,
			.age_min = age->age_min,
			.age_max = age->age_max,
			.died = excess(end->freed[i], begin->freed[i]),
			.died_bytes = excess(end->freed_bytes[i], begin->freed_bytes[i]),
		};
		phase->died = sum(phase->died, rows[i].died);
		phase->died_bytes = sum(phase->died_bytes, rows[i].died_bytes);
		if (age->age_max)
			continue;
		phase->died_young = sum(phase->died_young, rows[i].died);
		phase->died_young_bytes = sum(phase->died_young_bytes, rows[i].died_bytes);
	}
	struct curve_point died = {0, phase->died, phase->died_bytes};
	uint64_t age_max = end->epoch < UINT32_MAX ? end->epoch : UINT32_MAX;
	curve_make(rows, age_count, &died, age_max, &phase->deaths);
}

static void make_phase(struct phase *phase, const struct process *process,
		       const struct pm_mark *begin, const struct pm_mark *end)
{
	*phase = (struct phase){
		.elapsed_ns = sum(excess(end->at_ns, begin->at_ns), 0),
		.allocated = sum(excess(end->allocated, begin->allocated), 0),
		.allocated_bytes = sum(excess(end->allocated_bytes, begin->allocated_bytes), 0),
		.epochs = sum(excess(end->epoch, begin->epoch), 0),
	};
	for (int g = 0; g < GENERATION_COUNT; g++)
		phase->sweeps[g] = sum(excess(end->sweeps[g], begin->sweeps[g]), 0);
	set_live(phase, process, end);
	set_deaths(phase, process, begin, end);
}

void phases_of(const struct process *process, const struct inheritance *inheritance,
	       struct phases *ret)
{
	struct phases phases = {.count = 0};
	size_t marks = process->mark_count;

	*ret = phases;
	if (!marks)
		return;
	struct pm_mark first = first_of(process, inheritance), last = last_of(process);
	phases.list = allocate(marks + 1, sizeof *phases.list);
	for (size_t i = 0; i <= marks; i++) {
		struct phase *phase = &phases.list[phases.count++];
		make_phase(phase, process, i ? &process->marks[i - 1] : &first,
			   i < marks ? &process->marks[i] : &last);
		phase->name = i ? process->marks[i - 1].name : NULL;
	}
	*ret = phases;
}

void phases_free(struct phases *phases)
{
	for (size_t i = 0; i < phases->count; i++)
		curve_free(&phases->list[i].deaths);
	free(phases->list);
}
