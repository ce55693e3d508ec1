/* SPDX-License-Identifier: MIT */
/* glance.c: see glance.h. */
#include "render/glance.h"

#include "model/saturate.h"
#include "render/command.h"
#include "render/words.h"
#include "study/timeline.h"
#include "text/allocate.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TITLE_COLUMNS_MAX = 80, LABEL_COLUMNS = 15 };

static void begin(struct sink *sink, const char *label)
{
	paragraph_begin(sink, LABEL_COLUMNS);
	sink_print(sink, "  %-12s ", label);
}

static void put_duration(const struct metrics *metrics, struct sink *sink)
{
	uint64_t elapsed = metric(metrics, METRIC_PROCESS_ELAPSED);
	const struct metric_bound *bound = &metrics->bound[METRIC_PROCESS_ELAPSED];

	if (!metrics->value[METRIC_PROCESS_ELAPSED].is_known)
		return;
	begin(sink, "duration");
	if (elapsed)
		sink_print(sink, "%s%s\n", bound->is_known ? "at least " : "",
			   number_duration(elapsed).text);
	else if (bound->at_most == INT64_MAX)
		sink_print(sink, "not known: nobody saw its end\n");
	else
		sink_print(sink, "less than %s\n", number_duration((uint64_t)bound->at_most).text);
}

static void put_calls(const struct metrics *metrics, struct sink *sink)
{
	uint64_t allocated = metric(metrics, METRIC_ALLOC_COUNT);
	uint64_t elapsed = metric(metrics, METRIC_PROCESS_ELAPSED);

	begin(sink, "allocations");
	sink_print(sink, "%s, %s", number_of(allocated, "block").text,
		   number_bytes(metric(metrics, METRIC_ALLOC_BYTES)).text);
	if (elapsed && !metrics->bound[METRIC_PROCESS_ELAPSED].is_known)
		sink_print(sink, ", %s", number_rate(allocated, elapsed).text);
	sink_print(sink, "\n");
	begin(sink, "frees");
	sink_print(sink, "%s, %s\n", number_of(metric(metrics, METRIC_FREE_COUNT), "block").text,
		   number_bytes(metric(metrics, METRIC_FREE_BYTES)).text);
}

static void put_reallocs(const struct metrics *metrics, struct sink *sink)
{
	uint64_t calls = metric(metrics, METRIC_REALLOC_COUNT);

	if (!calls)
		return;
	begin(sink, "reallocs");
	sink_print(sink, "%s, of these %s moved the block\n", number_count(calls).text,
		   number_count(metric(metrics, METRIC_REALLOC_MOVED)).text);
}

static void put_nested(const struct metrics *metrics, struct sink *sink)
{
	uint64_t nested = metric(metrics, METRIC_ALLOC_NESTED);

	if (!nested)
		return;
	begin(sink, "nested");
	sink_print(sink,
		   "%s allocations by signal handlers inside the allocator, or by threads past "
		   "their end\n",
		   number_count(nested).text);
}

static void put_refused(const struct metrics *metrics, struct sink *sink)
{
	uint64_t refused = metric(metrics, METRIC_ALLOC_FAILED);

	if (!refused)
		return;
	begin(sink, "refused");
	sink_print(sink, "%s\n", number_of(refused, "request").text);
}

/* What lives now; of a program that has ended, what it never freed. */
static void put_live(const struct metrics *metrics, bool is_running, struct sink *sink)
{
	enum metric blocks = is_running ? METRIC_LIVE_BLOCKS : METRIC_LEAK_BLOCKS;
	enum metric bytes = is_running ? METRIC_LIVE_BYTES : METRIC_LEAK_BYTES;

	if (!metrics->value[blocks].is_known)
		return;
	begin(sink, is_running ? "live now" : "never freed");
	sink_print(sink, "%s, %s\n", words_blocks(metrics, blocks).text,
		   words_bytes(metrics, bytes).text);
}

static void put_inherited(const struct metrics *metrics, size_t process_count, struct sink *sink)
{
	uint64_t blocks = metric(metrics, METRIC_INHERITED_BLOCKS);

	if (!blocks)
		return;
	begin(sink, "inherited");
	sink_print(sink, "%s, %s, ", number_of(blocks, "block").text,
		   number_bytes(metric(metrics, METRIC_INHERITED_BYTES)).text);
	sink_print(sink, process_count > 1
				 ? "by forked children; sums count them once, in the parent\n"
				 : "which it has from its parent\n");
}

/* only: whose figures these are; NULL: of several. */
static void put_peak(const struct metrics *metrics, const struct process *only,
		     size_t process_count, struct sink *sink)
{
	uint64_t elapsed = metric(metrics, METRIC_PROCESS_ELAPSED);
	struct instant at;

	if (!metrics->value[METRIC_LIVE_PEAK].is_known)
		return;
	begin(sink, "live at peak");
	sink_print(sink, "%s", words_bytes(metrics, METRIC_LIVE_PEAK).text);
	if (process_count > 1)
		sink_print(sink, " (each process at its own peak)");
	else if (only && over_time_peak(only, metrics, &at) && elapsed > at.ns)
		sink_print(sink, "; reached after %s of %s", number_duration(at.ns).text,
			   number_duration(elapsed).text);
	sink_print(sink, "\n");
}

