/* SPDX-License-Identifier: MIT */
/* summary.c: see summary.h. */
#include "study/summary.h"

#include "study/inheritance.h"
#include "study/leak.h"
#include "study/unrecorded.h"
#include "text/allocate.h"
#include "text/keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sums, and what of each process tells which programs left no record. */
struct summing {
	struct summary summary;
	struct unrecorded_record *records;
	size_t record_count, record_room;
	struct keep keep;
};

static void add_record(struct summing *summing, const struct recording *recording,
		       const struct process *process)
{
	struct unrecorded_record record = unrecorded_record(recording, process);

	if (process->kind == PROCESS_DEPARTED)
		return;
	if (record.exe)
		record.exe = keep_text(&summing->keep, "%s", record.exe);
	summing->records = allocate_more(summing->records, summing->record_count,
					 &summing->record_room, sizeof *summing->records);
	summing->records[summing->record_count++] = record;
}

static void add_process(const struct recording *recording, const struct process *process,
			void *context)
{
	struct summing *summing = context;
	struct summary *summary = &summing->summary;
	struct inheritance inheritance = inheritance_of(recording, process);
	struct metrics share;

	metrics_of_process(process, &share);
	leak_by_class(process, &share);
	share.value[METRIC_PROCESS_PID].is_known = false; /* of the first: the order is not theirs */
	inheritance_take_off(&inheritance, process, &share);
	metrics_add(&summary->total, &share);
	summary->exec_count += process->kind == PROCESS_EXEC;
	summary->fork_count += forks_in(process);
	add_record(summing, recording, process);
}

static void list_unrecorded(struct summary *summary, const struct unrecorded *unrecorded)
{
	char *text = summary->unrecorded;
	size_t used = 0;

	summary->unrecorded_count = unrecorded->count;
	for (size_t i = 0; i < unrecorded->program_count && used < sizeof summary->unrecorded; i++)
		used += (size_t)snprintf(text + used, sizeof summary->unrecorded - used, "%s%s",
					 i ? ", " : "", unrecorded_name(&unrecorded->programs[i]));
	if (used >= sizeof summary->unrecorded)
		memcpy(text + sizeof summary->unrecorded - sizeof "...", "...", sizeof "...");
}

bool summary_read(const char *path, struct summary *ret, struct failure *why)
{
	static const struct span unknown; /* whether and when they ended is not asked */
	struct summing summing = {.record_count = 0};
	struct unrecorded unrecorded;
	struct outside outside;

	bool done = recording_pass(path, add_process, &summing, &outside, why);
	if (done) {
		metrics_finish(&summing.summary.total, &unknown, &outside);
		unrecorded_find(&outside, summing.records, summing.record_count, &unrecorded);
		list_unrecorded(&summing.summary, &unrecorded);
		unrecorded_free(&unrecorded);
		outside_free(&outside);
		*ret = summing.summary;
	}
	free(summing.records);
	keep_free(&summing.keep);
	return done;
}
