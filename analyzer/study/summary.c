/* SPDX-License-Identifier: MIT */
/* summary.c: see summary.h. */
#include "study/summary.h"

#include "study/inheritance.h"
#include "study/pools.h"

struct reading {
	struct summary summary;
	struct pool_table pools;
};

static void add_process(const struct recording *recording, const struct process *process,
			void *context)
{
	struct reading *reading = context;
	struct inheritance inheritance = inheritance_of(recording, process);
	struct metrics share;

	metrics_of_process(process, &share);
	share.value[METRIC_PROCESS_PID].is_known = false; /* of the first: the order is not theirs */
	inheritance_take_off(&inheritance, process, &share);
	metrics_add(&reading->summary.total, &share);
	pools_add(&reading->pools, process, &inheritance);
	reading->summary.exec_count += process->kind == PROCESS_EXEC;
	reading->summary.fork_count += forks_in(process);
}

bool summary_read(const char *path, struct summary *ret, struct failure *why)
{
	static const struct span unknown; /* whether and when they ended is not asked */
	struct reading reading = {.summary = {.exec_count = 0}};
	struct outside outside;
	bool done = recording_pass(path, add_process, &reading, &outside, why);

	pools_finish(&reading.pools, NULL);
	if (done) {
		metrics_finish(&reading.summary.total, &unknown, &outside);
		reading.summary.touched_bytes = reading.pools.all.touched_bytes;
		reading.summary.filled_bytes = reading.pools.all.live_bytes;
		outside_free(&outside);
		*ret = reading.summary;
	}
	pools_free(&reading.pools);
	return done;
}
