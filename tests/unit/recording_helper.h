/* SPDX-License-Identifier: MIT */
/*
 * recording_helper.h: bytes in memory read as a file, by the whole path up to a study or a report.
 */
#ifndef POOLMEM_TESTS_RECORDING_HELPER_H
#define POOLMEM_TESTS_RECORDING_HELPER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include "model/recording.h"
#include "render/diff.h"
#include "render/flamegraph.h"
#include "render/frag.h"
#include "render/leaks.h"
#include "render/map.h"
#include "render/report.h"
#include "render/site_survival.h"
#include "render/sites.h"
#include "render/survival.h"
#include "render/timeline.h"
#include "study/study.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file without a name that holds the bytes. */
static inline int file_of(const void *data, size_t byte_count)
{
	int fd = memfd_create("poolmem-test", MFD_CLOEXEC);
	const char *at = data;

	while (byte_count) {
		ssize_t written = write(fd, at, byte_count);
		if (written <= 0)
			_exit(99);
		at += written;
		byte_count -= (size_t)written;
	}
	return fd;
}

static inline bool read_bytes(const void *data, size_t byte_count, struct recording *ret,
			      struct failure *why)
{
	struct source source;

	if (!source_take(file_of(data, byte_count), "test", &source, why))
		return false;
	bool read = recording_read_source(&source, NULL, ret, why);
	source_close(&source);
	return read;
}

/* Survival, with other thresholds, and its picture where there is one. */
static inline void survival_all(const struct study *study, const struct view *view,
				struct sink *sink)
{
	static const uint32_t threshold[GENERATION_COUNT] = {4000, 3, UINT32_MAX};
	struct what_if what_if;

	what_if_of(study, threshold, &what_if);
	survival_text(study, &what_if, view, sink);
	survival_json(study, &what_if, view, sink);
	if (study->total.curve.count)
		survival_svg(study, sink);
}

static inline void site_survival_all(const struct study *study, struct sites *sites,
				     struct sink *sink)
{
	struct site_survival survival;

	if (!sites->count)
		return;
	site_survival_make(sites, &survival);
	site_survival_text(study, sites, &survival, sink);
	site_survival_json(study, sites, &survival, "x|0", sink);
	if (survival.curve.count)
		site_survival_svg(study, sites, &survival, sink);
}

/* Sites in each form.  No file is opened that the bytes name. */
static inline void sites_all(const struct study *study, struct sink *sink)
{
	struct advice_list advice;
	const struct site_view table = {.view.row_max = 20, .advice = &advice},
			       stacks = {.stacks = true}, tree = {.tree = true, .share_min = 0.01};
	struct suppressions suppressions = {.count = 0};
	struct site_query query;
	struct failure why;
	struct sites sites;

	if (!site_query_open(&query, "x|0", NULL, NULL, &why))
		_exit(96);
	query.without_files = !study->recording->names; /* a packed one opens none */
	suppressions_add_known(&suppressions);
	query.suppressions = &suppressions;
	sites_make(study, NULL, &query, &sites);
	advice_make(study, &sites, &advice);
	sites_text(study, &sites, &stacks, sink);
	sites_text(study, &sites, &tree, sink);
	sites_text(study, &sites, &table, sink);
	sites_json(study, &sites, &table, sink);
	report_json(study, &sites, &advice, &(struct view){.row_max = 20, .all = true}, sink);
	report_text(study, &sites, &advice, &(struct view){.row_max = 20, .all = true}, sink);
	site_survival_all(study, &sites, sink);
	flamegraph_collapsed(&sites, sink);
	if (sites.count && sites.list[0].rank > 0)
		flamegraph_svg(study, &sites, 0.001, sink);
	advice_free(&advice);
	sites_free(&sites);
	site_query_close(&query);
	suppressions_free(&suppressions);
}

/* What was never freed, in each form. */
static inline void leaks_all(const struct study *study, struct sink *sink)
{
	struct suppressions suppressions = {.count = 0};
	const struct site_query all = {.without_files = true};
	const struct leaks_query query = {.sites = &all};
	const struct leaks_view view = {{.row_max = 20}, true, &suppressions};
	struct sites sites;
	struct leaks leaks;

	suppressions_add_known(&suppressions);
	sites_make(study, NULL, &all, &sites);
	leaks_make(study, &sites, &query, &suppressions, &leaks);
	leaks_text(study, &leaks, &view, sink);
	leaks_json(study, &leaks, &view, sink);
	sites_free(&sites);
	suppressions_free(&suppressions);
}

