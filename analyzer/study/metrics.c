/* SPDX-License-Identifier: MIT */
/* metrics.c: see metrics.h. */
#include "study/metrics.h"

#include "model/saturate.h"
#include "study/survival.h"

enum { TICK_NS_MAX = 10000000 }; /* HZ=100 */

#define METRIC_KEY(name, key, unit, meaning) [METRIC_##name] = key,
const char *const metric_keys[METRIC_COUNT] = {PM_METRICS(METRIC_KEY)};
#undef METRIC_KEY
#define METRIC_UNIT(name, key, unit, meaning) [METRIC_##name] = UNIT_##unit,
const enum metric_unit metric_units[METRIC_COUNT] = {PM_METRICS(METRIC_UNIT)};
#undef METRIC_UNIT

static void set(struct metrics *metrics, enum metric which, uint64_t value)
{
	metrics->value[which] = (struct known){true, (int64_t)sum(value, 0)};
}

uint64_t metric(const struct metrics *metrics, enum metric which)
{
	return metrics->value[which].is_known ? (uint64_t)metrics->value[which].value : 0;
}

static void set_calls(const struct process *process, struct metrics *metrics)
{
	int64_t allocated = 0, allocated_bytes = 0;
	uint64_t freed = 0, freed_bytes = 0;

	for (size_t i = 0; i < process->slot_count; i++) {
		const struct slot *slot = &process->slots[i];
		allocated = balance(allocated, slot->allocated);
		freed = sum(freed, slot->freed);
		allocated_bytes = balance(allocated_bytes, slot->allocated_bytes);
		freed_bytes = sum(freed_bytes, slot->freed_bytes);
	}
	set(metrics, METRIC_ALLOC_COUNT, at_least_none(allocated));
	set(metrics, METRIC_FREE_COUNT, freed);
	set(metrics, METRIC_ALLOC_BYTES, at_least_none(allocated_bytes));
	set(metrics, METRIC_FREE_BYTES, freed_bytes);
	set(metrics, METRIC_ALLOC_FAILED, process->counter[PM_COUNTER_ALLOC_FAILED]);
	set(metrics, METRIC_ALLOC_NESTED, process->counter[PM_COUNTER_NESTED]);
	if (process_is_served_elsewhere(process))
		set(metrics, METRIC_ALLOC_REQUESTED, process->counter[PM_COUNTER_REQUESTED]);
	set(metrics, METRIC_REALLOC_COUNT, process->counter[PM_COUNTER_REALLOC]);
	set(metrics, METRIC_REALLOC_MOVED, process->counter[PM_COUNTER_REALLOC_MOVED]);
	set(metrics, METRIC_FOREIGN_FREE, process->counter[PM_COUNTER_FOREIGN_FREE]);
	set(metrics, METRIC_FREE_REMOTE, process->counter[PM_COUNTER_REMOTE_FREE]);
}

uint64_t mapped_peak_of(const struct pm_process *record)
{
	return record->committed_peak_bytes > record->committed_bytes ? record->committed_peak_bytes
								      : record->committed_bytes;
}

/* The value is the least. */
static void set_at_most(struct metrics *metrics, enum metric which, uint64_t most)
{
	int64_t least = metrics->value[which].value;
	if (most > (uint64_t)least)
		metrics->bound[which] = (struct metric_bound){true, least, (int64_t)sum(most, 0)};
}

static uint64_t at_most(const struct metrics *metrics, enum metric which)
{
	return metrics->bound[which].is_known ? (uint64_t)metrics->bound[which].at_most
					      : metric(metrics, which);
}

/*
 * What a process was handed itself and did not give back.  Its frees do not tell whether they were of blocks
 * that it inherited: the least is when all were its own.
 */
