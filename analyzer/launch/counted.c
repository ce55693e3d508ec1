/* SPDX-License-Identifier: MIT */
/* counted.c: see counted.h. */
#include "launch/counted.h"

#include "study/metrics.h"
#include "study/timeline.h"

bool counted_open(struct counted *ret, struct failure *why)
{
	return scratch_open("compare", &ret->scratch, why);
}

void counted_clear(const struct counted *counted)
{
	scratch_clear(&counted->scratch);
}

void counted_close(const struct counted *counted)
{
	scratch_close(&counted->scratch);
}

struct taking {
	const struct bare_run *run;
	struct compare_heap heap;
	uint64_t largest_live, next_live; /* highest sums of two processes */
	bool is_next;
	struct failure *why;
};

static uint64_t live_at(const struct over_time *over_time, const struct process *process,
			uint64_t ns)
{
	uint64_t began = process->record.began_ns;
	const struct heap_point *point = over_time_at(over_time, AXIS_TIME,
						      ns > began ? ns - began : 0);
	return point ? point->live_bytes : 0;
}

/* Of several processes the largest one's live bytes are told. */
static void take_process(const struct recording *recording, const struct process *process,
			 struct taking *taking)
{
	struct over_time over_time;
	struct metrics metrics;

	metrics_of_process(process, &metrics);
	uint64_t live = metric(&metrics, METRIC_LIVE_PEAK);
	taking->is_next |= process_is_served_elsewhere(process);
	taking->heap.allocations += metric(&metrics, METRIC_ALLOC_COUNT);
	taking->heap.programs++;
	if (live < taking->largest_live) {
		taking->next_live = live > taking->next_live ? live : taking->next_live;
		return;
	}
	taking->next_live = taking->largest_live;
	taking->largest_live = taking->heap.live_peak = live;
	over_time_of(recording, process, &metrics, &over_time);
	taking->heap.live_at_end = live_at(&over_time, process, taking->run->heap_end_ns);
	over_time_free(&over_time);
}

static bool take_file(const char *path, void *context)
{
	struct taking *taking = context;
	struct recording recording;

	if (!recording_read(path, &recording, taking->why))
		return false;
	for (size_t i = 0; i < recording.process_count; i++)
		take_process(&recording, &recording.processes[i], taking);
	recording_free(&recording);
	return true;
}

bool counted_take(const struct counted *counted, const struct bare_run *run, bool is_next,
		  struct compare_heap *ret, struct failure *why)
{
	struct taking taking = {.run = run, .why = why};
	bool read = scratch_each(&counted->scratch, take_file, &taking);

	counted_clear(counted);
	if (!read)
		return false;
	if (!taking.heap.programs)
		return fail(why, FAILURE_NOTHING, "it left no counts: libpoolmem.so was not loaded");
	if (is_next && !taking.is_next)
		return fail(why, FAILURE_NOTHING,
			    "it has no malloc_usable_size, which counting needs");
	taking.heap.is_known = true;
	taking.heap.is_of_many = taking.next_live >= (taking.largest_live + 9) / 10 &&
				 taking.next_live;
	if (taking.heap.live_peak < taking.heap.live_at_end)
		taking.heap.live_peak = taking.heap.live_at_end; /* it was proven to be less */
	/* What is live is resident, or nearly so: what was seen of less was not the peak. */
	taking.heap.peak = run->heap_peak < taking.heap.live_peak / 2 ? 0 : run->heap_peak;
	taking.heap.end = run->heap_end;
	if (!taking.heap.end)
		taking.heap.live_at_end = 0; /* of the same moment, or not told */
	*ret = taking.heap;
	return true;
}
