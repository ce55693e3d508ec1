/* SPDX-License-Identifier: MIT */
/*
 * exit.c: the last words of a process that ends by exit().
 *
 * Registered first, so it runs last.  Counting goes on after it; a process that is killed has its
 * counts in the segment as they stood.
 */
#define _GNU_SOURCE
#include "life/life.h"
#include "life/survey.h"

#include <errno.h>
#include <stdlib.h>

/* Another thread may be turning the epoch; it is waited for, but not for ever. */
static void publish_last(void)
{
	if (!tick_hold())
		return;
	publish_pools();
	tick_release();
}

static void at_exit(int status, void *unused)
{
	(void)unused;
	int saved = errno;
	struct heap *heap = heap_open_mine();
	heap_enter();
	fork_check(heap);
	if (heap)
		tick_flush(heap);
	publish_process();
	timeline_end();
	sites_note_peak();
	publish_last();
	survey_take();
	struct pm_process *process = life_process();
	process->exit_status = status;
	process->ended_ns = threads_clock_ns();
	__atomic_store_n(&process->state, PM_STATE_EXITED, __ATOMIC_RELEASE);
	if (heap)
		trace_end(heap);
	heap_close(heap);
	errno = saved;
}

void exit_init(void)
{
	on_exit(at_exit, NULL);
}
