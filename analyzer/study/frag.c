/* SPDX-License-Identifier: MIT */
/* frag.c: see frag.h. */
#include "study/frag.h"

#include "model/saturate.h"
#include "text/allocate.h"

#include <stdlib.h>

static int largest_first(const void *left, const void *right)
{
	const struct frag_process *a = left, *b = right;
	uint64_t of_a = waterfall_heap(&a->waterfall), of_b = waterfall_heap(&b->waterfall);

	if (of_a != of_b)
		return of_a < of_b ? 1 : -1;
	return (a->process > b->process) - (a->process < b->process);
}

/* The peak as the report has it: what was proven to live. */
static struct frag_peak live_peak_of(const struct metrics *metrics, const struct survey *survey)
{
	return (struct frag_peak){survey->knows_counts ? survey->counts.live_bytes : 0,
				  metric(metrics, METRIC_LIVE_PEAK)};
}

static struct frag_peak peak_of(const struct recording *recording, const struct survey *survey)
{
	const struct known *highest = &recording->outside.rss_peak;

	return (struct frag_peak){survey->tree_rss, highest->is_known && highest->value > 0
							    ? (uint64_t)highest->value
							    : 0};
}

static void add_process(struct frag *frag, const struct process_study *study, uint64_t wished_bytes,
			enum moment moment)
{
	struct frag_process *one = &frag->list[frag->count++];

	one->process = study->process;
	one->study = study;
	one->publication = publication_of(frag->study->recording, study);
	one->survey = moment_survey(one->process, moment, &one->moment);
	if (one->moment == MOMENT_PEAK && one->survey)
		one->peak = peak_of(frag->study->recording, one->survey);
	if (one->moment == MOMENT_LIVE_PEAK && one->survey)
		one->peak = live_peak_of(&study->figures.metrics, one->survey);
	waterfall_make(one->process, one->survey, &one->waterfall);
	one->has_pins = pins_make(one->process, one->survey, &one->pins);
	over_time_of(frag->study->recording, one->process, &study->figures.metrics, &one->over_time);
	one->wished_bytes = wished_bytes;
	one->lately_since = growth_of_epochs(one->process, &one->lately);
	one->places = stacks_begin(one->process);
	if (!one->has_pins)
		return;
	if (one->moment != MOMENT_END)
		growth_make(one->process, one->survey, &one->growth);
	fit_make(one->process, one->survey, one->moment != MOMENT_END, &one->fit);
	if (!wished_bytes)
		one->wished_bytes = one->pins.pinned[PIN_PAGE] / 2;
	pins_choose(&one->pins, one->wished_bytes, &one->choice);
}

void frag_make(const struct study *study, struct sites *sites, uint64_t wished_bytes,
	       enum moment moment, struct frag *ret)
{
	struct frag frag = {.study = study, .sites = sites};

	frag.list = allocate(study->process_count + 1, sizeof *frag.list);
	for (size_t i = 0; i < study->process_count; i++)
		if (study->processes[i].process->kind != PROCESS_DEPARTED)
			add_process(&frag, &study->processes[i], wished_bytes, moment);
	qsort(frag.list, frag.count, sizeof *frag.list, largest_first);
	*ret = frag;
}

void frag_free(struct frag *frag)
{
	for (size_t i = 0; i < frag->count; i++) {
		struct frag_process *one = &frag->list[i];
		waterfall_free(&one->waterfall);
		over_time_free(&one->over_time);
		free(one->places);
		growth_free(&one->lately);
		if (!one->has_pins)
			continue;
		pins_free(&one->pins);
		fit_free(&one->fit);
		growth_free(&one->growth);
		pin_choice_free(&one->choice);
	}
	free(frag->list);
}

bool frag_lacks_pools(const struct frag_process *one)
{
	return one->waterfall.basis == WATERFALL_MAP && one->publication.is_older &&
	       !one->publication.is_published;
}

struct site frag_site(struct frag *frag, struct frag_process *of, uint32_t frame)
{
	struct site site = {.place = 0};

	if (frame)
		site.place = stacks_place(&frag->sites->stacks, of->process, frame, of->places);
	return site;
}

size_t frag_few(const struct pins *pins, uint64_t *ret_bytes)
{
	uint64_t bytes = 0;
	size_t few = 0;

	while (few < pins->count && bytes < pins->pinned[PIN_PAGE] / 5 * 4) {
		const struct pinned *at = &pins->holders[few++].at[PIN_PAGE];
		bytes = sum(bytes, sum(at->sole, at->shared));
	}
	*ret_bytes = bytes;
	return few;
}
