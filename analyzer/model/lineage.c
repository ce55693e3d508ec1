/* SPDX-License-Identifier: MIT */
/* lineage.c: where a process comes from: whose exe and arguments hold for it, and who forked it. */
#include "model/parts.h"
#include "text/allocate.h"

#include <stdlib.h>

/*
 * All processes from `first` on are of one segment: what was not exec'ed has the facts of its
 * leader.
 */
static void share_facts(struct recording *recording, size_t first)
{
	size_t leader = recording->process_count;

	for (size_t i = first; i < recording->process_count; i++)
		if (recording->processes[i].kind == PROCESS_EXEC)
			leader = i;
	for (size_t i = first; i < recording->process_count; i++) {
		struct process *process = &recording->processes[i];
		bool has_own = process->exe || leader == recording->process_count;
		process->facts_index = has_own ? i : leader;
	}
}

/* A parent is older, which also keeps a damaged file from making anyone its own ancestor. */
static bool is_older(const struct process *process, const struct process *than)
{
	if (process->record.began_ns != than->record.began_ns)
		return process->record.began_ns < than->record.began_ns;
	return process->chunk < than->chunk;
}

/* The area of a dead parent may be another child's by now. */
static bool may_have_forked(const struct process *parent, const struct process *child)
{
	return parent->record.pid == child->record.ppid && is_older(parent, child);
}

static void find_parents(struct recording *recording, size_t first, size_t chunk_count)
{
	size_t nobody = recording->process_count;
	size_t *index_of = allocate(chunk_count, sizeof *index_of);

	for (size_t n = 0; n < chunk_count; n++)
		index_of[n] = nobody;
	for (size_t i = first; i < recording->process_count; i++)
		if (recording->processes[i].kind != PROCESS_DEPARTED)
			index_of[recording->processes[i].chunk] = i;
	for (size_t i = first; i < recording->process_count; i++) {
		struct process *process = &recording->processes[i];
		uint32_t parent = process->record.parent;
		size_t at = process->kind == PROCESS_FORK && parent < chunk_count ? index_of[parent]
										  : nobody;
		bool is_known = at != nobody && may_have_forked(&recording->processes[at], process);
		process->parent_index = is_known ? at : i;
	}
	free(index_of);
}

void link_processes(struct recording *recording, size_t first, const struct image *image)
{
	share_facts(recording, first);
	find_parents(recording, first, image->chunk_count);
}

bool recording_has_note(const struct recording *recording, enum pm_note note)
{
	for (size_t i = 0; i < recording->process_count; i++)
		if (!process_has_note(&recording->processes[i], note))
			return false;
	return recording->process_count;
}

const struct process *facts_of(const struct recording *recording, const struct process *process)
{
	return &recording->processes[process->facts_index];
}

const struct process *parent_of(const struct recording *recording, const struct process *process)
{
	const struct process *parent = &recording->processes[process->parent_index];
	return parent == process ? NULL : parent;
}
