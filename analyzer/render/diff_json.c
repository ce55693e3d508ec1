/* SPDX-License-Identifier: MIT */
/* diff_json.c: a diff for machines. */
#include "render/diff.h"
#include "render/json.h"
#include "render/sites.h"

#include <math.h>

static json_t *signed_json(double value)
{
	json_int_t size = (json_int_t)sites_whole(fabs(value));
	return json_integer(value < 0 ? -size : size);
}

static json_t *recording_json(const struct diff *diff, const struct diff_view *view,
			      enum diff_side side)
{
	const struct figures *total = &diff->study[side]->total;
	const struct sites *sites = diff->sites[side];
	json_t *object = json_object();

	json_put(object, "path", json_text(view->names[side]));
	json_put(object, "mode", json_text(sites->period_max > 1 ? "sample" : "all"));
	json_put(object, "period", json_count(sites->period_max));
	json_put(object, "metrics", json_metrics(&total->metrics));
	json_put(object, "estimated", json_estimated(&total->metrics));
	json_put(object, "notes", json_notes(&total->notes));
	return object;
}

/* Of what is known of both; of a pid there is none. */
static json_t *change_json(const struct diff *diff)
{
	const struct metrics *was = &diff->study[DIFF_BEFORE]->total.metrics;
	const struct metrics *is = &diff->study[DIFF_AFTER]->total.metrics;
	json_t *object = json_object();

	for (enum metric which = 0; which < METRIC_COUNT; which++)
		if (was->value[which].is_known && is->value[which].is_known &&
		    metric_units[which] != UNIT_NUMBER)
			json_put(object, metric_keys[which],
				 json_integer(is->value[which].value - was->value[which].value));
	return object;
}

static json_t *marks_json(const struct diff *diff)
{
	json_t *object = json_object();

	for (enum diff_mark mark = 0; mark < DIFF_MARK_COUNT; mark++)
		json_put(object, diff_mark_keys[mark], json_count(diff->marks[mark]));
	return object;
}

static json_t *row_json(const struct diff_row *row)
{
	json_t *object = json_object(), *range;

	json_put(object, "before", json_count(sites_whole(row->value[DIFF_BEFORE])));
	json_put(object, "after", json_count(sites_whole(row->value[DIFF_AFTER])));
	json_put(object, "change", signed_json(row->change));
	json_put(object, "mark", json_text(diff_mark_keys[row->mark]));
	json_put(object, "may_be_chance", json_boolean(row->is_chance));
	json_put(object, "estimated", range = json_object());
	if (!row->is_estimated)
		return object;
	json_put(range, "at_least", signed_json(row->interval.low));
	json_put(range, "at_most", signed_json(row->interval.high));
	return object;
}

static json_t *site_json(const struct diff *diff, const struct diff_row *row)
{
	enum diff_side side = row->site[DIFF_AFTER] ? DIFF_AFTER : DIFF_BEFORE;
	json_t *object = row_json(row);

	json_put(object, "stack", sites_stack_json(diff->sites[side], row->site[side]));
	return object;
}

void diff_json(const struct diff *diff, const struct diff_view *view, struct sink *sink)
{
	const struct figures *after = &diff->study[DIFF_AFTER]->total;
	json_t *document = json_object(), *list = json_array();

	json_common(document, &after->metrics, &after->notes);
	for (enum diff_side side = 0; side < DIFF_SIDES; side++)
		json_put(document, diff_side_words[side], recording_json(diff, view, side));
	json_put(document, "change", change_json(diff));
	json_put(document, "of", json_text(diff_figure_keys[diff->of]));
	json_put(document, "unit",
		 json_text(site_figure_is_bytes(diff->figure) ? "bytes" : "blocks"));
	json_put(document, "sort", json_text(diff_order_keys[diff->order]));
	json_put(document, "marks", marks_json(diff));
	json_put(document, "all", row_json(&diff->all));
	for (size_t i = 0; i < view_rows(&view->view, diff->count); i++)
		json_array_append_new(list, site_json(diff, &diff->rows[i]));
	json_put(document, "sites", list);
	json_print(document, sink);
}