static void put_mapped(const struct metrics *metrics, struct sink *sink)
{
	uint64_t mapped = metric(metrics, METRIC_HEAP_COMMITTED);
	uint64_t peak = metric(metrics, METRIC_HEAP_COMMITTED_PEAK);

	sink_print(sink, "%s mapped", number_bytes(mapped).text);
	if (metrics->bound[METRIC_HEAP_COMMITTED].is_known)
		sink_print(
			sink, ", at most %s",
			number_bytes((uint64_t)metrics->bound[METRIC_HEAP_COMMITTED].at_most).text);
	if (peak > mapped)
		sink_print(sink, "; at its peak %s",
			   words_bytes(metrics, METRIC_HEAP_COMMITTED_PEAK).text);
	/* Each child may fill the same room that its parent left. */
	if (peak < metric(metrics, METRIC_LIVE_PEAK))
		sink_print(sink, "; less than was live: children fill what they inherit");
}

/* What of the heap takes memory, as far as its map tells. */
static void put_written(const struct pool_table *pools, struct sink *sink)
{
	uint64_t in_pools = pools->all.touched_bytes, kept = pools->arenas.dirty_bytes;
	uint64_t larger = sum(pools->arenas.large_bytes, pools->arenas.huge_bytes);

	if (!in_pools && !kept && !larger)
		return;
	begin(sink, "written to");
	sink_print(sink, "%s of its pools", number_bytes(in_pools).text);
	if (larger)
		sink_print(sink, ", at most %s of larger blocks", number_bytes(larger).text);
	if (kept)
		sink_print(sink, ", %s free and kept", number_bytes(kept).text);
	sink_print(sink, "\n");
}

/* Why nothing is known of its pages. */
static void put_unmapped(const struct process *only, struct sink *sink)
{
	if (!only || !process_is_served_elsewhere(only)) {
		sink_print(sink, "not known: never published");
		return;
	}
	sink_print(sink, "that of ");
	sink_name(sink, only->next_allocator ? only->next_allocator : "another allocator", 0);
	sink_print(sink, " (heap=next)");
}

static void put_heap(const struct figures *figures, const struct process *only, struct sink *sink)
{
	const struct metrics *metrics = &figures->metrics;

	begin(sink, "heap");
	if (metrics->value[METRIC_HEAP_COMMITTED].is_known)
		put_mapped(metrics, sink);
	else
		put_unmapped(only, sink);
	sink_print(sink, "\n");
	put_written(&figures->pools, sink);
	begin(sink, "overhead");
	if (metrics->value[METRIC_HEAP_META].is_known)
		sink_print(sink, "%s for bookkeeping, ",
			   number_bytes(metric(metrics, METRIC_HEAP_META)).text);
	sink_print(sink, "at most %s of shared memory for these figures\n",
		   number_bytes(metric(metrics, METRIC_HEAP_TELEMETRY)).text);
}

static void put_resident(const struct metrics *metrics, bool is_running, size_t process_count,
			 struct sink *sink)
{
	bool has_now = is_running && metrics->value[METRIC_RSS_NOW].is_known;
	bool has_peak = metrics->value[METRIC_RSS_PEAK].is_known;

	begin(sink, "resident");
	if (has_now)
		sink_print(sink, "%s now", number_bytes(metric(metrics, METRIC_RSS_NOW)).text);
	if (has_peak)
		sink_print(sink, "%s%s at peak", has_now ? ", " : "",
			   number_bytes(metric(metrics, METRIC_RSS_PEAK)).text);
	if (has_now || has_peak)
		sink_print(sink, " (the kernel's figure%s)\n",
			   process_count > 1 ? "s added up, shared pages in each" : "");
	else
		sink_print(sink, "not known: nobody looked while it ran\n");
}

static void put_threads(const struct metrics *metrics, struct sink *sink)
{
	if (!metrics->value[METRIC_PROCESS_THREADS].is_known || !metric(metrics, METRIC_ALLOC_COUNT))
		return;
	begin(sink, "threads");
	sink_print(sink, "%s that allocated",
		   number_count(metric(metrics, METRIC_PROCESS_THREADS)).text);
	if (metric(metrics, METRIC_FREE_REMOTE))
		sink_print(sink, "; %s frees of another thread's block",
			   number_count(metric(metrics, METRIC_FREE_REMOTE)).text);
	sink_print(sink, "\n");
}

