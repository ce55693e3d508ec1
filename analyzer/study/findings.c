/* SPDX-License-Identifier: MIT */
/* findings.c: see findings.h. */
#include "study/findings.h"

#include "model/saturate.h"

#include <string.h>

enum {
	TELLING_COUNT = 100, /* fewer blocks or calls say nothing */
	TELLING_BYTES = 1 << 20,
	TELLING_EPOCHS = 10, /* of the process that had most */
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

static void look_at_heap(struct findings *findings, const struct pool_table *pools)
{
	uint64_t touched = pools->all.touched_bytes, live = pools->all.live_bytes;

	if (touched < TELLING_BYTES || live > touched)
		return;
	if (!reaches(live, touched, 50))
		add(findings, FINDING_HEAP_EMPTY, live, touched);
	else if (reaches(live, touched, 85))
		add(findings, FINDING_HEAP_FULL, live, touched);
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
	uint64_t kept = metric(metrics, METRIC_LEAK_BLOCKS);

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

/* Where hardly an epoch has passed, no block can die in a later one. */
static void look_at_ages(struct findings *findings, const struct generations *generations)
{
	uint64_t died = generations->died_in_all;

	if (died < TELLING_COUNT || generations->epoch_max < TELLING_EPOCHS)
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

void findings_make(struct findings *ret, const struct evidence *evidence)
{
	const struct metrics *metrics = evidence->metrics;

	*ret = (struct findings){.count = 0};
	if (!metric(metrics, METRIC_ALLOC_COUNT)) {
		add(ret, FINDING_IDLE, 0, 0);
		return;
	}
	if (!evidence->is_over)
		look_at_heap(ret, evidence->pools);
	look_at_threads(ret, metrics);
	look_at_classes(ret, evidence->classes);
	look_at_ages(ret, evidence->generations);
	look_at_growth(ret, metrics);
	look_at_reallocs(ret, metrics);
}
