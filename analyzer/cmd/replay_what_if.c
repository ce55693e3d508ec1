/* SPDX-License-Identifier: MIT */
/* replay_what_if.c: see replay_what_if.h. */
#include "cmd/replay_what_if.h"

#include "cmd/interrupted.h"
#include "render/variants.h"
#include "text/allocate.h"

#include <stdlib.h>

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

/* Poolmem as it is, and those of the others that came to their end. */
static bool study_of(const struct comparison *comparison, const struct variants_found *found,
		     struct variants_study *ret, struct failure *why)
{
	*ret = (struct variants_study){.own = &comparison->row[0],
				       .keeps_time = comparison->replay->waits};
	if (ret->own->state != COMPARE_DONE)
		return fail(why, FAILURE_NOTHING, "%s: %.300s", ret->own->name, ret->own->why);
	for (size_t i = 1; i < comparison->row_count; i++)
		if (comparison->row[i].state == COMPARE_DONE)
			ret->row[ret->row_count++] = (struct variant_row){
				.variant = found->of[i], .runs = &comparison->row[i]};
	variants_conclude(ret);
	return true;
}

static bool measure(const struct replay_what_if *asked, const struct replay_plan *plan,
		    const struct variants_found *found, struct comparison *comparison,
		    struct failure *why)
{
	struct variants_study study;
	const struct variants_view view = {comparison, &study};

	bool shown = replay_run(plan, &found->allocators, comparison, why) &&
		     study_of(comparison, found, &study, why) && show(asked, &view, why);

	interrupted_end(comparison->interrupted, why);
	return shown;
}

bool replay_what_if(const struct replay_what_if *asked, const struct replay_plan *plan,
		    struct failure *why)
{
	struct comparison *comparison = allocate(1, sizeof *comparison);
	struct variants_found *found = allocate(1, sizeof *found);
	bool shown = false;

	if (variants_find(asked->choice, asked->library, found, why)) {
		shown = measure(asked, plan, found, comparison, why);
		variants_free(found);
	}
	free(found);
	free(comparison);
	return shown;
}
