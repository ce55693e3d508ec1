/* SPDX-License-Identifier: MIT */
/* control.c: see control.h. */
#include "render/control.h"

#include "render/json.h"
#include "study/mode.h"

static void put_missing(const struct control_state *state, uint64_t asked, struct sink *sink)
{
	if (state->taken != asked)
		sink_print(
			sink,
			"  asked, and not taken yet: it makes few or no calls of malloc just now, and "
			"follows\n  at one of its next, after at most 8,192 blocks of one size\n");
	else if (state->followers < state->threads)
		sink_print(sink,
			   "  %zu of %zu threads follow; the others have made few or no calls of malloc "
			   "since,\n  and follow at one of their next\n",
			   state->followers, state->threads);
}

void control_text(uint32_t pid, const struct control_state *state, uint64_t asked, struct sink *sink)
{
	sink_print(sink, "process %u: %s", pid, mode_words(state->period).text);
	if (state->was_switched)
		sink_print(sink, " since %s; before that %s\n",
			   mode_time(state->since_real_ns).text, mode_words(state->before).text);
	else
		sink_print(sink, " since it began\n");
	put_missing(state, asked ? asked : state->asked, sink);
}

void control_json(uint32_t pid, const struct control_state *state, uint64_t asked, struct sink *sink)
{
	json_t *document = json_object();
	uint64_t word = asked ? asked : state->asked;

	json_put(document, "schema", json_integer(JSON_SCHEMA));
	json_put(document, "metrics", json_object());
	json_put(document, "estimated", json_object());
	json_put(document, "notes", json_array());
	json_put(document, "pid", json_count(pid));
	json_put(document, "sites", json_text(mode_key(state->period)));
	json_put(document, "sites.period", json_count(state->period));
	json_put(document, "sites.sample_period", json_count(state->sample_period));
	json_put(document, "since_real_ns",
		 state->was_switched ? json_count(state->since_real_ns) : json_null());
	json_put(document, "before",
		 state->was_switched ? json_text(mode_key(state->before)) : json_null());
	json_put(document, "taken", json_boolean(state->taken == word));
	json_put(document, "threads", json_count(state->threads));
	json_put(document, "threads_following", json_count(state->followers));
	json_print(document, sink);
}
