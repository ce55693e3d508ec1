/* SPDX-License-Identifier: MIT */
/* sites_json.c: sites for machines: bytes and blocks; each stack as numbers of frames in one table. */
#include "render/advice.h"
#include "render/gaps.h"
#include "render/json.h"
#include "render/sites.h"
#include "text/allocate.h"

#include <stdlib.h>

/* The frames that stacks are told by: numbers of a place's calls follow one another. */
struct frame_table {
	struct sites *sites;
	size_t *first;    /* by place; 0: it has no number yet */
	uint32_t *places; /* in the order of their numbers */
	size_t place_count, count;
};

static json_t *frame_json(const struct stacks *stacks, uint32_t number, const struct call *call)
{
	const struct place *place = &stacks->places[number];
	const struct module *module = stacks->modules[place->module];
	json_t *object = json_object();

	json_put_place(object, call);
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
	stacks_calls(&table->sites->stacks, place, &count);

	if (!table->first[place]) {
		table->first[place] = table->count + 1;
		table->count += count;
		table->places[table->place_count++] = place;
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

static void put_recording(struct json_stream *stream, const struct sites *sites)
{
	json_stream_member(stream, "mode", json_text(sites->period_max > 1 ? "sample" : "all"));
	json_stream_member(stream, "period", json_count(sites->period_max));
	json_stream_member(stream, "sort", json_text(site_order_keys[sites->order]));
	json_stream_member(stream, "dropped_stacks", json_count(sites->dropped_stacks));
	json_stream_member(stream, "dropped_blocks", json_count(sites->dropped_blocks));
	json_stream_member(stream, "processes_without", json_count(sites->silent_count));
	json_stream_member(stream, "all", all_json(sites));
}

static void open_table(struct frame_table *table, struct sites *sites)
{
	*table = (struct frame_table){.sites = sites};
	table->first = allocate(sites->stacks.count, sizeof *table->first);
	table->places = allocate(sites->stacks.count, sizeof *table->places);
}

static void close_table(struct frame_table *table)
{
	free(table->first);
	free(table->places);
}

static void put_sites(struct json_stream *stream, struct frame_table *table, size_t rows)
{
	json_stream_array(stream, "sites");
	for (size_t i = 0; i < rows; i++)
		json_stream_element(stream, site_json(table, &table->sites->list[i]));
	json_stream_array_end(stream);
}

static void put_frames(struct json_stream *stream, const struct frame_table *table)
{
	struct stacks *stacks = &table->sites->stacks;

	json_stream_array(stream, "frames");
	for (size_t p = 0; p < table->place_count; p++) {
		size_t count;
		const struct named_call *calls = stacks_calls(stacks, table->places[p], &count);
		for (size_t i = 0; i < count; i++)
			json_stream_element(stream,
					    frame_json(stacks, table->places[p], &calls[i].call));
	}
	json_stream_array_end(stream);
}

void sites_put_json(struct json_stream *stream, struct sites *sites, size_t rows)
{
	struct frame_table table;

	sites_resolve(sites, rows);
	open_table(&table, sites);
	put_recording(stream, sites);
	put_sites(stream, &table, rows);
	put_frames(stream, &table);
	json_stream_member(stream, "missing", gaps_json(sites->stacks.naming));
	close_table(&table);
}

static json_t *suppressed_json(const struct sites *sites)
{
	json_t *object = json_object();

	json_put(object, "sites", json_count(sites->suppressed_count));
	json_put(object, "blocks",
		 json_count(sites_whole(site_value(&sites->suppressed, SITE_LEAKED))));
	json_put(object, "bytes",
		 json_count(sites_whole(site_value(&sites->suppressed, SITE_LEAKED_BYTES))));
	return object;
}

void sites_json(const struct study *study, struct sites *sites, const struct site_view *view,
		struct sink *sink)
{
	struct json_stream stream;

	json_stream_begin(&stream, sink);
	json_stream_common(&stream, &study->total.metrics, &study->total.notes);
	sites_put_json(&stream, sites, view_rows(&view->view, sites->count));
	json_stream_member(&stream, "suppressed", suppressed_json(sites));
	if (view->advice)
		json_stream_member(&stream, "advice", advice_json(sites, view->advice));
	json_stream_end(&stream);
}

json_t *sites_brief_json(struct sites *sites, const struct view *view)
{
	enum { ROWS_MAX = 20 };
	size_t rows = view_rows(view, sites->count);
	struct json_stream stream;

	if (!sites->count)
		return json_null();
	json_t *object = json_stream_begin_held(&stream);
	sites_put_json(&stream, sites, rows < ROWS_MAX ? rows : ROWS_MAX);
	return object;
}
