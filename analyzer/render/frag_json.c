/* SPDX-License-Identifier: MIT */
/* frag_json.c: frag for machines: bytes and counts. */
#include "render/frag.h"
#include "render/json.h"
#include "render/sites.h"
#include "render/timeline.h"

#include <stdlib.h>

static const char *const basis_keys[] = {"survey", "map"};
static const char *const split_keys[] = {"exact", "estimated", "none"};
static const char *const level_keys[] = {"pools", "pages"};

static json_t *others_json(const struct waterfall *waterfall, const struct view *view)
{
	json_t *array = json_array();

	for (size_t i = 0; i < view_rows(view, waterfall->other_count); i++) {
		json_t *object = json_object();
		json_put(object, "mapping", json_text(waterfall->others[i].name));
		json_put(object, "bytes", json_count(waterfall->others[i].rss));
		json_array_append_new(array, object);
	}
	return array;
}

/* counts: NULL: not known. */
static void put_counts(json_t *object, const struct pm_survey_counts *counts)
{
	json_put(object, "live_blocks", counts ? json_count(counts->live_blocks) : json_null());
	json_put(object, "live_bytes", counts ? json_count(counts->live_bytes) : json_null());
	json_put(object, "drift_blocks", counts ? json_count(counts->drift_blocks) : json_null());
	json_put(object, "drift_block_bytes",
		 counts ? json_count(counts->drift_bytes) : json_null());
}

static void put_publication(json_t *object, const struct frag_process *one)
{
	bool is_shown = one->waterfall.basis == WATERFALL_MAP && one->publication.is_published;

	json_put(object, "published_epoch",
		 is_shown ? json_count(one->publication.epoch) : json_null());
	json_put(object, "epoch", json_count(one->publication.epochs));
}

static json_t *waterfall_json(const struct frag_process *one, const struct view *view)
{
	const struct waterfall *waterfall = &one->waterfall;
	const struct survey *survey = one->survey;
	json_t *object = json_object(), *parts = json_object();

	for (unsigned i = 0; i < WATERFALL_COUNT; i++)
		json_put(parts, waterfall_key(i),
			 i == WATERFALL_OTHER && !waterfall->knows_rss
				 ? json_null()
				 : json_count(waterfall->part[i]));
	json_put(object, "basis", json_text(basis_keys[waterfall->basis]));
	json_put(object, "split", json_text(split_keys[waterfall->split]));
	json_put(object, "parts", parts);
	json_put(object, "rss", waterfall->knows_rss ? json_count(waterfall->rss) : json_null());
	json_put(object, "residual",
		 waterfall->knows_rss ? json_integer(waterfall->residual) : json_null());
	json_put(object, "drift",
		 waterfall->knows_rss ? json_count(survey->drift_bytes) : json_null());
	put_counts(object, survey && survey->knows_counts ? &survey->counts : NULL);
	json_put(object, "live_not_resident",
		 waterfall->knows_rss ? json_count(waterfall->absent) : json_null());
	put_publication(object, one);
	json_put(object, "swap", json_count(waterfall->swap));
	json_put(object, "huge_pages", json_count(waterfall->huge));
	json_put(object, "others", others_json(waterfall, view));
	return object;
}

static json_t *pinned_json(const struct pinned *at)
{
	json_t *object = json_object();

	json_put(object, "sole", json_count(at->sole));
	json_put(object, "shared", json_count(at->shared));
	json_put(object, "cause", json_count(at->cause));
	json_put(object, "alone", json_count(at->alone));
	json_put(object, "count", json_count(at->count));
	return object;
}

static void put_frame(json_t *object, struct frag *frag, struct frag_process *one, uint32_t frame)
{
	struct site site = frag_site(frag, one, frame);
	const struct named_call *call = site_location(frag->sites, &site);

	json_put_place(object, call ? &call->call : NULL);
}

static json_t *holder_json(struct frag *frag, struct frag_process *one, const struct holder *holder)
{
	const struct process *process = one->process;
	json_t *object = json_object(), *live = json_array();
	char *name = frag_holder_name(frag, one, holder, true);

	for (unsigned g = 0; g < 3; g++)
		json_array_append_new(live, json_count(holder->live[g]));
	json_put(object, "kind", json_text(holder->is_site ? "site" : "class"));
	json_put(object, "name", json_text(name));
	if (holder->is_site)
		put_frame(object, frag, one, holder->frame);
	else
		json_put(object, "block_bytes",
			 json_count(process->layout->classes[holder->size_class].block_bytes));
	json_put(object, "live", json_count(holder->live_count));
	json_put(object, "live_bytes", json_count(holder->live_bytes));
	json_put(object, "live_in_generation", live);
	json_put(object, "leverage",
		 holder->live_bytes ? json_real((double)(holder->at[PIN_PAGE].sole +
							 holder->at[PIN_PAGE].shared) /
						(double)holder->live_bytes)
				    : json_null());
	for (unsigned level = 0; level < PIN_LEVELS; level++)
		json_put(object, level_keys[level], pinned_json(&holder->at[level]));
	free(name);
	return object;
}

