/* SPDX-License-Identifier: MIT */
/* program.c: what a program asks for through <poolmem/poolmem.h>. */
#include "life/life.h"
#include "tally/clock.h"

#include <errno.h>
#include <time.h>

/* In the segment; NULL: nothing was marked. */
static struct pm_marks *marks;
static uint32_t marks_made;

void program_begin(void)
{
	marks = NULL;
	marks_made = 0;
}

bool program_is_served(void)
{
	return life.started && !life_is_aside();
}

bool program_has_generations(void)
{
	return program_is_served() && (!host_next || next_has_births());
}

bool program_can_freeze(void)
{
	return program_is_served() && !host_next;
}

/* What the heap has counted is handed on, and no epoch turns until unlock(). */
static int lock(struct heap *heap)
{
	tick_catch_up(heap);
	return tick_hold() ? 0 : EAGAIN;
}

static void unlock(void)
{
	tick_release();
	publish_process();
}

int program_collect(struct heap *heap, unsigned generation, int64_t *ret_died)
{
	int error = lock(heap);
	if (error)
		return error;
	tick_sweep(clock_choose_asked(generation));
	*ret_died = (int64_t)survival_died(generation);
	unlock();
	return 0;
}

int program_get_stats(struct heap *heap, struct poolmem_stats ret_stats[3])
{
	int error = lock(heap);
	if (error)
		return error;
	survival_stats(ret_stats);
	unlock();
	return 0;
}

int program_get_count(struct heap *heap, uint64_t ret_count[3])
{
	int error = lock(heap);
	if (error)
		return error;
	ret_count[0] = clock_units_of_epoch();
	ret_count[1] = clock_now.count[1];
	ret_count[2] = clock_now.count[2];
	unlock();
	return 0;
}

void program_get_threshold(uint32_t ret_threshold[3])
{
	for (unsigned g = 0; g < 3; g++)
		ret_threshold[g] = clock_now.threshold[g];
}

int program_set_threshold(struct heap *heap, const uint32_t threshold[3])
{
	if (!threshold[0] || threshold[1] > CLOCK_T1_MAX)
		return EINVAL;
	int error = lock(heap);
	if (error)
		return error;
	clock_set_threshold(threshold);
	tick_pace_large();
	tick_arm(heap);
	publish_clock(life_process());
	unlock();
	return 0;
}

int program_freeze(struct heap *heap, int64_t *ret_frozen)
{
	static struct frozen more; /* not on the host's stack */
	int error = lock(heap);
	if (error)
		return error;
	__builtin_memset(&more, 0, sizeof more);
	tick_sweep(2);
	life.froze = true;
	frozen_take(&more);
	sites_freeze(&more);
	survival_freeze(&more);
	*ret_frozen = survival_frozen();
	unlock();
	return 0;
}

int program_unfreeze(struct heap *heap)
{
	int error = lock(heap);
	if (error)
		return error;
	frozen_give_back();
	sites_unfreeze();
	survival_unfreeze();
	unlock();
	return 0;
}

int64_t program_freeze_count(void)
{
	return survival_frozen();
}

void program_enable(bool enabled)
{
	__atomic_store_n(&clock_now.paused, !enabled, __ATOMIC_RELAXED);
}

bool program_is_enabled(void)
{
	return !__atomic_load_n(&clock_now.paused, __ATOMIC_RELAXED);
}

static bool is_inside_character(char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Cut between characters of UTF-8, if it is that. */
static void copy_name(char to[PM_MARK_NAME], const char *name)
{
	size_t bytes = 0, back = 0;
	while (bytes < PM_MARK_NAME - 1 && name[bytes])
		bytes++;
	while (back < 3 && back < bytes && is_inside_character(name[bytes - back]))
		back++;
	if (!is_inside_character(name[bytes - back]))
		bytes -= back;
	__builtin_memcpy(to, name, bytes);
	__builtin_memset(to + bytes, 0, PM_MARK_NAME - bytes);
}

static void fill(struct pm_mark *mark, const char *name)
{
	struct timespec now = {0};
	clock_gettime(CLOCK_MONOTONIC, &now); /* not the coarse one: phases may be short */
	*mark = (struct pm_mark){
		.at_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
		.epoch = clock_now.epoch,
	};
	for (unsigned g = 0; g < 3; g++)
		mark->sweeps[g] = clock_now.sweeps[g];
	survival_sum_up(mark);
	copy_name(mark->name, name);
}

/* Those that find no room are counted: a reader says how many are missing. */
static bool keep(const char *name)
{
	if (!marks && life.recording && wiped.alive)
		marks = segment_marks(life.leader);
	if (!marks)
		return false;
	bool room = marks_made < PM_MARK_ROOM;
	if (room)
		fill(&marks->mark[marks_made], name);
	__atomic_store_n(&marks->made, ++marks_made, __ATOMIC_RELEASE);
	return room;
}

int program_mark(struct heap *heap, const char *name)
{
	int error = lock(heap);
	if (error)
		return error;
	bool kept = keep(name);
	unlock();
	return kept ? 0 : ENOSPC;
}