static void set_leak(const struct process *process, struct metrics *metrics)
{
	static const struct {
		enum metric leak, allocated, freed, live;
	} figures[] = {
		{METRIC_LEAK_BLOCKS, METRIC_ALLOC_COUNT, METRIC_FREE_COUNT, METRIC_LIVE_BLOCKS},
		{METRIC_LEAK_BYTES, METRIC_ALLOC_BYTES, METRIC_FREE_BYTES, METRIC_LIVE_BYTES},
	};

	for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
		uint64_t allocated = metric(metrics, figures[i].allocated);
		uint64_t live = at_most(metrics, figures[i].live);
		set(metrics, figures[i].leak, excess(allocated, metric(metrics, figures[i].freed)));
		if (process->record.inherited_blocks || process->drift_blocks ||
		    process->drift_bytes)
			set_at_most(metrics, figures[i].leak, live < allocated ? live : allocated);
	}
}

/* What was mapped, and what can come between two looks at that. */
static uint64_t room_of(const struct pm_process *record)
{
	uint64_t mapped = mapped_peak_of(record);
	return mapped ? sum(mapped, record->peak_bound_bytes) : FIGURE_MAX;
}

/* Of a process that ran on while it was read: each of the frees of that time may have been too early. */
static void set_live_at_most(const struct process *process, struct metrics *metrics)
{
	const struct pm_process *record = &process->record;
	uint64_t room = room_of(record);
	uint64_t blocks = sum(sum(record->inherited_blocks, metric(metrics, METRIC_ALLOC_COUNT)),
			      process->drift_blocks);
	uint64_t bytes = sum(sum(record->inherited_bytes, metric(metrics, METRIC_ALLOC_BYTES)),
			     process->drift_bytes);

	bytes = excess(bytes, metric(metrics, METRIC_FREE_BYTES));
	set_at_most(metrics, METRIC_LIVE_BLOCKS, excess(blocks, metric(metrics, METRIC_FREE_COUNT)));
	set_at_most(metrics, METRIC_LIVE_BYTES, bytes < room ? bytes : room);
}

/* live = inherited + allocated - freed.  What departed children inherited nobody kept. */
static void set_live(const struct process *process, struct metrics *metrics)
{
	const struct pm_process *record = &process->record;

	if (process->kind == PROCESS_DEPARTED)
		return;
	set(metrics, METRIC_INHERITED_BLOCKS, record->inherited_blocks);
	set(metrics, METRIC_INHERITED_BYTES, record->inherited_bytes);
	set(metrics, METRIC_LIVE_BLOCKS,
	    excess(sum(record->inherited_blocks, metric(metrics, METRIC_ALLOC_COUNT)),
		   metric(metrics, METRIC_FREE_COUNT)));
	set(metrics, METRIC_LIVE_BYTES,
	    excess(sum(record->inherited_bytes, metric(metrics, METRIC_ALLOC_BYTES)),
		   metric(metrics, METRIC_FREE_BYTES)));
	if (process->drift_blocks || process->drift_bytes)
		set_live_at_most(process, metrics);
	set_leak(process, metrics);
}

/*
 * The highest sum that a slow call saw, less what other threads may have freed by then, or the least that lives by now; the
 * truth is at most the bound higher than that sum.
 */
static void set_peak(const struct process *process, struct metrics *metrics)
{
	const struct pm_process *record = &process->record;
	uint64_t live = metric(metrics, METRIC_LIVE_BYTES);
	uint64_t proven = excess(record->live_peak_bytes, record->peak_excess_bytes);
	uint64_t peak = proven > live ? proven : live;
	uint64_t most = sum(record->live_peak_bytes, record->peak_bound_bytes);

	if (process->kind == PROCESS_DEPARTED)
		return;
	set(metrics, METRIC_LIVE_PEAK, peak);
	/* Never more than was mapped, nor than was ever handed out. */
	uint64_t ever = sum(record->inherited_bytes, metric(metrics, METRIC_ALLOC_BYTES));
	if (record->committed_peak_bytes && most > record->committed_peak_bytes)
		most = record->committed_peak_bytes;
	if (most > ever)
		most = ever;
	uint64_t live_most = at_most(metrics, METRIC_LIVE_BYTES);
	set_at_most(metrics, METRIC_LIVE_PEAK, live_most > most ? live_most : most);
}

