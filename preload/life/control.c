/* SPDX-License-Identifier: MIT */
/*
 * control.c: what is asked for from outside while the process runs.
 *
 *   poolmem ctl --> pm_process.control --one thread takes it, at a slow call--> the period of what is recorded from now on
 *                                                                                  |
 *                   pm_slot.control <--each heap follows, at a slow call of its own-+
 *
 * The word is of someone else: what is out of range is ignored, and nothing but what is recorded hangs on it.
 */
#include "life/life.h"

static uint64_t taken; /* the last word that this process has looked at; atomic */
static uint64_t sample_period;
static enum pm_control state;

/* What the process writes of it is for readers; it does not read it again. */
static void publish(struct pm_process *process)
{
	process->sample_period = sample_period;
	process->control_state = (uint32_t)state;
}

void control_init(enum pm_control what_can_be_asked, uint64_t sample)
{
	state = what_can_be_asked;
	sample_period = sample;
	publish(life.process);
}

void control_begin(void)
{
	taken = 0;
	if (life.process)
		publish(life.process);
}

static void switch_to(struct pm_process *process, uint64_t period)
{
	uint64_t before = sites_period();
	if (state != PM_CONTROL_OPEN || period > PM_CONTROL_PERIOD_MAX || period == before ||
	    !sites_switch(period))
		return;
	if (period > 1)
		sample_period = period;
	publish(process);
	process->site_before = before;
	process->site_period = period;
	process->site_since_ns = threads_clock_ns();
}

static void take(struct pm_process *process, uint64_t word)
{
	if (!wiped_try(&wiped.switching))
		return;
	switch_to(process, word & ((UINT64_C(1) << PM_CONTROL_SHIFT) - 1));
	__atomic_store_n(&taken, word, __ATOMIC_RELEASE);
	__atomic_store_n(&process->control_taken, word, __ATOMIC_RELEASE);
	wiped_done(&wiped.switching);
}

/* Its countdowns were drawn by another period, or it is new. */
static void follow(struct heap *heap)
{
	if (!sites_follow(heap))
		return;
	tick_flush(heap);
	tick_arm(heap);
}

void control_look(struct heap *heap)
{
	struct pm_process *process = life_process();
	uint64_t word = __atomic_load_n(&process->control, __ATOMIC_ACQUIRE);
	if (!life.recording)
		return;
	if (word && word != __atomic_load_n(&taken, __ATOMIC_ACQUIRE))
		take(process, word);
	uint64_t now = __atomic_load_n(&taken, __ATOMIC_ACQUIRE);
	follow(heap);
	__atomic_store_n(&((struct pm_slot *)heap_counted(heap, heap->slot))->control, now,
			 __ATOMIC_RELEASE);
}
