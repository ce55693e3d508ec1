/* SPDX-License-Identifier: MIT */
/* survival.c: see survival.h. */
#include "study/survival.h"

#include "model/saturate.h"

/* Counters are words that wrap; what does not fit together in a damaged file counts as nothing. */
static uint64_t figure(uint64_t word)
{
	return word > FIGURE_MAX ? 0 : word;
}

static void add_deaths(const struct process *process, uint32_t size_class, struct flow *flow)
{
	const struct layout *layout = process->layout;
	for (uint32_t age = 0; age < layout->age_count; age++) {
		uint64_t *died = &flow->died[layout->ages[age].generation];
		*died = sum(*died, process->classes[size_class].freed_at[age]);
	}
}

/* Their deaths were counted among those of generation 2. */
static void take_out_frozen(const struct pm_frozen *frozen, struct flow *flow)
{
	flow->frozen_now = figure(frozen->now);
	flow->frozen_died = figure(frozen->died);
	if (flow->frozen_died > flow->died[2])
		flow->frozen_died = flow->died[2];
	if (flow->frozen_now > FIGURE_MAX - flow->frozen_died)
		flow->frozen_now = 0;
	flow->died[2] -= flow->frozen_died;
}

/* While a running program is read, more may have left than had entered. */
static void close_flow(struct flow *flow, int generation)
{
	uint64_t left = sum(flow->survived[generation], flow->died[generation]);
	if (generation == 2)
		left = sum(left, flow_frozen(flow));
	if (flow->entered[generation] < left)
		flow->entered[generation] = left;
	flow->live[generation] = flow->entered[generation] - left;
}

struct flow flow_of_class(const struct process *process, uint32_t size_class)
{
	const struct pm_survivors *of = &process->survivors[size_class].at_sweep;
	const uint64_t *began = process->survivors[size_class].began;
	struct flow flow = {
		.entered = {figure(began[0] + process->classes[size_class].allocated),
			    figure(began[1] + of->survived - of->skipped),
			    figure(began[2] + of->old)},
		.survived = {figure(of->survived), figure(of->old - of->skipped), 0},
	};
	add_deaths(process, size_class, &flow);
	take_out_frozen(&process->survivors[size_class].frozen, &flow);
	for (int g = 0; g < GENERATION_COUNT; g++)
		close_flow(&flow, g);
	return flow;
}

static void add_figures(uint64_t to[GENERATION_COUNT], const uint64_t from[GENERATION_COUNT],
			uint64_t unit)
{
	for (int g = 0; g < GENERATION_COUNT; g++)
		to[g] = sum(to[g], product(from[g], unit));
}

void flow_add(struct flow *to, const struct flow *from, uint64_t unit)
{
	add_figures(to->entered, from->entered, unit);
	add_figures(to->survived, from->survived, unit);
	add_figures(to->died, from->died, unit);
	add_figures(to->live, from->live, unit);
	to->frozen_now = sum(to->frozen_now, product(from->frozen_now, unit));
	to->frozen_died = sum(to->frozen_died, product(from->frozen_died, unit));
}

static void add_class(const struct pm_class *size_class, const struct flow *flow,
		      struct flow *blocks, struct flow *bytes)
{
	if (size_class->kind == PM_CLASS_POOL || size_class->kind == PM_CLASS_LARGE)
		flow_add(blocks, flow, 1);
	if (size_class->kind == PM_CLASS_POOL)
		flow_add(bytes, flow, size_class->block_bytes);
	if (size_class->kind == PM_CLASS_LARGE_BYTES)
		flow_add(bytes, flow, 1);
}

/* A forked child that has turned no epoch has no record of sweeps; what it inherited is known by generation. */
static bool is_as_forked(const struct process *process)
{
	const struct pm_process *record = &process->record;
	uint64_t blocks = 0;
	for (int g = 0; g < GENERATION_COUNT; g++)
		blocks = sum(blocks, figure(record->inherited_in[g].blocks));
	return record->inherited_blocks && blocks == record->inherited_blocks &&
	       record->epoch == record->inherited_epoch;
}

bool survival_is_recorded(const struct process *process)
{
	return process->survivors || is_as_forked(process);
}

static void add_as_forked(const struct process *process, struct flow *ret_blocks,
			  struct flow *ret_bytes)
{
	for (int g = 0; g < GENERATION_COUNT; g++) {
		ret_blocks->entered[g] = figure(process->record.inherited_in[g].blocks);
		ret_bytes->entered[g] = figure(process->record.inherited_in[g].bytes);
	}
	for (uint32_t c = 0; c < process->layout->class_count; c++) {
		struct flow flow = {.entered = {process->classes[c].allocated}};
		add_deaths(process, c, &flow);
		add_class(&process->layout->classes[c], &flow, ret_blocks, ret_bytes);
	}
	for (int g = 0; g < GENERATION_COUNT; g++) {
		close_flow(ret_blocks, g);
		close_flow(ret_bytes, g);
	}
}

void survival_add(struct survival *survival, const struct process *process)
{
	struct flow blocks = {.entered = {0}}, bytes = {.entered = {0}};
	survival->processes++;
	survival->uncertain = sum(survival->uncertain, process->uncertain);
	if (process_has_note(process, PM_NOTE_NEXT))
		survival->served_elsewhere++;
	if (!survival_is_recorded(process))
		survival->not_known++;
	else if (!process->survivors)
		add_as_forked(process, &blocks, &bytes);
	for (uint32_t c = 0; process->survivors && c < process->layout->class_count; c++) {
		struct flow flow = flow_of_class(process, c);
		add_class(&process->layout->classes[c], &flow, &blocks, &bytes);
	}
	flow_add(&survival->blocks, &blocks, 1);
	flow_add(&survival->bytes, &bytes, 1);
}

bool survival_says_anything(const struct survival *survival)
{
	const uint64_t *entered = survival->blocks.entered;
	return entered[0] || entered[1] || entered[2];
}

bool survival_is_known(const struct survival *survival)
{
	return survival->processes && !survival->not_known;
}
