/* SPDX-License-Identifier: MIT */
/* inheritance.c: see inheritance.h. */
#include "study/inheritance.h"

#include "model/saturate.h"

/* The nearest ancestor with a map; NULL: none. */
static const struct process *mapped_ancestor(const struct recording *recording,
					     const struct process *process)
{
	do
		process = parent_of(recording, process);
	while (process && !process->arena_count);
	return process;
}

/* Arenas lie side by side, in the child behind those of the parent: a range of addresses tells them. */
static void set_range(const struct process *ancestor, struct inheritance *inheritance)
{
	inheritance->arena_first = UINT64_MAX;
	inheritance->arena_last = 0;
	for (size_t i = 0; i < ancestor->arena_count; i++) {
		uint64_t base = ancestor->arenas[i].base;
		if (base < inheritance->arena_first)
			inheritance->arena_first = base;
		if (base > inheritance->arena_last)
			inheritance->arena_last = base;
	}
}

struct inheritance inheritance_of(const struct recording *recording, const struct process *process)
{
	struct inheritance inheritance = {.arena_last = UINT64_MAX};

	if (process->kind != PROCESS_FORK)
		return inheritance;
	const struct process *parent = parent_of(recording, process);
	const struct process *mapped = mapped_ancestor(recording, process);
	bool is_known = parent && mapped_peak_of(&parent->record);

	inheritance.before = is_known ? &parent->record : &process->record;
	if (mapped)
		set_range(mapped, &inheritance);
	return inheritance;
}

bool is_inherited_arena(const struct inheritance *inheritance, const struct arena *arena)
{
	return inheritance->before && arena->base >= inheritance->arena_first &&
	       arena->base <= inheritance->arena_last;
}

/* From now on the value is the least, and the bound holds what it was. */
static void take_off(struct metrics *metrics, enum metric which, uint64_t inherited)
{
	struct known *value = &metrics->value[which];
	struct metric_bound *bound = &metrics->bound[which];

	if (!value->is_known || !inherited)
		return;
	int64_t at_most = bound->is_known ? bound->at_most : value->value;
	value->value = (int64_t)excess((uint64_t)value->value, inherited);
	*bound = (struct metric_bound){at_most != value->value, value->value, at_most};
}

/* What it kept of its own lives beside what it inherited. */
static void raise_live(struct metrics *metrics, enum metric live, enum metric leak)
{
	struct known *value = &metrics->value[live];
	struct metric_bound *bound = &metrics->bound[live];
	int64_t least = metrics->value[leak].value;

	if (!value->is_known || !bound->is_known || least <= value->value)
		return;
	value->value = least < bound->at_most ? least : bound->at_most;
	*bound = (struct metric_bound){value->value != bound->at_most, value->value, bound->at_most};
}

static void take_off_arenas(const struct inheritance *inheritance, const struct process *process,
			    struct metrics *metrics)
{
	uint64_t arenas = 0, pools = 0;

	for (size_t i = 0; i < process->arena_count; i++)
		arenas += is_inherited_arena(inheritance, &process->arenas[i]);
	for (size_t i = 0; i < process->pool_count; i++)
		pools += process->pools[i].state == PM_POOL_LIVE &&
			 is_inherited_arena(inheritance, &process->arenas[process->pools[i].arena]);
	take_off(metrics, METRIC_ARENA_COUNT, arenas);
	take_off(metrics, METRIC_POOL_COUNT, pools);
}

void inheritance_take_off(const struct inheritance *inheritance, const struct process *process,
			  struct metrics *metrics)
{
	const struct pm_process *own = &process->record, *before = inheritance->before;

	if (!before)
		return;
	take_off(metrics, METRIC_LIVE_BLOCKS, own->inherited_blocks);
	take_off(metrics, METRIC_LIVE_BYTES, own->inherited_bytes);
	raise_live(metrics, METRIC_LIVE_BLOCKS, METRIC_LEAK_BLOCKS);
	raise_live(metrics, METRIC_LIVE_BYTES, METRIC_LEAK_BYTES);
	take_off(metrics, METRIC_LIVE_PEAK, own->inherited_bytes);
	take_off(metrics, METRIC_HEAP_COMMITTED, mapped_peak_of(before));
	take_off(metrics, METRIC_HEAP_COMMITTED_PEAK, mapped_peak_of(before));
	take_off(metrics, METRIC_HEAP_META, before->meta_bytes);
	take_off(metrics, METRIC_GEN_EPOCHS, before->epoch);
	for (unsigned g = 0; g < 3; g++)
		take_off(metrics, METRIC_GEN_0_SWEEPS + g, before->sweeps[g]);
	take_off_arenas(inheritance, process, metrics);
}