static json_t *choice_json(const struct frag_process *one)
{
	const struct pin_choice *choice = &one->choice;
	json_t *object = json_object(), *array = json_array();

	for (size_t i = 0; i < choice->count; i++) {
		json_t *row = json_object();
		json_put(row, "holder", json_count(choice->holders[i]));
		json_put(row, "bytes", json_count(choice->gain[i]));
		json_array_append_new(array, row);
	}
	json_put(object, "wished", json_count(one->wished_bytes));
	json_put(object, "bytes", json_count(choice->bytes));
	json_put(object, "holders", array);
	return object;
}

static json_t *pins_json(struct frag *frag, struct frag_process *one, const struct view *view)
{
	const struct pins *pins = &one->pins;
	json_t *object = json_object(), *holders = json_array(), *pinned = json_object();

	for (size_t i = 0; i < view_rows(view, pins->count); i++)
		json_array_append_new(holders, holder_json(frag, one, &pins->holders[i]));
	for (unsigned level = 0; level < PIN_LEVELS; level++)
		json_put(pinned, level_keys[level], json_count(pins->pinned[level]));
	json_put(object, "pinned", pinned);
	json_put(object, "idle_pages", json_count(pins->idle_bytes));
	json_put(object, "pools", json_count(pins->pool_count));
	json_put(object, "mixed_pools", json_count(pins->mixed_count));
	json_put(object, "mixed_pinned", json_count(pins->mixed_bytes));
	json_put(object, "holders", holders);
	json_put(object, "to_get_back", choice_json(one));
	return object;
}

static json_t *growth_json(struct frag *frag, struct frag_process *one, const struct growth *growth,
			   const struct view *view)
{
	json_t *array = json_array();

	for (size_t i = 0; i < view_rows(view, growth->count); i++) {
		const struct growth_row *row = &growth->rows[i];
		struct site site = frag_site(frag, one, row->frame);
		char *name = sites_place(frag->sites, &site, true);
		json_t *object = json_object();
		json_put(object, "name", json_text(name));
		put_frame(object, frag, one, row->frame);
		free(name);
		json_put(object, "blocks", json_integer(row->blocks));
		json_put(object, "bytes", json_integer(row->bytes));
		if (growth->is_estimated)
			json_put(object, "bytes_off", json_integer(row->bytes_off));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *lately_json(struct frag *frag, struct frag_process *one, const struct view *view)
{
	json_t *object;

	if (!one->lately_since)
		return json_null();
	object = json_object();
	json_put(object, "epochs", json_count(one->process->record.epoch - one->lately_since + 1));
	json_put(object, "bytes", json_integer(one->lately.bytes));
	json_put(object, "sites", growth_json(frag, one, &one->lately, view));
	return object;
}

static json_t *classes_json(const struct fit *fit, const struct view *view)
{
	json_t *array = json_array();

	for (size_t i = 0; i < view_rows(view, fit->class_count); i++) {
		const struct fit_class *row = &fit->classes[i];
		json_t *object = json_object();
		json_put(object, "class", json_text(row->name));
		json_put(object, "block_bytes", json_count(row->block_bytes));
		json_put(object, "pools", json_count(row->pools));
		json_put(object, "live", json_count(row->live_count));
		json_put(object, "live_bytes", json_count(row->live_bytes));
		json_put(object, "requested",
			 row->is_split ? json_count(row->requested) : json_null());
		json_put(object, "free", json_count(row->free_bytes));
		json_put(object, "kept", json_count(row->kept_bytes));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *sizes_json(const struct fit *fit, const struct view *view)
{
	json_t *array = json_array();

	for (size_t i = 0; i < view_rows(view, fit->size_count); i++) {
		const struct fit_size *size = &fit->sizes[i];
		json_t *object = json_object();
		json_put(object, "bytes", json_count(size->bytes));
		json_put(object, "block_bytes", json_count(size->block_bytes));
		json_put(object, "saved", json_count(size->saved_bytes));
		json_put(object, "blocks", json_count(size->blocks));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *process_json(struct frag *frag, struct frag_process *one, const struct view *view)
{
	json_t *object = json_object();

	json_put_process(object, frag->study->recording, one->process);
	json_put(object, "tree_rss_then",
		 one->moment == MOMENT_PEAK && one->peak.then ? json_count(one->peak.then)
							      : json_null());
	json_put(object, "peak_then", one->peak.then ? json_count(one->peak.then) : json_null());
	json_put(object, "peak_highest",
		 one->peak.highest ? json_count(one->peak.highest) : json_null());
	json_put(object, "at", json_text(moment_key(one->moment)));
	json_put(object, "waterfall", waterfall_json(one, view));
	json_put(object, "growth_to_the_end", growth_json(frag, one, &one->growth, view));
	json_put(object, "growth_lately", lately_json(frag, one, view));
	json_put(object, "classes", one->has_pins ? classes_json(&one->fit, view) : json_null());
	json_put(object, "sizes_that_suit",
		 one->has_pins ? sizes_json(&one->fit, view) : json_null());
	json_put(object, "pins", one->has_pins ? pins_json(frag, one, view) : json_null());
	json_put(object, "timeline", timeline_json(&one->over_time));
	return object;
}

void frag_json(struct frag *frag, const struct view *view, struct sink *sink)
{
	const struct figures *total = &frag->study->total;
	json_t *document = json_object(), *processes = json_array();

	json_common(document, &total->metrics, &total->notes);
	for (size_t i = 0; i < frag->count; i++)
		json_array_append_new(processes, process_json(frag, &frag->list[i], view));
	json_put(document, "processes", processes);
	json_print(document, sink);
}
