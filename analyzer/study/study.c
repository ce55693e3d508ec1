/* SPDX-License-Identifier: MIT */
/* study.c: see study.h. */
#include "study/study.h"

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

static void study_process(const struct process *process, const struct recording *recording,
			  const struct query *query, struct process_study *ret)
{
	struct figures *figures = &ret->figures;

	ret->process = process;
	metrics_of_process(process, &figures->metrics);
	classes_add(&figures->classes, process);
	classes_finish(&figures->classes, query);
	pools_add(&figures->pools, process);
	pools_finish(&figures->pools, query);
	generations_add(&figures->generations, process);
	notes_of_process(&figures->notes, process, recording);
	findings_make(&figures->findings, &figures->metrics, &figures->classes,
		      &figures->generations);
	study_slots(ret);
}

static void add_to_total(struct figures *total, const struct process_study *study)
{
	metrics_add(&total->metrics, &study->figures.metrics);
	classes_add(&total->classes, study->process);
	pools_add(&total->pools, study->process);
	generations_add(&total->generations, study->process);
	notes_merge(&total->notes, &study->figures.notes);
}

static void count_kinds(struct study *study, enum process_kind kind)
{
	study->fork_count += kind == PROCESS_FORK;
	study->exec_count += kind == PROCESS_EXEC;
}

void study_make(const struct recording *recording, const struct query *query, struct study *ret)
{
	struct study study = {.recording = recording};

	notes_of_recording(&study.total.notes, recording);
	study.processes = allocate(recording->process_count, sizeof *study.processes);
	for (size_t i = 0; i < recording->process_count; i++) {
		const struct process *process = &recording->processes[i];
		if (!query_wants_process(query, facts_of(recording, process))) {
			study.skipped_count++;
			continue;
		}
		study_process(process, recording, query, &study.processes[study.process_count]);
		add_to_total(&study.total, &study.processes[study.process_count++]);
		count_kinds(&study, process->kind);
	}
	metrics_finish(&study.total.metrics, recording);
	classes_finish(&study.total.classes, query);
	pools_finish(&study.total.pools, query);
	findings_make(&study.total.findings, &study.total.metrics, &study.total.classes,
		      &study.total.generations);
	*ret = study;
}

static void figures_free(struct figures *figures)
{
	classes_free(&figures->classes);
	pools_free(&figures->pools);
	generations_free(&figures->generations);
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
}
