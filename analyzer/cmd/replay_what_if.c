/* SPDX-License-Identifier: MIT */
/* replay_what_if.c: see replay_what_if.h. */
#include "cmd/replay_what_if.h"

#include "render/variants.h"
#include "text/allocate.h"

#include <stdlib.h>

/* What is there, and what is to be said of the rest. */
struct trial_set {
	const struct allocator *here[VARIANT_COUNT + 1];
	const struct variant *of[VARIANT_COUNT + 1];
	size_t count;
};

static void part(const struct variants_found *found, struct trial_set *set,
		 struct variants_view *view)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct allocator *allocator = &found->list[i];

		if (!allocator->path[0]) {
			view->missing[view->missing_count++] = (struct variants_missing){
				allocator->name, allocator->missing.text};
			continue;
		}
		set->of[set->count] = found->of[i];
		set->here[set->count++] = allocator;
	}
}

static bool show(const struct replay_what_if *asked, const struct variants_view *view,
		 struct failure *why)
{
	struct sink sink;

	if (!sink_open(&sink, asked->output, why))
		return false;
	if (asked->json)
		variants_json(view, &sink);
	else
		variants_text(view, &sink);
	return sink_close(&sink, why);
}

static bool measure(const struct replay_what_if *asked, const struct replay_plan *plan,
		    const struct trial_set *set, struct variants_view *view,
		    struct replay_view *replay, struct failure *why)
{
	struct replay_row *rows = allocate(set->count, sizeof *rows);
	struct variants_study study = {.own = &rows[0], .row_count = set->count - 1};
	bool measured = replay_run_all(plan, set->here, rows, set->count, why);

	progress_end(plan->progress);
	for (size_t i = 0; i < study.row_count; i++)
		study.row[i] = (struct variant_row){.variant = set->of[i + 1], .runs = &rows[i + 1]};
	replay->row = rows;
	replay->row_count = set->count;
	view->study = &study;
	if (measured)
		variants_conclude(&study);
	bool shown = measured && show(asked, view, why);

	view->study = NULL;
	replay->row = NULL;
	free(rows);
	return shown;
}

bool replay_what_if(const struct replay_what_if *asked, const struct replay_plan *plan,
		    struct replay_view *view, struct failure *why)
{
	struct variants_view variants_view = {.replay = view};
	struct trial_set set = {.count = 0};
	struct variants_found found;

	if (!variants_find(asked->choice, asked->library, &found, why))
		return false;
	part(&found, &set, &variants_view);
	bool shown = measure(asked, plan, &set, &variants_view, view, why);

	variants_free(&found);
	return shown;
}
