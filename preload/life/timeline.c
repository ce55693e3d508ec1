/* SPDX-License-Identifier: MIT */
/*
 * timeline.c: how much was live when.
 *
 * Looked at where slow calls tick, and where large blocks raise the peak.  The chunk is made when a process has done or
 * held something, so that the smallest programs pay nothing.  One thread at a time writes; who finds another at it goes
 * on, and the other looks once more whether the peak has risen meanwhile.
 */
#include "tally/timeline.h"

#include "life/life.h"

enum {
	STRETCH_NS = 1000000, /* at first */
	STRETCH_ALLOCATIONS = 512,
	WORTH_ALLOCATIONS = 1024, /* from when on there is a timeline: so many, */
	WORTH_BYTES = 1 << 20,    /* or so much live at a time, */
	WORTH_NS = 20000000,      /* or so long a life, whichever is first */
	LOOKS = 4,
	WAIT_TURNS = 300,
};

static const struct timeline_stretch first_stretch = {STRETCH_NS, STRETCH_ALLOCATIONS};
static struct timeline timeline;
static struct pm_moment early; /* when most was live before there was a timeline */
static uint64_t peak_noted;    /* the live_peak_bytes that is in it */
static bool cut;               /* there is no room for more */

void timeline_begin(void)
{
	timeline = (struct timeline){.to = NULL};
	early = (struct pm_moment){0};
	peak_noted = 0;
	cut = false;
}

static bool is_worth_it(const struct pm_process *process, const struct pm_moment *moment)
{
	return moment->allocations >= WORTH_ALLOCATIONS || moment->live_bytes >= WORTH_BYTES ||
	       moment->at_ns - process->began_ns >= WORTH_NS;
}

/* false: there is none yet, or no room for one. */
static bool ensure(const struct pm_process *process, const struct pm_moment *moment)
{
	if (timeline.to || cut)
		return timeline.to;
	if (moment->live_bytes >= early.live_bytes)
		early = *moment;
	if (!is_worth_it(process, moment))
		return false;
	timeline.stretch = first_stretch;
	timeline.to = segment_timeline(life.leader);
	cut = !timeline.to;
	if (timeline.to)
		timeline_add(&timeline, &early);
	return timeline.to;
}

/* A peak that other threads have left meanwhile is noted with the other figures of now. */
static uint64_t live_now(const struct pm_process *process)
{
	uint64_t peak = __atomic_load_n(&process->live_peak_bytes, __ATOMIC_RELAXED);
	if (peak <= peak_noted)
		return __atomic_load_n(&process->live_now_bytes, __ATOMIC_RELAXED);
	peak_noted = peak;
	return peak;
}

/* Not before the last one that was noted: another thread may have read the clock later and come first. */
static struct pm_moment moment_at(uint64_t at_ns, const struct pm_process *process)
{
	if (host_next) /* nothing is known of its pages */
		return (struct pm_moment){
			.at_ns = at_ns > timeline.latest_ns ? at_ns : timeline.latest_ns,
			.allocations = __atomic_load_n(&life.allocations, __ATOMIC_RELAXED),
			.live_bytes = live_now(process),
		};
	return (struct pm_moment){
		.at_ns = at_ns > timeline.latest_ns ? at_ns : timeline.latest_ns,
		.allocations = __atomic_load_n(&life.allocations, __ATOMIC_RELAXED),
		.live_bytes = live_now(process),
		.used_bytes = arena_bytes_in_use(),
		.kept_bytes = __atomic_load_n(&region.free_dirty, __ATOMIC_RELAXED),
		.committed_bytes = __atomic_load_n(&region.mapped_bytes, __ATOMIC_RELAXED),
	};
}

/* false: there is no room, now and later. */
static bool add(const struct pm_moment *moment)
{
	cut = cut || !segment_timeline_present(timeline.to, timeline_reach(&timeline));
	if (!cut)
		timeline_add(&timeline, moment);
	return !cut;
}

/* The clock may be another library's, which allocates: then this is at work already, and that is not looked at. */
static void look(const struct pm_process *process, uint64_t at_ns, bool is_last)
{
	struct pm_moment moment = moment_at(at_ns ? at_ns : threads_clock_ns(), process);
	if (!ensure(process, &moment))
		return;
	bool is_due = is_last || timeline_is_due(&timeline, moment.at_ns, moment.allocations);
	if (!is_due || !add(&moment))
		timeline_raise(&timeline, &moment);
}

/* Most ticks bring none. */
static bool has_news(const struct pm_process *process, uint64_t at_ns)
{
	if (!timeline.to)
		return !cut;
	return __atomic_load_n(&process->live_now_bytes, __ATOMIC_RELAXED) > timeline.highest ||
	       __atomic_load_n(&process->live_peak_bytes, __ATOMIC_RELAXED) > peak_noted ||
	       (!cut && timeline_is_due(&timeline, at_ns,
					__atomic_load_n(&life.allocations, __ATOMIC_RELAXED)));
}

void timeline_note(uint64_t at_ns)
{
	const struct pm_process *process = life.process;
	if (!life.recording || !wiped.alive)
		return;
	for (unsigned i = 0; i < LOOKS && has_news(process, at_ns); i++) {
		if (!wiped_try(&wiped.timing))
			return;
		look(process, at_ns, false);
		wiped_done(&wiped.timing);
		/* Before it is seen whether another came in vain. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
}

void timeline_end(void)
{
	if (!life.recording || !wiped.alive || !wiped_wait(&wiped.timing, WAIT_TURNS))
		return;
	look(life.process, 0, true);
	wiped_done(&wiped.timing);
}
