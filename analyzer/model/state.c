/* SPDX-License-Identifier: MIT */
/*
 * state.c: see state.h.
 *
 * A process that called exit() says so itself.  Of any other, the kernel is asked when the segment
 * is in use, a later segment tells an exec, and `poolmem run` knows the true status.
 */
#include "model/state.h"

#include "model/saturate.h"
#include "source/directory.h"
#include "source/resident.h"
#include "text/allocate.h"
#include "text/partition.h"

#include <stdlib.h>

/* Where later segments may be: the directory of a segment file, or the same capture. */
struct neighbours {
	const struct directory *directory;
	struct directory opened;
	const struct recorded_segment **by_pid; /* of a capture */
	size_t count;
};

static int order_by_pid(const void *left, const void *right)
{
	const struct recorded_segment *a = *(const struct recorded_segment *const *)left;
	const struct recorded_segment *b = *(const struct recorded_segment *const *)right;
	return (a->leader.pid > b->leader.pid) - (a->leader.pid < b->leader.pid);
}

static void open_directory(const struct vicinity *vicinity, struct neighbours *ret)
{
	struct failure ignored;

	*ret = (struct neighbours){.directory = vicinity->directory};
	if (!ret->directory && vicinity->path &&
	    directory_open_of(vicinity->path, &ret->opened, &ignored))
		ret->directory = &ret->opened;
}

static void order_segments(const struct recording *recording, struct neighbours *ret)
{
	*ret = (struct neighbours){.count = recording->segment_count};
	ret->by_pid = allocate(ret->count, sizeof(void *));
	for (size_t i = 0; i < ret->count; i++)
		ret->by_pid[i] = recording->segments[i];
	qsort(ret->by_pid, ret->count, sizeof(void *), order_by_pid);
}

static void close_neighbours(struct neighbours *neighbours)
{
	if (neighbours->directory == &neighbours->opened)
		directory_close(&neighbours->opened);
	free(neighbours->by_pid);
}

static size_t first_of_pid(const struct neighbours *neighbours, uint32_t pid)
{
	return PARTITION_POINT(0, neighbours->count, i, neighbours->by_pid[i]->leader.pid < pid);
}

static bool was_replaced(const struct process *process, const struct neighbours *neighbours)
{
	struct exec_trace trace = {
		.header = process->header,
		.pid = process->record.pid,
		.ppid = process->record.ppid,
		.start_ticks = process->record.start_ticks,
		.began_ns = process->record.began_ns,
		.began_real_ns = process->record.began_real_ns,
	};

	if (neighbours->directory)
		return directory_has_exec_of(neighbours->directory, &trace);
	for (size_t i = first_of_pid(neighbours, trace.pid); i < neighbours->count; i++) {
		const struct recorded_segment *segment = neighbours->by_pid[i];
		if (segment->leader.pid != trace.pid)
			break;
		if (is_exec_of(&trace, &segment->header, &segment->leader))
			return true;
	}
	return false;
}

static void set_exited(struct process *process, int64_t exit_status)
{
	process->state = STATE_EXITED;
	process->exit_status = exit_status;
	process->signal = 0;
}

static void set_running(struct process *process)
{
	process->state = STATE_RUNNING;
	process->signal = 0;
}

/* What `poolmem run` saw.  False: nothing, or nothing that settles it. */
static bool tell_from_outside(struct process *process, const struct outside_process *seen)
{
	if (seen && seen->running)
		set_running(process);
	else if (seen && seen->signal.is_known && seen->signal.value) {
		process->state = STATE_KILLED;
		process->signal = seen->signal.value;
	} else if (seen && seen->exit_status.is_known)
		set_exited(process, seen->exit_status.value);
	else
		return false;
	return true;
}

static enum life life_of(const struct process *process, const struct source *source)
{
	if (source->kind == SOURCE_CAPTURE || source->life == LIFE_ENDED)
		return LIFE_ENDED;
	return life_of_process(&source->input, process->header, process->record.pid,
			       process->record.start_ticks);
}

