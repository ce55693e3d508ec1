/* SPDX-License-Identifier: MIT */
/* publication.c: see publication.h. */
#include "study/publication.h"

#include "model/saturate.h"

/* Allocations until the last moment that was noted before the pools were published: as many at least had come. */
static uint64_t allocations_before(const struct process *process)
{
	uint64_t allocations = 0;

	for (size_t i = 0; i < process->moment_count; i++)
		if (process->moments[i].at_ns <= process->record.published_ns &&
		    process->moments[i].allocations > allocations)
			allocations = process->moments[i].allocations;
	return allocations;
}

struct publication publication_of(const struct recording *recording,
				  const struct process_study *study)
{
	const struct process *process = study->process;
	const struct pm_process *record = &process->record;
	const struct metrics *metrics = &study->figures.metrics;
	uint64_t before = allocations_before(process);
	bool is_live = process->state == STATE_RUNNING && recording->kind == SOURCE_SEGMENT;

	return (struct publication){
		.is_older = record->state != PM_STATE_EXITED,
		.is_published = process->arena_count,
		.epoch = record->published_epoch,
		.epochs = record->epoch,
		.knows_allocations = before,
		.allocations = excess(metric(metrics, METRIC_ALLOC_COUNT), before),
		.knows_age = is_live && record->published_ns,
		.age_ns = excess(recording->read_at_ns, record->published_ns),
		.knows_live = process->kind == PROCESS_EXEC &&
			      metrics->value[METRIC_LIVE_BYTES].is_known,
		.live_blocks = metric(metrics, METRIC_LIVE_BLOCKS),
		.live_bytes = metric(metrics, METRIC_LIVE_BYTES),
	};
}
