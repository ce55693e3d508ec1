/* SPDX-License-Identifier: MIT */
/* leaks_json.c: leaks for machines. */
#include "render/json.h"
#include "render/leaks.h"
#include "render/sites.h"

static json_t *amount_json(const struct leaks *leaks, const struct site_sums *sums, size_t sites)
{
	json_t *object = json_object();

	json_put(object, "sites", json_count(sites));
	json_put(object, "blocks", json_count(sites_whole(site_value(sums, leaks->blocks))));
	json_put(object, "bytes", json_count(sites_whole(site_value(sums, leaks->bytes))));
	return object;
}

static json_t *suppression_json(const struct leaks *leaks, const struct suppression *suppression)
{
	json_t *object = amount_json(leaks, &suppression->used, suppression->site_count);

	json_put(object, "pattern", json_text(suppression->pattern));
	json_put(object, "module", json_text(suppression->module));
	json_put(object, "known_as", json_text(suppression->why));
	return object;
}

static json_t *suppressions_json(const struct leaks *leaks, const struct suppressions *suppressions)
{
	json_t *array = json_array();

	for (size_t i = 0; i < suppressions->count; i++)
		json_array_append_new(array, suppression_json(leaks, &suppressions->list[i]));
	return array;
}

static json_t *states_json(const struct leaks *leaks)
{
	json_t *object = json_object();

	for (enum process_state state = STATE_RUNNING; state <= STATE_UNKNOWN; state++)
		json_put(object, process_state_key(state), json_count(leaks->states[state]));
	return object;
}

static json_t *unrecorded_json(const struct leaks *leaks)
{
	json_t *object = json_object();

	json_put(object, "blocks", json_count(leaks->unrecorded_blocks));
	json_put(object, "bytes", json_count(leaks->unrecorded_bytes));
	return object;
}

void leaks_json(const struct study *study, const struct leaks *leaks, const struct leaks_view *view,
		struct sink *sink)
{
	struct json_stream stream;

	json_stream_begin(&stream, sink);
	json_stream_common(&stream, &leaks->metrics, &study->total.notes);
	json_stream_member(&stream, "of", json_text(leaks->is_running ? "live" : "leaked"));
	json_stream_member(&stream, "states", states_json(leaks));
	json_stream_member(&stream, "left", amount_json(leaks, &leaks->left, leaks->left_count));
	json_stream_member(&stream, "suppressed",
			   amount_json(leaks, &leaks->suppressed, leaks->suppressed_count));
	json_stream_member(&stream, "unrecorded", unrecorded_json(leaks));
	json_stream_member(&stream, "suppressions", suppressions_json(leaks, view->suppressions));
	sites_put_json(&stream, leaks->sites, view_rows(&view->view, leaks->sites->count));
	json_stream_end(&stream);
}