/* A child that was forked has its parent's heap, and says so when it publishes first. */
static void set_mapped(const struct process *process, struct metrics *metrics)
{
	const struct pm_process *record = &process->record;
	bool has_heap = process->kind == PROCESS_FORK || metric(metrics, METRIC_ALLOC_COUNT);

	if ((has_heap && !mapped_peak_of(record)) || process_is_served_elsewhere(process))
		return;
	set(metrics, METRIC_HEAP_COMMITTED, record->committed_bytes);
	set(metrics, METRIC_HEAP_COMMITTED_PEAK, mapped_peak_of(record));
	set(metrics, METRIC_HEAP_META, record->meta_bytes);
}

static void set_heap(const struct process *process, struct metrics *metrics)
{
	const struct pm_process *record = &process->record;
	uint64_t pools = 0;

	set(metrics, METRIC_HEAP_TELEMETRY, process->telemetry_bytes);
	if (process->kind == PROCESS_DEPARTED)
		return;
	if (process_has_ages(process))
		set(metrics, METRIC_GEN_EPOCHS, record->epoch);
	set_mapped(process, metrics);
	set(metrics, METRIC_TRUNCATED, record->notes >> PM_NOTE_TRUNCATED & 1);
	set(metrics, METRIC_DROPPED_STACKS, record->dropped_stacks);
	set(metrics, METRIC_DROPPED_BLOCKS, record->dropped_blocks);
	if (process_is_served_elsewhere(process) ||
	    (!process->arena_count && process->kind == PROCESS_FORK))
		return;
	for (size_t i = 0; i < process->pool_count; i++)
		pools += process->pools[i].state == PM_POOL_LIVE;
	set(metrics, METRIC_POOL_COUNT, pools);
	set(metrics, METRIC_ARENA_COUNT, process->arena_count);
}

/* The metrics of each generation stand one step behind those of the younger. */
static const enum metric survival_first = METRIC_GEN_0_ENTERED,
			 survival_last = METRIC_GEN_2_LIVE_BYTES,
			 survival_step = METRIC_GEN_1_ENTERED - METRIC_GEN_0_ENTERED;

/* first: METRIC_GEN_0_ENTERED, or the same in bytes. */
static void set_flow(struct metrics *metrics, enum metric first, const struct flow *flow)
{
	for (unsigned g = 0; g < GENERATION_COUNT; g++) {
		enum metric at = first + g * survival_step;
		set(metrics, at, flow->entered[g]);
		set(metrics, at + 1, flow->survived[g]);
		set(metrics, at + 2, flow->died[g]);
		set(metrics, at + 3, flow->live[g]);
	}
}

static void set_generations(const struct process *process, struct metrics *metrics)
{
	struct survival survival = {.processes = 0};

	if (process->kind == PROCESS_DEPARTED || !process_has_ages(process))
		return;
	for (unsigned g = 0; g < GENERATION_COUNT; g++)
		set(metrics, METRIC_GEN_0_SWEEPS + g, process->record.sweeps[g]);
	survival_add(&survival, process);
	if (!survival_is_known(&survival))
		return;
	set_flow(metrics, METRIC_GEN_0_ENTERED, &survival.blocks);
	set_flow(metrics, METRIC_GEN_0_ENTERED_BYTES, &survival.bytes);
}

static uint64_t threads_of(const struct process *process)
{
	uint64_t threads = process->record.slots_unseen;
	for (size_t i = 0; i < process->slot_count; i++)
		if (process->slots[i].use == PM_SLOT_THREAD)
			threads = sum(threads, process->slots[i].holders);
	return threads;
}

/* The library's clock turns with the kernel's ticks: no time is less than one of them. */
static void set_elapsed(struct metrics *metrics, uint64_t elapsed_ns, bool is_bound)
{
	set(metrics, METRIC_PROCESS_ELAPSED, elapsed_ns);
	if (is_bound || !elapsed_ns)
		set_at_most(metrics, METRIC_PROCESS_ELAPSED, is_bound ? FIGURE_MAX : TICK_NS_MAX);
}

