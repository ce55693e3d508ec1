/* SPDX-License-Identifier: MIT */
/* findings.c: see findings.h. */
#include "study/findings.h"

#include "model/saturate.h"

#include <string.h>

enum {
	TELLING_COUNT = 100, /* fewer blocks or calls say nothing */
	TELLING_BYTES = 1 << 20,
};

static void add(struct findings *findings, enum finding_kind kind, uint64_t part, uint64_t whole)
{
	if (findings->count < FINDING_MAX)
		findings->list[findings->count++] = (struct finding){kind, "", part, whole};
}

/* part / whole >= percent / 100 */
static bool reaches(uint64_t part, uint64_t whole, unsigned percent)
{
	return (unsigned __int128)part * 100 >= (unsigned __int128)whole * percent;
}

static void look_at_heap(struct findings *findings, const struct metrics *metrics)
{
	uint64_t committed = metric(metrics, METRIC_HEAP_COMMITTED);
	uint64_t live = metric(metrics, METRIC_LIVE_BYTES);

	if (committed < TELLING_BYTES || live > committed)
		return;
	if (!reaches(live, committed, 50))
		add(findings, FINDING_HEAP_EMPTY, live, committed);
	else if (reaches(live, committed, 85))
		add(findings, FINDING_HEAP_FULL, live, committed);
}

static void look_at_threads(struct findings *findings, const struct metrics *metrics)
{
	uint64_t frees = metric(metrics, METRIC_FREE_COUNT);
	uint64_t remote = metric(metrics, METRIC_FREE_REMOTE);

	if (frees >= TELLING_COUNT && reaches(remote, frees, 10))
		add(findings, FINDING_REMOTE, remote, frees);
}

static void look_at_growth(struct findings *findings, const struct metrics *metrics)
{
	uint64_t allocated = metric(metrics, METRIC_ALLOC_COUNT);
	uint64_t kept = excess(allocated, metric(metrics, METRIC_FREE_COUNT));

	if (allocated >= TELLING_COUNT && reaches(kept, allocated, 50))
		add(findings, FINDING_GROWS, kept, allocated);
}

static void look_at_classes(struct findings *findings, const struct class_table *classes)
{
	const struct class_row *row = &classes->busiest;

	if (classes->all.allocated < TELLING_COUNT ||
	    !reaches(row->allocated, classes->all.allocated, 30) || findings->count == FINDING_MAX)
		return;
	add(findings, FINDING_ONE_CLASS, row->allocated, classes->all.allocated);
	memcpy(findings->list[findings->count - 1].name, row->name, sizeof row->name);
}

static void look_at_ages(struct findings *findings, const struct generations *generations)
{
	uint64_t died = generations->died_in_all;

	if (died < TELLING_COUNT)
		return;
	if (reaches(generations->died_young, died, 60))
		add(findings, FINDING_DIED_YOUNG, generations->died_young, died);
	else if (!reaches(generations->died_young, died, 20))
		add(findings, FINDING_LIVED_LONG, generations->died_young, died);
}

static void look_at_reallocs(struct findings *findings, const struct metrics *metrics)
{
	uint64_t calls = metric(metrics, METRIC_REALLOC_COUNT);
	uint64_t moved = metric(metrics, METRIC_REALLOC_MOVED);

	if (calls >= TELLING_COUNT && reaches(calls, metric(metrics, METRIC_ALLOC_COUNT), 20) &&
	    reaches(moved, calls, 50))
		add(findings, FINDING_REALLOC_MOVES, moved, calls);
}

void findings_make(struct findings *ret, const struct metrics *metrics,
		   const struct class_table *classes, const struct generations *generations)
{
	*ret = (struct findings){.count = 0};
	if (!metric(metrics, METRIC_ALLOC_COUNT)) {
		add(ret, FINDING_IDLE, 0, 0);
		return;
	}
	look_at_heap(ret, metrics);
	look_at_threads(ret, metrics);
	look_at_classes(ret, classes);
	look_at_ages(ret, generations);
	look_at_growth(ret, metrics);
	look_at_reallocs(ret, metrics);
}
