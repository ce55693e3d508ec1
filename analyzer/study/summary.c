/* SPDX-License-Identifier: MIT */
/* summary.c: see summary.h. */
#include "study/summary.h"

#include "model/saturate.h"

static void add_process(const struct process *process, void *context)
{
	struct summary *summary = context;
	struct metrics metrics;

	metrics_of_process(process, &metrics);
	metrics.value[METRIC_PROCESS_PID].is_known = false; /* of the first: the order is not theirs */
	metrics_add(&summary->total, &metrics);
	summary->process_count += process->kind != PROCESS_DEPARTED;
	summary->remaining_blocks = sum(summary->remaining_blocks,
					excess(metric(&metrics, METRIC_LIVE_BLOCKS),
					       metric(&metrics, METRIC_INHERITED_BLOCKS)));
	summary->remaining_bytes = sum(summary->remaining_bytes,
				       excess(metric(&metrics, METRIC_LIVE_BYTES),
					      metric(&metrics, METRIC_INHERITED_BYTES)));
}

bool summary_read(const char *path, struct summary *ret, struct failure *why)
{
	struct recording rest = {.kind = SOURCE_CAPTURE};
	struct summary summary = {.process_count = 0};

	if (!recording_pass(path, add_process, &summary, &rest.outside, why))
		return false;
	metrics_finish(&summary.total, &rest);
	recording_free(&rest);
	*ret = summary;
	return true;
}