static void put_figures(const struct figures *figures, const struct process *only, bool is_running,
			size_t process_count, struct sink *sink)
{
	const struct metrics *metrics = &figures->metrics;

	put_duration(metrics, sink);
	put_calls(metrics, sink);
	put_reallocs(metrics, sink);
	put_nested(metrics, sink);
	put_refused(metrics, sink);
	put_live(metrics, is_running, sink);
	put_inherited(metrics, process_count, sink);
	put_peak(metrics, only, process_count, sink);
	put_heap(figures, only, sink);
	put_resident(metrics, is_running, process_count, sink);
	put_threads(metrics, sink);
	if (figures->findings.count)
		sink_print(sink, "\n");
	words_findings(figures, sink);
}

/* Takes over the command. */
static void put_title(struct sink *sink, char *command)
{
	bool is_narrow = sink->columns && sink->columns < TITLE_COLUMNS_MAX;

	sink_style(sink, STYLE_TITLE);
	sink_name(sink, command, is_narrow ? sink->columns : TITLE_COLUMNS_MAX);
	free(command);
	sink_style(sink, STYLE_PLAIN);
	sink_print(sink, "\n");
}

static void put_state(const struct process *process, struct sink *sink)
{
	begin(sink, "state");
	sink_print(sink, "%s", words_state(process).text);
	if (process->kind == PROCESS_DEPARTED)
		sink_print(sink, ", %u children of pid %u", process->record.recycled_children,
			   process->record.ppid);
	else
		sink_print(sink, ", pid %u", process->record.pid);
	if (process->kind == PROCESS_FORK)
		sink_print(sink, ", forked by %u", process->record.ppid);
	sink_print(sink, "\n");
}

void glance_heading_of(const struct study *study, const struct process_study *process,
		       struct sink *sink)
{
	put_title(sink, command_of(study, process->process));
	put_state(process->process, sink);
}

void glance_process(const struct study *study, const struct process_study *process,
		    struct sink *sink)
{
	glance_heading_of(study, process, sink);
	put_figures(&process->figures, process->process, process->process->state == STATE_RUNNING,
		    1, sink);
}

/* Of several that the filter left, the one that stands first in their table. */
static char *command_of_shown(const struct study *study)
{
	char *command, *titled;

	if (!study->process_count)
		return command_of_all(study);
	command = command_of(study, study->ranked[0]->process);
	if (study->process_count == 1)
		return command;
	size_t bytes = strlen(command) + sizeof "filtered: ";
	titled = allocate(bytes, 1);
	snprintf(titled, bytes, "filtered: %s", command);
	free(command);
	return titled;
}

/* A daemon goes on when what was started has ended. */
static void put_survivors(const struct study *study, const struct process *first, struct sink *sink)
{
	uint64_t running = 0;

	for (size_t i = 0; i < study->process_count; i++)
		running += study->processes[i].process->state == STATE_RUNNING;
	if (running && first->state != STATE_RUNNING)
		sink_print(sink, "; %s still run%s", number_of(running, "other").text,
			   running == 1 ? "s" : "");
}

/* How the run ended, where that was seen; else how its first process did. */
static void put_end(const struct study *study, struct sink *sink)
{
	const struct outside *outside = &study->recording->outside;
	const struct process *first = study->skipped_count ? study->ranked[0]->process
							   : study->processes[0].process;
	struct process end = *first;

	if (!study->skipped_count && outside->signal.is_known && outside->signal.value)
		end = (struct process){.state = STATE_KILLED, .signal = outside->signal.value};
	else if (!study->skipped_count && outside->exit_status.is_known)
		end = (struct process){.state = STATE_EXITED,
				       .exit_status = outside->exit_status.value};
	begin(sink, "state");
	sink_print(sink, "%s, pid %u", words_state(&end).text, first->record.pid);
	put_survivors(study, first, sink);
	sink_print(sink, "\n");
}

static void put_processes(const struct study *study, struct sink *sink)
{
	begin(sink, "processes");
	sink_print(sink, "%s", number_of(study->exec_count, "program").text);
	if (study->fork_count)
		sink_print(sink, ", %s", number_of(study->fork_count, "fork").text);
	if (study->skipped_count)
		sink_print(sink, "; %s filtered out", number_count(study->skipped_count).text);
	sink_print(sink, "%s\n", study->process_count > 1 ? "; all below are sums" : "");
}

static bool some_process_runs(const struct study *study)
{
	for (size_t i = 0; i < study->process_count; i++)
		if (study->processes[i].process->state == STATE_RUNNING)
			return true;
	return false;
}

static bool is_of_one(const struct study *study)
{
	return study->process_count == 1 && !study->skipped_count;
}

void glance_heading(const struct study *study, struct sink *sink)
{
	if (is_of_one(study)) {
		glance_heading_of(study, &study->processes[0], sink);
		return;
	}
	put_title(sink, study->skipped_count ? command_of_shown(study) : command_of_all(study));
	if (!study->process_count)
		return;
	put_end(study, sink);
	put_processes(study, sink);
}

void glance_recording(const struct study *study, struct sink *sink)
{
	if (is_of_one(study)) {
		glance_process(study, &study->processes[0], sink);
		return;
	}
	glance_heading(study, sink);
	if (study->process_count)
		put_figures(&study->total, NULL, some_process_runs(study), study->process_count,
			    sink);
}
