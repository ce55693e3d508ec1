/* SPDX-License-Identifier: MIT */
/* study.c: see study.h. */
#include "study/study.h"

#include "study/leak.h"
#include "text/allocate.h"

#include <stdlib.h>

const char *process_kind_key(enum process_kind kind)
{
	static const char *const keys[] = {
		[PROCESS_EXEC] = "exec",
		[PROCESS_FORK] = "fork",
		[PROCESS_DEPARTED] = "departed",
	};
	return keys[kind];
}

const char *process_state_key(enum process_state state)
{
	static const char *const keys[] = {
		[STATE_RUNNING] = "running",
		[STATE_EXITED] = "exited",
		[STATE_KILLED] = "killed",
		[STATE_ENDED] = "ended without exit",
		[STATE_REPLACED] = "replaced by exec",
		[STATE_UNKNOWN] = "unknown",
	};
	return keys[state];
}

const char *slot_use_key(uint32_t use)
{
	static const char *const keys[] = {
		[PM_SLOT_THREAD] = "thread",
		[PM_SLOT_SHARED] = "shared",
		[PM_SLOT_DEPARTED] = "departed",
	};
	return keys[use];
}

static int busiest_first(const void *left, const void *right)
{
	const struct slot *a = *(const struct slot *const *)left;
	const struct slot *b = *(const struct slot *const *)right;
	uint64_t work_a = a->allocated + a->freed, work_b = b->allocated + b->freed;
	if (work_a != work_b)
		return work_a < work_b ? 1 : -1;
	return (a->chunk > b->chunk) - (a->chunk < b->chunk);
}

static bool slot_is_worth_a_row(const struct slot *slot)
{
	return slot->use == PM_SLOT_THREAD || slot->allocated || slot->freed;
}

static void study_slots(struct process_study *study)
{
	const struct process *process = study->process;

	study->slots = allocate(process->slot_count, sizeof(void *));
	for (size_t i = 0; i < process->slot_count; i++)
		if (slot_is_worth_a_row(&process->slots[i]))
			study->slots[study->slot_count++] = &process->slots[i];
	qsort(study->slots, study->slot_count, sizeof(void *), busiest_first);
}

static void find(struct figures *figures, bool is_over)
{
	struct evidence evidence = {
		.metrics = &figures->metrics,
		.classes = &figures->classes,
		.pools = &figures->pools,
		.generations = &figures->generations,
		.is_over = is_over,
	};
	findings_make(&figures->findings, &evidence);
}

static void study_process(const struct process *process, const struct recording *recording,
			  const struct query *query, struct process_study *ret)
{
	static const struct inheritance nothing; /* what it inherited is in its own figures */
	struct figures *figures = &ret->figures;

	ret->process = process;
	metrics_of_process(process, &figures->metrics);
	leak_by_class(process, &figures->metrics);
	classes_add(&figures->classes, process);
	classes_finish(&figures->classes, query);
	pools_add(&figures->pools, process, &nothing);
	pools_finish(&figures->pools, query);
	generations_add(&figures->generations, process, &nothing);
	curve_of(&figures->generations, &figures->curve);
	struct inheritance inheritance = inheritance_of(recording, process);
	phases_of(process, &inheritance, &figures->phases);
	notes_of_process(&figures->notes, process, recording);
	find(figures, process->state == STATE_EXITED);
	study_slots(ret);
}

static void add_to_total(struct figures *total, const struct process_study *study,
			 const struct recording *recording)
{
	const struct process *process = study->process;
	struct inheritance inheritance = inheritance_of(recording, process);
	struct metrics share = study->figures.metrics;

	inheritance_take_off(&inheritance, process, &share);
	metrics_add(&total->metrics, &share);
	classes_add(&total->classes, process);
	pools_add(&total->pools, process, &inheritance);
	generations_add(&total->generations, process, &inheritance);
	notes_merge(&total->notes, &study->figures.notes);
}

struct place {
	uint64_t key;
	size_t index; /* in study.processes */
};

static uint64_t rank_of(const struct metrics *metrics, enum process_order order)
{
	switch (order) {
	case PROCESS_ORDER_ALLOCATED: return metric(metrics, METRIC_ALLOC_COUNT);
	case PROCESS_ORDER_FREED: return metric(metrics, METRIC_FREE_COUNT);
	case PROCESS_ORDER_LIVE: return metric(metrics, METRIC_LIVE_BLOCKS);
	case PROCESS_ORDER_BYTES: return metric(metrics, METRIC_LIVE_BYTES);
	case PROCESS_ORDER_PEAK: return metric(metrics, METRIC_LIVE_PEAK);
	default: return 0; /* as they started */
	}
}

