/* SPDX-License-Identifier: MIT */
/* inspect.c: see inspect.h. */
#define _GNU_SOURCE
#include "launch/inspect.h"

#include "launch/inspected.h"
#include "launch/say.h"
#include "model/survey.h"
#include "text/allocate.h"
#include "text/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

enum { TRIES = 5 };

static const double DRIFT_SHARE = 0.005; /* is held still enough */

bool peek(const struct inspected *target, uint64_t address, void *to, size_t bytes)
{
	struct iovec local = {to, bytes}, remote = {(void *)(uintptr_t)address, bytes};

	ssize_t got = bytes ? process_vm_readv(target->pid, &local, 1, &remote, 1, 0) : 0;

	if (got >= 0 && got < (ssize_t)bytes)
		errno = EFAULT;
	return got == (ssize_t)bytes;
}

static void put(struct inspected *target, const void *data, size_t bytes)
{
	enum { ROOM_FOR_ALL = 16 << 20 };

	target->is_false = target->is_false ||
			   target->stream.bytes + bytes > target->rss + ROOM_FOR_ALL;
	if (!target->is_false)
		buffer_add(&target->stream, data, bytes);
}

void put_fact(struct inspected *target, enum pm_survey_tag tag, const void *payload, size_t bytes,
	      const void *more, size_t more_bytes)
{
	static const char zeros[8];
	struct pm_fact fact = {tag, (uint32_t)(bytes + more_bytes)};

	put(target, &fact, sizeof fact);
	put(target, payload, bytes);
	put(target, more, more_bytes);
	put(target, zeros, -(bytes + more_bytes) % 8);
}

static void forget(struct inspected *target)
{
	uint64_t blocks = word(target, PM_INSIDE_SITES) / word(target, PM_INSIDE_SITE_BLOCK) + 1;

	for (uint64_t i = 0; target->site_blocks && i < blocks; i++)
		free(target->site_blocks[i]);
	free(target->site_blocks);
	free(target->known);
	free(target->owners);
	buffer_free(&target->stream);
	target->site_blocks = NULL;
	target->known = NULL;
	target->owners = NULL;
	target->known_count = target->known_room = 0;
	target->last_heap = 0;
}

/* By call site, as the segment had it a moment ago. */
static void put_live(struct inspected *target)
{
	const struct process *process = target->process;
	struct pm_survey_live *live = allocate(process->site_count + 1, sizeof *live);

	for (size_t i = 0; i < process->site_count; i++) {
		const struct pm_site *row = &process->sites[i];
		live[i] = (struct pm_survey_live){
			.frame = frames_number(process->frames, row->frame),
			.size_class = row->size_class,
			.large_log2 = row->large_log2,
			.period = row->period,
			.blocks = (int64_t)(row->allocated - row->freed),
			.bytes = (int64_t)(row->allocated_bytes - row->freed_bytes) +
				 row->resized_bytes,
		};
	}
	put_fact(target, PM_SURVEY_LIVE, live, process->site_count * sizeof *live, NULL, 0);
	free(live);
}

static bool open_target(struct inspected *target)
{
	uint64_t probe;

	target->arena_pages = (uint32_t)(target->arena_units * target->unit_bytes /
					 target->page_bytes);
	target->pagemap = open_proc(target, "pagemap");
	return (target->pagemap >= 0 &&
		peek(target, word(target, PM_INSIDE_SEGMENT_AT), &probe, sizeof probe)) ||
	       lacks(target, "its memory");
}

static void *allocate_blocks(const struct inspected *target)
{
	uint64_t blocks = word(target, PM_INSIDE_SITES) / word(target, PM_INSIDE_SITE_BLOCK) + 1;
	return allocate(blocks, sizeof *target->site_blocks);
}

static void put_counts(struct inspected *target, const struct block_counts *before)
{
	struct block_counts after;

	if (!target->knows_counts || !read_counts_of(target, &after))
		return;
	compare_counts(target->process, before, &after, &target->counts);
	put_fact(target, PM_SURVEY_COUNTS, &target->counts, sizeof target->counts, NULL, 0);
}