/* What changed from the recording to itself: nothing, of any figure. */
static inline void diff_all(const struct study *study, struct sink *sink)
{
	const struct site_query all = {.without_files = true};
	const struct diff_view view = {.view = {.row_max = 20}, .stacks = true, .names = {"a", "b"}};
	const struct study *const studies[] = {study, study};
	struct sites before, after, *const sites[] = {&before, &after};

	sites_make(study, NULL, &all, &before);
	sites_make(study, NULL, &all, &after);
	for (enum diff_figure of = 0; of < DIFF_FIGURE_COUNT; of++) {
		const struct diff_query query = {.sites = &all, .of = of, .by_line = of & 1};
		struct diff diff;
		diff_make(studies, sites, &query, &diff);
		diff_text(&diff, &view, sink);
		diff_json(&diff, &view, sink);
		if (diff.count)
			_exit(95);
		diff_free(&diff);
	}
	sites_free(&before);
	sites_free(&after);
}

/* A map by something, in one of the forms; pixels take long: one map in eight. */
static inline void map_in_a_form(const struct map_sheet *sheet, struct sink *sink)
{
	static unsigned turn;
	struct failure why;
	unsigned char *file = NULL;
	size_t bytes;

	switch (sheet->maps->by) {
	case MAP_BY_CLASS: map_json(sheet, sink); return;
	case MAP_BY_OWNER: map_svg(sheet, sink); return;
	case MAP_BY_AGE:
		if (turn++ % 8 == 0 && !map_png(sheet, &file, &bytes, &why))
			_exit(94);
		free(file);
		return;
	default: map_text(sheet, sink);
	}
}

static inline void maps_all(const struct study *study, struct sink *sink)
{
	for (int by = 0; by < MAP_COLOURING_COUNT; by++) {
		struct map_query query = {.by = (enum map_colouring)by,
					  .order = by % 2 ? MAP_ORDER_OCCUPANCY : MAP_ORDER_ADDRESS,
					  .inherited = by % 2};
		for (size_t i = 0; i < study->process_count; i++) {
			struct map map;
			struct map_sheet sheet = {study, &study->ranked[i], &map, 1, 1, 0, 0};
			map_make(study->recording, study->ranked[i]->process, &query, &map);
			map_in_a_form(&sheet, sink);
			map_free(&map);
		}
	}
}

/* What was live when, of each process, in each form. */
static inline void timeline_all(const struct study *study, struct sink *sink)
{
	for (size_t i = 0; i < study->process_count; i++) {
		const struct process_study *of = &study->processes[i];
		struct over_time over_time;
		over_time_of(study->recording, of->process, &of->figures.metrics, &over_time);
		json_decref(timeline_json(&over_time));
		for (enum time_axis axis = AXIS_TIME; axis <= AXIS_ALLOCS; axis++) {
			timeline_text(&over_time, axis, false, sink);
			if (over_time.count)
				timeline_svg(study, &over_time, axis, sink);
		}
		over_time_free(&over_time);
	}
}

/* Where resident memory is, in each form, for half of what is pinned and for more than there is. */
static inline void frag_all(const struct study *study, struct sink *sink)
{
	const struct site_query all = {.without_files = true};
	const struct view view = {.row_max = 20, .all = true};
	struct sites sites;

	sites_make(study, NULL, &all, &sites);
	for (unsigned turn = 0; turn < 2; turn++) {
		struct frag frag;
		frag_make(study, &sites, turn ? UINT64_MAX : 0, turn ? MOMENT_PEAK : MOMENT_CHOOSE,
			  &frag);
		frag_text(&frag, turn ? AXIS_ALLOCS : AXIS_TIME, &view, sink);
		frag_json(&frag, &view, sink);
		if (frag.count)
			frag_svg(&frag, sink);
		frag_free(&frag);
	}
	sites_free(&sites);
}

/* All that a reader does: reports, survival and sites, thrown away. */
static inline void report_all(const struct recording *recording)
{
	const struct view view = {.row_max = 20, .all = true};
	struct failure why;
	struct query query;
	struct study study;
	struct sink sink;

	if (!query_open(&query, NULL, NULL, &why))
		_exit(98);
	study_make(recording, &query, &study);
	if (!sink_open(&sink, "/dev/null", &why))
		_exit(97);
	survival_all(&study, &view, &sink);
	sites_all(&study, &sink);
	maps_all(&study, &sink);
	leaks_all(&study, &sink);
	diff_all(&study, &sink);
	timeline_all(&study, &sink);
	frag_all(&study, &sink);
	sink_close(&sink, &why);
	study_free(&study);
	query_close(&query);
}

/* Reads and reports.  False: refused, with a message. */
static inline bool digest(const void *data, size_t byte_count, struct failure *why)
{
	struct recording recording;

	if (!read_bytes(data, byte_count, &recording, why))
		return false;
	report_all(&recording);
	recording_free(&recording);
	return true;
}

#endif
