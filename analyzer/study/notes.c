/* SPDX-License-Identifier: MIT */
/* notes.c: see notes.h. */
#include "study/notes.h"
#include "study/mode.h"
#include "study/moment.h"
#include "study/survival.h"
#include "study/unrecorded.h"

#include "model/saturate.h"
#include "text/allocate.h"
#include "text/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct note *add(struct notes *notes, const char *key, const char *text, uint64_t count)
{
	notes->notes = allocate_more(notes->notes, notes->count, &notes->room, sizeof *notes->notes);
	struct note *note = &notes->notes[notes->count++];
	*note = (struct note){.key = key, .text = text, .count = sum(count, 0)};
	return note;
}

static const struct note_unit threads = {"thread", "threads"}, children = {"child", "children"},
			      arenas = {"arena", "arenas"}, pools = {"pool", "pools"},
			      classes = {"class", "classes"}, parts = {"part", "parts"},
			      times = {"time", "times"}, processes = {"process", "processes"},
			      blocks = {"block", "blocks"}, marks = {"mark", "marks"},
			      rows = {"row", "rows"}, programs = {"program", "programs"};

static void add_counted(struct notes *notes, const char *key, const char *text, uint64_t count,
			const struct note_unit *unit)
{
	add(notes, key, text, count)->unit = unit;
}

/* NULL: the note has no number. */
static const struct note_unit *count_of(enum pm_note bit, const struct pm_process *record,
					uint64_t *ret)
{
	switch (bit) {
	case PM_NOTE_THREADS_UNSEEN: *ret = record->slots_unseen; return &threads;
	case PM_NOTE_CHILDREN_UNSEEN: *ret = record->children_unseen; return &children;
	case PM_NOTE_RECYCLED: *ret = record->recycled_children; return &children;
	default: return NULL;
	}
}

/* The bits, and counts whose bit was not set in time. */
static void add_recorded(struct notes *notes, const struct pm_process *record)
{
#define NOTE_WORDS(name, key, text) [PM_NOTE_##name] = {key, text},
	static const struct {
		const char *key, *text;
	} words[] = {PM_NOTES(NOTE_WORDS)};
#undef NOTE_WORDS

	for (enum pm_note bit = 0; bit < PM_NOTE_COUNT; bit++) {
		uint64_t count = 0;
		const struct note_unit *unit = count_of(bit, record, &count);
		if (count || (record->notes >> bit & 1))
			add_counted(notes, words[bit].key, words[bit].text, count, unit);
	}
	if (record->notes >> PM_NOTE_COUNT)
		add(notes, "unknown_note",
		    "a newer poolmem noted something that this one does not know", 0);
	if (record->arenas_unseen)
		add_counted(notes, "arenas_unseen",
			    "some arenas found no room in the segment: their pools are missing here",
			    record->arenas_unseen, &arenas);
}

static void add_misuse(struct notes *notes, const struct process *process)
{
#define MISUSE_WORDS(name, key, text) [PM_MISUSE_##name] = {key, text},
	static const struct {
		const char *key, *text;
	} words[] = {PM_MISUSES(MISUSE_WORDS)};
#undef MISUSE_WORDS
	const struct pm_process *record = &process->record;

	if (!record->misuse_count)
		return;
	struct note *note = add(notes, "misuse", "the program broke malloc's contract",
				record->misuse_count);
	note->unit = &times;
	if (record->misuse_kind && record->misuse_kind < PM_MISUSE_COUNT)
		snprintf(note->detail, sizeof note->detail, "last: %s of %#llx, %s",
			 words[record->misuse_kind].key, (unsigned long long)record->misuse_address,
			 words[record->misuse_kind].text);
}

static const char *program_of(const struct process *process, const struct recording *recording)
{
	const struct process *facts = facts_of(recording, process);
	const char *slash = facts->exe ? strrchr(facts->exe, '/') : NULL;

	return slash ? slash + 1 : facts->exe ? facts->exe : "?";
}

/* Then nothing of what was published is shown. */
static bool is_surveyed(const struct process *process, const struct recording *recording)
{
	enum moment moment;
	const struct survey *survey = moment_survey(process, recording->moment, &moment);

	return recording->shows_surveys && survey && survey->is_whole;
}

