/* SPDX-License-Identifier: MIT */
/* peak.c: see peak.h. */
#include "launch/peak.h"

#include "launch/inspect.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GROWTH_SHARE = 10, TIME_SHARE = 10, TRIES = 2, CANDIDATES = 4 };

static const uint64_t RSS_LEAST = 1 << 20; /* of smaller programs the end tells enough */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Of those with less than that. */
static const struct family_member *largest(const struct family *family, uint64_t below)
{
	const struct family_member *most = NULL;

	for (size_t i = 0; i < family->count; i++)
		if (family->member[i].rss_now < below &&
		    family_is_running(family, &family->member[i]) &&
		    (!most || family->member[i].rss_now > most->rss_now))
			most = &family->member[i];
	return most;
}

/* Surveys it if the recording has it. */
static bool take(struct peak *peak, const struct recording *recording, pid_t pid)
{
	for (size_t i = 0; i < recording->process_count; i++) {
		const struct process *process = &recording->processes[i];
		struct failure ignored;
		size_t bytes;
		if (process->state != STATE_RUNNING || process->record.pid != (uint32_t)pid)
			continue;
		void *stream = inspect_stream(recording, process, TRIES, &bytes, &ignored);
		if (!stream)
			return false;
		free(peak->stream);
		peak->stream = stream;
		peak->bytes = bytes;
		memcpy(peak->of.id, process->header->id, sizeof peak->of.id);
		peak->of.leader = process->chunk;
		return true;
	}
	return false;
}

static bool survey(struct peak *peak, pid_t pid, const struct collect *collect)
{
	const struct roster *roster = &collect->roster;

	for (size_t i = 0; i < roster->count; i++) {
		char path[PATH_MAX];
		struct recording recording;
		struct failure ignored;
		if (roster->entries[i].state != ROSTER_RUNNING)
			continue;
		int length = snprintf(path, sizeof path, "%s/%s", collect->directory,
				      roster->entries[i].name.text);
		if (length >= (int)sizeof path || !recording_read(path, &recording, &ignored))
			continue;
		bool taken = take(peak, &recording, pid);
		recording_free(&recording);
		if (taken)
			return true;
	}
	return false;
}

void peak_look(struct peak *peak, uint64_t rss, const struct family *family,
	       const struct collect *collect)
{
	uint64_t began = now_ns();
	const struct family_member *member = NULL;
	uint64_t below = UINT64_MAX;
	bool taken = false;

	if (!peak->is_wanted || rss < RSS_LEAST || rss <= peak->rss + peak->rss / GROWTH_SHARE ||
	    began < peak->not_before_ns)
		return;
	/* The largest may be none of ours: a static program, or a shell. */
	for (unsigned i = 0; i < CANDIDATES && !taken && (member = largest(family, below)); i++) {
		below = member->rss_now;
		taken = survey(peak, member->pid, collect);
	}
	if (taken) {
		peak->rss = rss;
		peak->of.rss = rss;
	}
	uint64_t ended = now_ns();
	peak->not_before_ns = ended + (ended - began) * TIME_SHARE;
}

bool peak_save(const struct peak *peak, struct save *save, struct failure *why)
{
	return !peak->stream || save_survey(save, &peak->of, peak->stream, peak->bytes, why);
}

void peak_free(struct peak *peak)
{
	free(peak->stream);
	peak->stream = NULL;
}