static void set_process(const struct process *process, struct metrics *metrics)
{
	metrics->value[METRIC_RSS_NOW] = process->rss_now;
	metrics->value[METRIC_RSS_PEAK] = process->rss_peak;
	if (process->kind == PROCESS_DEPARTED)
		return;
	set(metrics, METRIC_PROCESS_PID, process->record.pid);
	metrics->value[METRIC_PROCESS_EXIT] = (struct known){true, process->exit_status};
	metrics->value[METRIC_PROCESS_SIGNAL] = (struct known){true, process->signal};
	set(metrics, METRIC_PROCESS_THREADS, threads_of(process));
	set_elapsed(metrics, process->elapsed_ns, process->elapsed_is_bound);
}

void metrics_of_process(const struct process *process, struct metrics *ret)
{
	*ret = (struct metrics){0};
	set_calls(process, ret);
	set_live(process, ret);
	set_peak(process, ret);
	set_heap(process, ret);
	set_generations(process, ret);
	set_process(process, ret);
}

/* Of the first process, for the whole. */
static bool is_of_first(enum metric which)
{
	return which == METRIC_PROCESS_PID || which == METRIC_PROCESS_EXIT ||
	       which == METRIC_PROCESS_SIGNAL;
}

static void add_bound(struct metrics *total, const struct metrics *share, enum metric which)
{
	struct metric_bound one = share->bound[which];
	struct metric_bound *all = &total->bound[which];

	if (!one.is_known && !all->is_known)
		return;
	/* What is exact is its own bound.  The total was added to already. */
	int64_t exact = share->value[which].value;
	int64_t before = total->value[which].value - exact;
	if (!one.is_known)
		one = (struct metric_bound){true, exact, exact};
	if (!all->is_known)
		*all = (struct metric_bound){true, before, before};
	all->at_least = (int64_t)sum((uint64_t)all->at_least, (uint64_t)one.at_least);
	all->at_most = (int64_t)sum((uint64_t)all->at_most, (uint64_t)one.at_most);
}

/* What sweeps did is known of all, or of none: a sum over some of them would pass for the whole. */
static void mind_gap(struct metrics *total, const struct metrics *share)
{
	total->has_gap |= !share->value[survival_first].is_known;
	for (enum metric which = survival_first; total->has_gap && which <= survival_last; which++)
		total->value[which].is_known = false;
}

void metrics_add(struct metrics *total, const struct metrics *share)
{
	for (enum metric which = 0; which < METRIC_COUNT; which++) {
		const struct known *value = &share->value[which];
		struct known *all = &total->value[which];
		if (!value->is_known || (is_of_first(which) && all->is_known))
			continue;
		if (is_of_first(which))
			*all = *value;
		else
			set(total, which, sum((uint64_t)all->value, (uint64_t)value->value));
		add_bound(total, share, which);
	}
	if (metric(total, METRIC_TRUNCATED))
		set(total, METRIC_TRUNCATED, 1);
	mind_gap(total, share);
}

void span_add(struct span *span, const struct process *process)
{
	uint64_t began = process->record.began_ns;
	uint64_t ended = sum(began, process->elapsed_ns);

	if (process->kind == PROCESS_DEPARTED)
		return;
	span->first_ns = !span->is_known || began < span->first_ns ? began : span->first_ns;
	span->last_ns = ended > span->last_ns ? ended : span->last_ns;
	span->is_bound |= process->elapsed_is_bound && process->state != STATE_REPLACED;
	span->is_known = true;
}

static void set_span(struct metrics *total, const struct span *span)
{
	total->bound[METRIC_PROCESS_ELAPSED].is_known = false;
	set_elapsed(total, excess(span->last_ns, span->first_ns), span->is_bound);
}

void metrics_finish(struct metrics *total, const struct span *span, const struct outside *outside)
{
	if (span->is_known)
		set_span(total, span);
	if (outside->elapsed_ns.is_known) {
		total->value[METRIC_PROCESS_ELAPSED] = outside->elapsed_ns;
		total->bound[METRIC_PROCESS_ELAPSED].is_known = false;
	}
	if (outside->rss_peak.is_known)
		total->value[METRIC_RSS_PEAK] = outside->rss_peak;
	if (outside->exit_status.is_known)
		total->value[METRIC_PROCESS_EXIT] = outside->exit_status;
	if (outside->signal.is_known)
		total->value[METRIC_PROCESS_SIGNAL] = outside->signal;
}