/* How old the map of the heap is, when it is older than the counts. */
static void add_publication(struct notes *notes, const struct process *process,
			    const struct recording *recording)
{
	const struct pm_process *record = &process->record;
	bool is_live = process->state == STATE_RUNNING && recording->kind == SOURCE_SEGMENT;

	/* Of _exit the status may be known: nothing was published by it. */
	if (!process->arena_count || record->state == PM_STATE_EXITED ||
	    is_surveyed(process, recording))
		return;
	bool is_exact = !process->drift_blocks && !process->drift_bytes;
	struct note *note = add(notes, "pools_age",
				is_exact ? "pools are as they were published last; counts are exact"
					 : "pools are as they were published last",
				0);
	uint64_t age_ns = excess(recording->read_at_ns, record->published_ns);
	note->lists = true;
	if (is_live && record->published_ns)
		snprintf(note->detail, sizeof note->detail, "%.60s %u: epoch %llu, %s ago",
			 program_of(process, recording), record->pid,
			 (unsigned long long)record->published_epoch, number_duration(age_ns).text);
	else
		snprintf(note->detail, sizeof note->detail, "%.60s %u: epoch %llu of %llu",
			 program_of(process, recording), record->pid,
			 (unsigned long long)record->published_epoch,
			 (unsigned long long)record->epoch);
}

static bool has_blocks(const struct process *process)
{
	for (uint32_t c = 0; c < process->layout->class_count; c++)
		if (process->classes[c].allocated)
			return true;
	return process->record.inherited_blocks || process->kind == PROCESS_FORK;
}

static void add_no_map(struct notes *notes, const struct process *process,
		       const struct recording *recording)
{
	if (process->arena_count || process->kind == PROCESS_DEPARTED || !has_blocks(process) ||
	    is_surveyed(process, recording) || process_is_served_elsewhere(process))
		return;
	struct note *note = add(notes, "no_map",
				"arenas and pools are missing here of processes that never published "
				"them: that is done at exit() and at the end of an epoch",
				1);
	note->unit = &processes;
	note->lists = true;
	snprintf(note->detail, sizeof note->detail, "%.60s %u", program_of(process, recording),
		 process->record.pid);
}

/* Objects that python serves itself are no calls of malloc. */
static void add_python(struct notes *notes, const struct process *process,
		       const struct recording *recording)
{
	if (process->kind == PROCESS_EXEC &&
	    strncmp(program_of(process, recording), "python", strlen("python")) == 0)
		add(notes, "pymalloc",
		    "python3 serves small objects itself, unseen here, unless its environment has "
		    "PYTHONMALLOC=malloc",
		    0);
}

static void add_reading(struct notes *notes, const struct process *process)
{
	if (process->pools_torn)
		add_counted(notes, "pools_torn",
			    "some pools were caught in the middle of a change and are left out",
			    process->pools_torn, &pools);
	if (process->unsettled)
		add_counted(
			notes, "unsettled",
			"some size classes changed too fast to be read: a few allocations too many may "
			"be counted",
			process->unsettled, &classes);
	if (process->drift_blocks || process->drift_bytes)
		add_counted(notes, "freed_meanwhile",
			    "blocks were freed while the counts were read: what is live is the least "
			    "that it can be, and may be these more",
			    process->drift_blocks, &blocks);
	if (process->facts_cut && !(process->record.notes >> PM_NOTE_FACTS_CUT & 1))
		add(notes, "facts_cut", "process facts are not complete", 0);
	if (process->kind == PROCESS_DEPARTED)
		add(notes, "live_unknown",
		    "what dead children had live when they ended is not known", 0);
}

/* Why what entered, survived and lives in each generation is not told. */
static void add_sweeps(struct notes *notes, const struct process *process)
{
	size_t forks = process->kind == PROCESS_DEPARTED ? forks_in(process) : 1;

	if (!survival_is_recorded(process))
		add_counted(
			notes, "sweeps_unknown",
			"what came to each generation, survived and lives there is not known of "
			"processes whose sweeps were not recorded, and of dead children whose areas "
			"were reused",
			forks, &processes);
	if (process->marks_made > process->mark_count)
		add_counted(
			notes, "marks_dropped",
			"marks that found no room in the segment are missing: the last phase goes on over them",
			process->marks_made - process->mark_count, &marks);
}

/* Of several times the last one. */
static void add_switch(struct notes *notes, const struct process *process,
		       const struct recording *recording)
{
	const struct pm_process *record = &process->record;

	if (!process->switched_real_ns)
		return;
	struct note *note = add(
		notes, "sites_switched",
		"which call sites are recorded was switched while the program ran: blocks "
		"stand as they were recorded when they were allocated, those that were not "
		"are in no site, nor in its peak",
		0);
	note->lists = true;
	snprintf(note->detail, sizeof note->detail, "%.20s %u: %.40s since %.24s, before %.40s",
		 program_of(process, recording), record->pid, mode_words(record->site_period).text,
		 mode_time(process->switched_real_ns).text, mode_words(record->site_before).text);
}

