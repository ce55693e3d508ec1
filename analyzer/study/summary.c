/* SPDX-License-Identifier: MIT */
/* summary.c: see summary.h. */
#include "study/summary.h"

#include "study/inheritance.h"
#include "study/leak.h"

static void add_process(const struct recording *recording, const struct process *process,
			void *context)
{
	struct summary *summary = context;
	struct inheritance inheritance = inheritance_of(recording, process);
	struct metrics share;

	metrics_of_process(process, &share);
	leak_by_class(process, &share);
	share.value[METRIC_PROCESS_PID].is_known = false; /* of the first: the order is not theirs */
	inheritance_take_off(&inheritance, process, &share);
	metrics_add(&summary->total, &share);
	summary->exec_count += process->kind == PROCESS_EXEC;
	summary->fork_count += forks_in(process);
}

bool summary_read(const char *path, struct summary *ret, struct failure *why)
{
	static const struct span unknown; /* whether and when they ended is not asked */
	struct summary summary = {.exec_count = 0};
	struct outside outside;

	if (!recording_pass(path, add_process, &summary, &outside, why))
		return false;
	metrics_finish(&summary.total, &unknown, &outside);
	outside_free(&outside);
	*ret = summary;
	return true;
}