static void tell_state(struct process *process, const struct source *source,
		       const struct neighbours *neighbours, const struct outside_process *seen)
{
	if (process->kind == PROCESS_DEPARTED)
		process->state = STATE_ENDED;
	else if (process->record.state == PM_STATE_EXITED)
		set_exited(process, process->record.exit_status & 0xff);
	else if (was_replaced(process, neighbours))
		process->state = STATE_REPLACED;
	else if (!tell_from_outside(process, seen)) {
		enum life life = life_of(process, source);
		process->state = life == LIFE_ENDED ? STATE_ENDED : STATE_UNKNOWN;
		if (life == LIFE_RUNNING)
			set_running(process);
	}
}

/* The last moment of which the segment knows that the process was there. */
static uint64_t last_seen_ns(const struct process *process)
{
	uint64_t last = process->record.published_ns;
	for (size_t i = 0; i < process->slot_count; i++) {
		if (process->slots[i].began_ns > last)
			last = process->slots[i].began_ns;
		if (process->slots[i].ended_ns > last)
			last = process->slots[i].ended_ns;
	}
	return last;
}

/* Not longer than the whole run: the library's clock may be a tick behind. */
static uint64_t elapsed_until(const struct recording *recording, const struct process *process,
			      const struct outside_process *seen)
{
	const struct known *whole = &recording->outside.elapsed_ns;
	uint64_t elapsed = excess((uint64_t)seen->ended_ns.value, process->record.began_ns);

	return whole->is_known && (uint64_t)whole->value < elapsed ? (uint64_t)whole->value
								   : elapsed;
}

static void tell_elapsed(struct process *process, const struct recording *recording,
			 const struct outside_process *seen)
{
	const struct pm_process *record = &process->record;

	if (seen && seen->ended_ns.is_known && process->state != STATE_REPLACED)
		process->elapsed_ns = elapsed_until(recording, process, seen);
	else if (record->ended_ns)
		process->elapsed_ns = excess(record->ended_ns, record->began_ns);
	else if (process->state == STATE_RUNNING && recording->kind == SOURCE_SEGMENT)
		process->elapsed_ns = excess(recording->read_at_ns, record->began_ns);
	else if (seen && seen->elapsed_ns.is_known && process->state != STATE_REPLACED)
		process->elapsed_ns = (uint64_t)seen->elapsed_ns.value;
	else {
		process->elapsed_ns = excess(last_seen_ns(process), record->began_ns);
		process->elapsed_is_bound = true;
	}
	process->elapsed_ns = sum(process->elapsed_ns, 0);
}

static void tell_resident(struct process *process, const struct recording *recording,
			  const struct outside_process *seen)
{
	struct resident resident;

	if (recording->kind == SOURCE_CAPTURE) {
		if (seen && process->state != STATE_REPLACED) {
			process->rss_now = seen->rss_now;
			process->rss_peak = seen->rss_peak;
		}
	} else if (process->state == STATE_RUNNING && resident_read(process->record.pid, &resident)) {
		process->rss_now = (struct known){true, (int64_t)resident.now_bytes};
		process->rss_peak = (struct known){true, (int64_t)resident.peak_bytes};
	}
}

void tell_states(struct recording *recording, const struct source *source,
		 const struct vicinity *vicinity)
{
	struct neighbours neighbours;

	if (recording->kind == SOURCE_SEGMENT)
		open_directory(vicinity, &neighbours);
	else
		order_segments(recording, &neighbours);
	for (size_t i = 0; i < recording->process_count; i++) {
		struct process *process = &recording->processes[i];
		const struct outside_process *seen = NULL;
		if (process->record.pid)
			seen = outside_find(&recording->outside, process->record.pid,
					    process->record.start_ticks);
		tell_state(process, source, &neighbours, seen);
		tell_elapsed(process, recording, seen);
		tell_resident(process, recording, seen);
	}
	close_neighbours(&neighbours);
}