static void add_sites(struct notes *notes, const struct process *process)
{
	const struct pm_process *record = &process->record;

	if (record->dropped_stacks)
		add_counted(notes, "dropped_stacks",
			    "the stacks of some blocks found no room in the segment (max=, "
			    "segment.max=): their call site is not known",
			    record->dropped_stacks, &blocks);
	if (record->dropped_blocks)
		add_counted(notes, "dropped_blocks",
			    "some blocks that were to be recorded by call site found no room: they "
			    "are missing among the call sites",
			    record->dropped_blocks, &blocks);
	if (process->sites_torn)
		add_counted(notes, "sites_torn",
			    "some rows of call sites were caught in the middle of a change: they, or "
			    "their stacks, are left out",
			    process->sites_torn, &rows);
}

static void add_to_list(struct note *total, const char *detail)
{
	static const char more[] = ", ...";
	size_t used = strlen(total->detail), length = strlen(detail);

	if (used + strlen(", ") + length + sizeof more <= sizeof total->detail)
		snprintf(total->detail + used, sizeof total->detail - used, ", %s", detail);
	else if (used < strlen(more) || strcmp(total->detail + used - strlen(more), more) != 0)
		memcpy(total->detail + used, more, sizeof more);
}

/* The names of as many as there is room for. */
static void add_unrecorded(struct notes *notes, const struct recording *recording)
{
	struct unrecorded unrecorded;
	struct note *note;

	unrecorded_of(recording, &unrecorded);
	if (unrecorded.count) {
		note = add(notes, "unrecorded",
			   "the tree of processes also ran what left no record (static programs, a "
			   "cleared environment, other rights, POOLMEM=off): it is in no figure here",
			   unrecorded.count);
		note->unit = &programs;
		for (size_t i = 0; i < unrecorded.program_count; i++)
			if (i == 0)
				snprintf(note->detail, sizeof note->detail, "%.100s",
					 unrecorded_name(&unrecorded.programs[i]));
			else
				add_to_list(note, unrecorded_name(&unrecorded.programs[i]));
	}
	if (unrecorded.dropped_count)
		add_counted(notes, "programs_dropped",
			    "programs were started faster than they could be noted: some may have "
			    "left no record",
			    unrecorded.dropped_count, &programs);
	unrecorded_free(&unrecorded);
}

void notes_of_process(struct notes *notes, const struct process *process,
		      const struct recording *recording)
{
	if (process->kind != PROCESS_DEPARTED)
		add_recorded(notes, &process->record);
	add_misuse(notes, process);
	add_publication(notes, process, recording);
	add_reading(notes, process);
	add_no_map(notes, process, recording);
	add_python(notes, process, recording);
	add_sweeps(notes, process);
	add_switch(notes, process, recording);
	add_sites(notes, process);
}

void notes_of_recording(struct notes *notes, const struct recording *recording)
{
	if (recording->is_cut_short)
		add(notes, "cut_short", "the capture was cut short: its end is missing", 0);
	if (recording->orphans)
		add_counted(
			notes, "orphans",
			"some parts of the segment belong to no process: they were caught in the middle "
			"of a change",
			recording->orphans, &parts);
	if (!recording->process_count)
		add(notes, "no_process", "no process loaded libpoolmem.so: nothing was recorded", 0);
	else
		add_unrecorded(notes, recording);
}

void notes_add_leak_whole(struct notes *notes)
{
	struct note *note = add(
		notes, NOTE_LEAK_WHOLE,
		"leak.blocks and leak.bytes are all that was never freed: what libc and "
		"the loader keep, and what suppressions name, is taken off by leaks, "
		"sites and export, where call sites were recorded",
		0);
	note->is_for_machines = true;
}

void notes_remove(struct notes *notes, const char *key)
{
	size_t kept = 0;

	for (size_t i = 0; i < notes->count; i++)
		if (strcmp(notes->notes[i].key, key) != 0)
			notes->notes[kept++] = notes->notes[i];
	notes->count = kept;
}

/* A detail that differs from process to process is none of all. */
static void add_to(struct note *total, const struct note *note)
{
	total->count = sum(total->count, note->count);
	if (note->lists)
		add_to_list(total, note->detail);
	else if (!total->count && strcmp(total->detail, note->detail) != 0)
		total->detail[0] = 0;
}

void notes_merge(struct notes *notes, const struct notes *process)
{
	for (size_t i = 0; i < process->count; i++) {
		const struct note *note = &process->notes[i];
		size_t at = 0;
		while (at < notes->count && strcmp(notes->notes[at].key, note->key) != 0)
			at++;
		if (at == notes->count)
			*add(notes, note->key, note->text, 0) = *note;
		else
			add_to(&notes->notes[at], note);
	}
}

void notes_free(struct notes *notes)
{
	free(notes->notes);
}
