/* SPDX-License-Identifier: MIT */
/* names.c: see names.h. */
#include "model/names.h"

#include "source/life.h"
#include "text/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int by_thread(const void *left, const void *right)
{
	const struct outside_thread *a = left, *b = right;
	int order = compare(a->tid, b->tid);
	return order ? order : compare(a->pid, b->pid);
}

/* The first with this number, in the list by number. */
static size_t first_of(const struct outside *outside, uint32_t tid)
{
	return PARTITION_POINT(0, outside->thread_count, i, outside->threads[i].tid < tid);
}

/* Who held the slot last was there from then on, and when it was given back no longer. */
static bool was_seen_in(const struct outside_thread *thread, const struct process *process,
			const struct slot *slot)
{
	uint64_t ended_ns = slot->ended_ns ? slot->ended_ns : UINT64_MAX;
	return thread->pid == process->record.pid && (uint64_t)thread->last_ns >= slot->began_ns &&
	       (uint64_t)thread->first_ns <= ended_ns;
}

/* The last name that it was seen with. */
static void name_from_outside(const struct outside *outside, const struct process *process,
			      struct slot *slot)
{
	const struct outside_thread *last = NULL;

	for (size_t i = first_of(outside, slot->tid); i < outside->thread_count; i++) {
		const struct outside_thread *thread = &outside->threads[i];
		if (thread->tid != slot->tid)
			break;
		if (was_seen_in(thread, process, slot) && (!last || thread->last_ns > last->last_ns))
			last = thread;
	}
	if (last)
		snprintf(slot->name, sizeof slot->name, "%s", last->name);
}

static void name_from_process(const struct process *process, struct slot *slot)
{
	char path[64], name[64] = "";

	snprintf(path, sizeof path, "/proc/%u/task/%u/comm", process->record.pid, slot->tid);
	FILE *file = slot->held ? fopen(path, "re") : NULL;
	if (!file)
		return;
	size_t bytes = fread(name, 1, sizeof name - 1, file);
	fclose(file);
	name[bytes ? bytes - 1 : 0] = 0; /* a newline closes it */
	snprintf(slot->name, sizeof slot->name, "%.*s", (int)sizeof slot->name - 1, name);
}

static void name_slots(const struct recording *recording, struct process *process)
{
	bool is_live = recording->kind == SOURCE_SEGMENT && process->state == STATE_RUNNING &&
		       life_same_kernel(process->header);

	for (size_t i = 0; i < process->slot_count; i++) {
		struct slot *slot = &process->slots[i];
		if (slot->use != PM_SLOT_THREAD || !slot->tid)
			continue;
		if (is_live)
			name_from_process(process, slot);
		else if (process->state != STATE_REPLACED || slot->tid != process->record.pid)
			name_from_outside(&recording->outside, process, slot);
	}
}

/* Where pids are of another namespace than those that were seen, so are the numbers of threads. */
void tell_names(struct recording *recording)
{
	struct outside *outside = &recording->outside;

	if (outside->thread_count)
		qsort(outside->threads, outside->thread_count, sizeof *outside->threads, by_thread);
	for (size_t i = 0; i < recording->process_count; i++)
		if (!(recording->processes[i].record.foreign & PM_FOREIGN_PIDS))
			name_slots(recording, &recording->processes[i]);
}
