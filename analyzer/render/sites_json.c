/* SPDX-License-Identifier: MIT */
/* sites_json.c: sites for machines: bytes and blocks; each stack as numbers of frames in one table. */
#include "render/advice.h"
#include "render/gaps.h"
#include "render/json.h"
#include "render/sites.h"
#include "text/allocate.h"

#include <stdlib.h>

/* Which frames of the table are a place's; 0: it has none yet. */
struct frame_table {
	struct sites *sites;
	size_t *first;
	size_t count;
	json_t *frames;
};

static json_t *frame_json(const struct stacks *stacks, uint32_t number, const struct call *call)
{
	const struct place *place = &stacks->places[number];
	const struct module *module = stacks->modules[place->module];
	json_t *object = json_object();

	json_put(object, "function", json_text(call->function));
	json_put(object, "file", json_text(call->file));
	json_put(object, "line", call->line ? json_count(call->line) : json_null());
	json_put(object, "module", json_text(module ? module->path : NULL));
	json_put(object, "build_id",
		 json_text(module && *module->build_id ? module->build_id : NULL));
	json_put(object, "address", json_count(place->offset));
	json_put(object, "inlined", json_boolean(call->is_inlined));
	return object;
}

json_t *sites_stack_json(struct sites *sites, const struct site *site)
{
	json_t *stack = json_array();

	for (uint32_t at = site->place; at; at = sites->stacks.places[at].caller) {
		size_t count;
		const struct named_call *calls = stacks_calls(&sites->stacks, at, &count);
		for (size_t i = 0; i < count; i++)
			json_array_append_new(stack, frame_json(&sites->stacks, at, &calls[i].call));
	}
	return stack;
}

static void append_place(struct frame_table *table, uint32_t place, json_t *stack)
{
	size_t count;
	const struct named_call *calls = stacks_calls(&table->sites->stacks, place, &count);

	if (!table->first[place]) {
		table->first[place] = table->count + 1;
		table->count += count;
		for (size_t i = 0; i < count; i++)
			json_array_append_new(table->frames, frame_json(&table->sites->stacks,
									place, &calls[i].call));
	}
	for (size_t i = 0; i < count; i++)
		json_array_append_new(stack, json_count(table->first[place] - 1 + i));
}

static json_t *stack_json(struct frame_table *table, const struct site *site)
{
	json_t *stack = json_array();

	for (uint32_t at = site->place; at; at = table->sites->stacks.places[at].caller)
		append_place(table, at, stack);
	return stack;
}

/* Names whose value is an estimate, with what the truth lies between in 95 of 100 cases. */
static json_t *estimated_json(const struct site_sums *sums)
{
	json_t *object = json_object();

	for (enum site_figure which = 0; which < SITE_FIGURE_COUNT; which++) {
		if (!site_is_estimated(sums, which))
			continue;
		struct interval interval = site_interval(sums, which);
		json_t *range = json_object();
		json_put(range, "at_least", json_count(sites_whole(interval.low)));
		json_put(range, "at_most", json_count(sites_whole(interval.high)));
		json_put(range, "standard_error",
			 json_count(sites_whole(site_standard_error(sums, which))));
		json_put(object, site_figure_keys[which], range);
	}
	return object;
}

static json_int_t signed_whole(double value)
{
	return value < 0 ? -(json_int_t)sites_whole(-value) : (json_int_t)sites_whole(value);
}

static void put_sums(json_t *object, const struct site_sums *sums)
{
	for (enum site_figure which = 0; which < SITE_FIGURE_COUNT; which++)
		json_put(object, site_figure_keys[which],
			 json_count(sites_whole(site_value(sums, which))));
	json_put(object, "resized_bytes", json_integer(signed_whole(sums->resized_bytes)));
	json_put(object, "estimated", estimated_json(sums));
}

static json_t *classes_json(const struct sites *sites, const struct site *site)
{
	json_t *array = json_array();

	for (size_t i = 0; i < site->class_count; i++) {
		const struct site_class *row = &sites->classes[site->first_class + i];
		json_t *object = json_object();
		bool is_pool = row->kind == PM_CLASS_POOL;
		json_put(object, "block_bytes",
			 is_pool ? json_count(row->block_bytes) : json_null());
		put_sums(object, &row->sums);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *ends_json(uint32_t ends)
{
#define END_KEY(name, key, help) [PM_STACK_##name] = key,
	static const char *const keys[] = {PM_STACK_ENDS(END_KEY)};
#undef END_KEY
	json_t *array = json_array();

	for (int end = 0; end < PM_STACK_END_COUNT; end++)
		if (ends >> end & 1)
			json_array_append_new(array, json_text(keys[end]));
	return array;
}

static json_t *site_json(struct frame_table *table, const struct site *site)
{
	json_t *object = json_object();
	struct walk walk = site_origin(table->sites, site);

	json_put(object, "frames", stack_json(table, site));
	json_put(object, "location",
		 walk.place ? json_count(table->first[walk.place] - 1 + walk.call) : json_null());
	json_put(object, "stack_ends", ends_json(site->ends));
	json_put(object, "verdict",
		 json_text(table->sites->by_thread ? NULL : verdict_keys[site->verdict]));
	put_sums(object, &site->sums);
	json_put(object, "classes", classes_json(table->sites, site));
	return object;
}

static json_t *all_json(const struct sites *sites)
{
	json_t *object = json_object();

	put_sums(object, &sites->all);
	json_put(object, "counted", json_count(sites->counted));
	json_put(object, "counted_bytes", json_count(sites->counted_bytes));
	json_put(object, "counted_live", json_count(sites->counted_live));
	json_put(object, "counted_live_bytes", json_count(sites->counted_live_bytes));
	return object;
}

static void put_recording(json_t *document, const struct sites *sites)
{
	json_put(document, "mode", json_text(sites->period_max > 1 ? "sample" : "all"));
	json_put(document, "period", json_count(sites->period_max));
	json_put(document, "sort", json_text(site_order_keys[sites->order]));
	json_put(document, "dropped_stacks", json_count(sites->dropped_stacks));
	json_put(document, "dropped_blocks", json_count(sites->dropped_blocks));
	json_put(document, "processes_without", json_count(sites->silent_count));
}

void sites_put_json(json_t *document, struct sites *sites, size_t rows)
{
	struct frame_table table = {.sites = sites, .frames = json_array()};
	json_t *list = json_array();

	sites_resolve(sites, rows);
	table.first = allocate(sites->stacks.count, sizeof *table.first);
	put_recording(document, sites);
	json_put(document, "all", all_json(sites));
	for (size_t i = 0; i < rows; i++)
		json_array_append_new(list, site_json(&table, &sites->list[i]));
	json_put(document, "sites", list);
	json_put(document, "frames", table.frames);
	json_put(document, "missing", gaps_json(sites->stacks.naming));
	free(table.first);
}

void sites_json(const struct study *study, struct sites *sites, const struct site_view *view,
		struct sink *sink)
{
	json_t *document = json_object();

	json_common(document, &study->total.metrics, &study->total.notes);
	sites_put_json(document, sites, view_rows(&view->view, sites->count));
	if (view->advice)
		json_put(document, "advice", advice_json(sites, view->advice));
	json_print(document, sink);
}

json_t *sites_brief_json(struct sites *sites, const struct view *view)
{
	enum { ROWS_MAX = 20 };
	size_t rows = view_rows(view, sites->count);

	if (!sites->count)
		return json_null();
	json_t *object = json_object();
	sites_put_json(object, sites, rows < ROWS_MAX ? rows : ROWS_MAX);
	return object;
}