/* A survey in target->stream; false: see target->lacking. */
static bool take(struct inspected *target)
{
	struct pm_survey begin = {
		.at_ns = monotonic_ns(), .page_bytes = target->page_bytes, .knows_pages = 1};
	struct block_counts before;

	target->rss = rss_of(target);
	target->site_blocks = allocate_blocks(target);
	put_fact(target, PM_SURVEY_BEGIN, &begin, sizeof begin, NULL, 0);
	target->knows_counts = read_counts_of(target, &before);
	read_generations(target);
	read_tables(target);
	if (!put_arenas(target) || target->is_false)
		return false;
	put_counts(target, &before);
	put_ranges(target);
	put_live(target);
	if (!put_smaps(target)) /* last: of a heap that grows they say no less than its pages did */
		return false;
	put_fact(target, PM_SURVEY_END, NULL, 0, NULL, 0);
	uint64_t after = rss_of(target);
	begin.drift_bytes = after > target->rss ? after - target->rss : target->rss - after;
	memcpy(target->stream.data + sizeof(struct pm_fact), &begin, sizeof begin);
	target->drift_bytes = begin.drift_bytes;
	return after || lacks(target, "its resident memory");
}

static double share(uint64_t part, uint64_t whole)
{
	return part ? (double)part / (double)(whole ? whole : 1) : 0;
}

/* By which share the process changed while it was gone through: of resident bytes, live blocks or their bytes. */
static double drift_of(const struct inspected *target)
{
	const struct pm_survey_counts *counts = &target->counts;
	double most = share(target->drift_bytes, target->rss);

	if (!target->knows_counts)
		return most;
	double blocks = share(counts->drift_blocks, counts->live_blocks);
	double bytes = share(counts->drift_bytes, counts->live_bytes);
	most = blocks > most ? blocks : most;
	return bytes > most ? bytes : most;
}

/* The one of several that drifted least, or the first that held still. */
static bool take_until_still(struct inspected *target, unsigned tries, struct inspection *ret)
{
	double least = INFINITY;

	for (unsigned turn = 0; turn < tries && least > DRIFT_SHARE; turn++) {
		forget(target);
		if (!take(target))
			return false;
		if (drift_of(target) >= least)
			continue;
		least = drift_of(target);
		free(ret->stream);
		ret->stream = buffer_take(&target->stream, &ret->bytes);
		ret->rss = target->rss;
		ret->live_bytes = target->knows_counts ? target->counts.live_bytes : 0;
	}
	return true;
}

static bool survey_it(struct inspected *target, unsigned tries, struct inspection *ret,
		      struct failure *why)
{
	struct inspection inspection = {.stream = NULL};

	if (!inside_is_known(target, why))
		return false;
	assert(target->in);
	bool taken = open_target(target) && take_until_still(target, tries, &inspection);
	if (!taken)
		inspect_refused(target, why);
	forget(target);
	if (target->pagemap >= 0)
		close(target->pagemap);
	if (!taken)
		free(inspection.stream);
	else
		*ret = inspection;
	return taken;
}

bool inspect_stream(const struct recording *recording, const struct process *process,
		    unsigned tries, struct inspection *ret, struct failure *why)
{
	const struct process *facts = facts_of(recording, process);
	struct failure ignored;
	struct input segment;
	bool has_segment = recording->path && recording->kind == SOURCE_SEGMENT &&
			   input_open(AT_FDCWD, recording->path, &segment, &ignored);
	struct inspected target = {
		.pid = (pid_t)process->record.pid,
		.process = process,
		.in = facts ? facts->inside : NULL,
		.page_bytes = process->layout->page_bytes,
		.arena_units = process->layout->arena_units,
		.unit_bytes = process->layout->unit_bytes,
		.pagemap = -1,
		.segment = has_segment ? &segment : NULL,
	};
	bool taken = survey_it(&target, tries, ret, why);

	if (has_segment)
		input_close(&segment);
	return taken;
}

bool inspect(const struct recording *recording, struct process *process, struct failure *why)
{
	struct inspection inspection;

	if (!inspect_stream(recording, process, TRIES, &inspection, why))
		return false;
	if (!inside_knows_owners(facts_of(recording, process)->inside))
		say("process %u: its libpoolmem.so is older: owners of pools are as published last",
		    process->record.pid);
	process->survey = survey_read(process, inspection.stream, inspection.bytes);
	return true;
}

void inspect_running(struct recording *recording, enum moment moment)
{
	struct failure why;

	recording->shows_surveys = true;
	recording->moment = moment;
	/* What a capture has of a process that lived on is of then, and its pid may be another's by now. */
	for (size_t i = 0; i < recording->process_count; i++) {
		struct process *process = &recording->processes[i];
		if (recording->kind == SOURCE_SEGMENT && process->state == STATE_RUNNING &&
		    !inspect(recording, process, &why))
			say("process %u: %s", process->record.pid, why.text);
	}
}