static int highest_first(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	if (a->key != b->key)
		return a->key < b->key ? 1 : -1;
	return (a->index > b->index) - (a->index < b->index);
}

static void rank(struct study *study, enum process_order order)
{
	struct place *places = allocate(study->process_count, sizeof *places);

	for (size_t i = 0; i < study->process_count; i++)
		places[i] = (struct place){rank_of(&study->processes[i].figures.metrics, order), i};
	if (study->process_count)
		qsort(places, study->process_count, sizeof *places, highest_first);
	study->ranked = allocate(study->process_count, sizeof(void *));
	for (size_t i = 0; i < study->process_count; i++)
		study->ranked[i] = &study->processes[places[i].index];
	free(places);
}

/* Of several processes, sums say how empty the heaps are only while all of them run. */
static bool all_run(const struct study *study)
{
	for (size_t i = 0; i < study->process_count; i++)
		if (study->processes[i].process->state != STATE_RUNNING)
			return false;
	return true;
}

static void find_phases(struct study *study)
{
	const struct process *marked = NULL;

	for (size_t i = 0; i < study->process_count; i++)
		if (study->processes[i].process->mark_count) {
			marked = study->processes[i].process;
			study->marked_count++;
		}
	if (study->marked_count != 1)
		return;
	struct inheritance inheritance = inheritance_of(study->recording, marked);
	phases_of(marked, &inheritance, &study->total.phases);
}

/* What run saw was of the whole: it says nothing of a part. */
static void finish_total(struct study *study, const struct span *span, const struct query *query)
{
	static const struct outside nothing_seen;
	struct figures *total = &study->total;

	metrics_finish(&total->metrics, span,
		       study->skipped_count ? &nothing_seen : &study->recording->outside);
	classes_finish(&total->classes, query);
	pools_finish(&total->pools, query);
	curve_of(&total->generations, &total->curve);
	find_phases(study);
	if (study->process_count == 1)
		total->findings = study->processes[0].figures.findings;
	else
		find(total, !all_run(study));
	if (metric(&total->metrics, METRIC_LEAK_BLOCKS) && !all_run(study))
		notes_add_leak_whole(&total->notes);
}

static void add_process(struct study *study, const struct process *process,
			const struct query *query, struct span *span)
{
	struct process_study *added = &study->processes[study->process_count++];

	study_process(process, study->recording, query, added);
	add_to_total(&study->total, added, study->recording);
	span_add(span, process);
	study->fork_count += forks_in(process);
	study->exec_count += process->kind == PROCESS_EXEC;
}

void study_make(const struct recording *recording, const struct query *query, struct study *ret)
{
	struct study study = {.recording = recording};
	struct span span = {.is_known = false};

	notes_of_recording(&study.total.notes, recording);
	study.processes = allocate(recording->process_count, sizeof *study.processes);
	for (size_t i = 0; i < recording->process_count; i++) {
		const struct process *process = &recording->processes[i];
		if (query_wants_process(query, facts_of(recording, process)))
			add_process(&study, process, query, &span);
		else
			study.skipped_count++;
	}
	finish_total(&study, &span, query);
	rank(&study, query->process_order);
	*ret = study;
}

bool study_found(const struct study *study, struct failure *why)
{
	const struct class_table *classes = &study->total.classes;

	if (study->recording->process_count && !study->process_count)
		return fail(why, FAILURE_NOTHING, "no process matches the filter");
	if (classes->used_count && !classes->count)
		return fail(why, FAILURE_NOTHING,
			    "no size class matches the filter: these are named by their bytes, as "
			    "48, or 'large'");
	return true;
}

static void figures_free(struct figures *figures)
{
	classes_free(&figures->classes);
	pools_free(&figures->pools);
	generations_free(&figures->generations);
	curve_free(&figures->curve);
	phases_free(&figures->phases);
	notes_free(&figures->notes);
}

void study_free(struct study *study)
{
	for (size_t i = 0; i < study->process_count; i++) {
		figures_free(&study->processes[i].figures);
		free(study->processes[i].slots);
	}
	figures_free(&study->total);
	free(study->processes);
	free(study->ranked);
}
