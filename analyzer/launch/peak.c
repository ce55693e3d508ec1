/* SPDX-License-Identifier: MIT */
/* peak.c: see peak.h. */
#include "launch/peak.h"

#include "source/leaders.h"
#include "text/allocate.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROWTH_SHARE = 10, TRIES = 1 };

static const uint64_t LEAST = 1 << 20; /* bytes; of smaller programs the end tells enough */

/* A recorded process that runs. */
struct running {
	const struct roster_entry *entry;
	uint32_t leader, pid;
	uint64_t rss, live; /* bytes; live: as of its last slow call */
};

/* The largest of those that were seen. */
struct largest {
	const struct family *family;
	const struct roster_entry *entry; /* in hand */
	uint32_t refused;
	struct running by_rss, by_live;
};

static void see(const struct pm_header *header, uint32_t leader, const struct pm_process *process,
		void *context)
{
	struct largest *largest = context;
	struct running seen = {.entry = largest->entry,
			       .leader = leader,
			       .pid = process->pid,
			       .rss = family_rss_of(largest->family, (pid_t)process->pid),
			       .live = process->live_now_bytes};

	(void)header;
	if (seen.pid == largest->refused)
		return;
	/* Where the kernel lists no children, live bytes decide. */
	if (!largest->by_rss.entry || seen.rss > largest->by_rss.rss ||
	    (seen.rss == largest->by_rss.rss && seen.live > largest->by_rss.live))
		largest->by_rss = seen;
	if (!largest->by_live.entry || seen.live > largest->by_live.live)
		largest->by_live = seen;
}

/* One pass over the records of all processes of the run. */
static struct largest find_largest(const struct peak *peak, const struct family *family,
				   const struct roster *roster)
{
	struct largest largest = {.family = family, .refused = peak->refused};
	struct failure ignored;
	struct input input;

	for (size_t i = 0; i < roster->count; i++) {
		largest.entry = &roster->entries[i];
		if (largest.entry->state != ROSTER_RUNNING ||
		    !input_open(roster->directory_fd, largest.entry->name.text, &input, &ignored))
			continue;
		leaders_running(&input, see, &largest);
		input_close(&input);
	}
	return largest;
}

static const struct process *process_of(const struct recording *recording,
					const struct running *running)
{
	for (size_t i = 0; i < recording->process_count; i++) {
		const struct process *process = &recording->processes[i];
		if (process->state == STATE_RUNNING && process->chunk == running->leader &&
		    process->record.pid == running->pid)
			return process;
	}
	return NULL;
}

static struct peak_shot *take(const struct recording *recording, const struct running *running)
{
	const struct process *process = process_of(recording, running);
	struct inspection seen;
	struct failure ignored;

	if (!process || !inspect_stream(recording, process, TRIES, &seen, &ignored))
		return NULL;
	struct peak_shot *shot = allocate(1, sizeof *shot);
	*shot = (struct peak_shot){.of = {.leader = process->chunk}, .seen = seen, .uses = 1};
	memcpy(shot->of.id, process->header->id, sizeof shot->of.id);
	return shot;
}

static bool is_wanted(const struct recording *recording, const struct running *running,
		      const struct collect *collect)
{
	const struct process *process = process_of(recording, running);
	const struct process *facts = process ? facts_of(recording, process) : NULL;

	return facts && collect_wants(collect, facts->exe);
}

/* NULL: it cannot be looked at, or is none that is wanted. */
static struct peak_shot *survey(struct peak *peak, const struct running *running,
				const struct collect *collect)
{
	struct recording recording;
	struct peak_shot *shot = NULL;
	struct failure ignored;
	char path[PATH_MAX];
	int length = snprintf(path, sizeof path, "%s/%s", collect->directory,
			      running->entry->name.text);

	if (length < (int)sizeof path && recording_read(path, &recording, &ignored)) {
		shot = is_wanted(&recording, running, collect) ? take(&recording, running) : NULL;
		recording_free(&recording);
	}
	if (!shot)
		peak->refused = running->pid;
	return shot;
}

static void drop(struct peak_shot *shot)
{
	if (!shot || --shot->uses)
		return;
	free(shot->seen.stream);
	free(shot);
}

static void keep(struct peak_shot **at, struct peak_shot *shot)
{
	drop(*at);
	*at = shot;
	shot->uses++;
}

static bool is_of_same(const struct peak_shot *a, const struct peak_shot *b)
{
	return a->of.leader == b->of.leader && memcmp(a->of.id, b->of.id, sizeof a->of.id) == 0;
}

/* While one is taken a process may fall below what it was: then the former one stays. */
static void keep_rss(struct peak *peak, struct peak_shot *shot)
{
	const struct peak_shot *former = peak->at_rss;

	if (!former || !is_of_same(former, shot) || shot->seen.rss >= former->seen.rss)
		keep(&peak->at_rss, shot);
}

static void keep_live(struct peak *peak, struct peak_shot *shot)
{
	const struct peak_shot *former = peak->at_live;

	if (!former || shot->seen.live_bytes >= former->seen.live_bytes)
		keep(&peak->at_live, shot);
}

static bool has_grown(uint64_t now, uint64_t then)
{
	return now >= LEAST && now > then + then / GROWTH_SHARE;
}

static struct peak_shot *look_at_rss(struct peak *peak, uint64_t rss, const struct running *running,
				     const struct collect *collect)
{
	struct peak_shot *shot = NULL;

	if (running->entry && has_grown(rss, peak->rss) && (shot = survey(peak, running, collect))) {
		shot->of.rss = peak->rss = rss;
		keep_rss(peak, shot);
	}
	return shot;
}

void peak_look(struct peak *peak, uint64_t rss, const struct family *family,
	       const struct collect *collect)
{
	struct largest largest = find_largest(peak, family, &collect->roster);
	const struct running *by_live = &largest.by_live;

	peak->refused = 0;
	struct peak_shot *shot = look_at_rss(peak, rss, &largest.by_rss, collect);
	if (by_live->entry && has_grown(by_live->live, peak->live)) {
		if (shot && by_live->pid != largest.by_rss.pid) {
			drop(shot);
			shot = NULL;
		}
		shot = shot ? shot : survey(peak, by_live, collect);
		if (shot) {
			shot->of.rss = rss;
			peak->live = by_live->live;
			keep_live(peak, shot);
		}
	}
	drop(shot);
}

static bool save_shot(const struct peak_shot *shot, uint32_t peaks, struct save *save,
		      struct failure *why)
{
	if (!shot)
		return true;
	struct pm_survey_of of = shot->of;
	of.peaks = peaks;
	return save_survey(save, &of, shot->seen.stream, shot->seen.bytes, why);
}

bool peak_save(const struct peak *peak, struct save *save, struct failure *why)
{
	if (peak->at_rss == peak->at_live)
		return save_shot(peak->at_rss, PM_PEAK_RSS | PM_PEAK_LIVE, save, why);
	return save_shot(peak->at_rss, PM_PEAK_RSS, save, why) &&
	       save_shot(peak->at_live, PM_PEAK_LIVE, save, why);
}

void peak_free(struct peak *peak)
{
	drop(peak->at_rss);
	drop(peak->at_live);
	peak->at_rss = peak->at_live = NULL;
}
