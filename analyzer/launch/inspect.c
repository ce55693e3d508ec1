/* SPDX-License-Identifier: MIT */
/* inspect.c: see inspect.h. */
#define _GNU_SOURCE
#include "launch/inspect.h"

#include "launch/inspected.h"
#include "model/survey.h"
#include "text/allocate.h"
#include "text/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	TRIES = 5,
	DRIFT_SHARE = 200, /* one part in so many is held still enough */
};

bool peek(const struct inspected *target, uint64_t address, void *to, size_t bytes)
{
	struct iovec local = {to, bytes}, remote = {(void *)(uintptr_t)address, bytes};

	return !bytes || process_vm_readv(target->pid, &local, 1, &remote, 1, 0) == (ssize_t)bytes;
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

/* *ret_drift: by how much RSS changed meanwhile. */
static bool take(struct inspected *target, uint64_t *ret_drift)
{
	struct pm_survey begin = {
		.at_ns = monotonic_ns(), .page_bytes = target->page_bytes, .knows_pages = 1};
	uint64_t blocks = word(target, PM_INSIDE_SITES) / word(target, PM_INSIDE_SITE_BLOCK) + 1;
	uint64_t before = rss_of(target);

	target->rss = before;
	target->site_blocks = allocate(blocks, sizeof *target->site_blocks);
	put_fact(target, PM_SURVEY_BEGIN, &begin, sizeof begin, NULL, 0);
	read_generations(target);
	read_tables(target);
	if (!put_arenas(target) || target->is_false)
		return false;
	put_ranges(target);
	put_live(target);
	if (!put_smaps(target)) /* last: of a heap that grows they say no less than its pages did */
		return false;
	put_fact(target, PM_SURVEY_END, NULL, 0, NULL, 0);
	uint64_t after = rss_of(target);
	begin.drift_bytes = after > before ? after - before : before - after;
	memcpy(target->stream.data + sizeof(struct pm_fact), &begin, sizeof begin);
	*ret_drift = after ? begin.drift_bytes : UINT64_MAX;
	return after;
}

static bool take_until_still(struct inspected *target, unsigned tries)
{
	uint64_t drift;

	for (unsigned turn = 1;; turn++) {
		if (!take(target, &drift))
			return false;
		if (turn == tries || drift <= rss_of(target) / DRIFT_SHARE)
			return true;
		forget(target);
	}
}

static bool open_target(struct inspected *target, struct failure *why)
{
	uint64_t probe;

	target->arena_pages = (uint32_t)(target->arena_units * target->unit_bytes /
					 target->page_bytes);
	target->pagemap = open_proc(target, "pagemap");
	if (target->pagemap >= 0 &&
	    peek(target, word(target, PM_INSIDE_SEGMENT_AT), &probe, sizeof probe))
		return true;
	int error = errno;
	if (target->pagemap >= 0)
		close(target->pagemap);
	return fail(why, FAILURE_NOTHING, "its memory cannot be read: %s; be its user or root%s",
		    strerror(error), error == EPERM ? ", and see kernel.yama.ptrace_scope" : "");
}

void *inspect_stream(const struct recording *recording, const struct process *process,
		     unsigned tries, size_t *ret_bytes, struct failure *why)
{
	const struct process *facts = facts_of(recording, process);
	struct inspected target = {
		.pid = (pid_t)process->record.pid,
		.process = process,
		.in = facts ? facts->inside : NULL,
		.page_bytes = process->layout->page_bytes,
		.arena_units = process->layout->arena_units,
		.unit_bytes = process->layout->unit_bytes,
	};
	void *stream = NULL;

	if (!target.in || !inside_is_sane(target.in, target.arena_units) ||
	    target.page_bytes != (uint64_t)sysconf(_SC_PAGESIZE)) {
		fail(why, FAILURE_NOTHING,
		     "its libpoolmem.so does not say where its memory has what it knows");
		return NULL;
	}
	if (!open_target(&target, why))
		return NULL;
	if (take_until_still(&target, tries)) {
		stream = buffer_take(&target.stream, ret_bytes);
	} else {
		fail(why, FAILURE_NOTHING, "%s",
		     target.is_false ? "its memory does not have what its libpoolmem.so says"
				     : "it ended while it was read");
	}
	forget(&target);
	close(target.pagemap);
	return stream;
}

bool inspect(const struct recording *recording, struct process *process, struct failure *why)
{
	size_t bytes;
	void *stream = inspect_stream(recording, process, TRIES, &bytes, why);

	if (stream)
		process->survey = survey_read(process, stream, bytes);
	return stream;
}
