/* SPDX-License-Identifier: MIT */
/* advice.c: see advice.h. */
#include "render/advice.h"

#include "render/json.h"
#include "render/sites.h"
#include "render/tables.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { INDENT = 5, BRIEF_ROWS = 3 };

/* --- sentences ------------------------------------------------------------------------------------------ */

static const char *about(const struct advice *advice)
{
	return advice->saving.variance > 0 ? "about " : "";
}

static void say_place(const struct advice *advice, struct sink *sink)
{
	char *name = sites_name(advice->place.call);

	sink_name(sink, name, 0);
	free(name);
	if (advice->place.through) {
		sink_print(sink, " (through ");
		sink_name(sink, advice->place.through->label, 0);
		sink_print(sink, ")");
	}
	if (advice->stacks > 1)
		sink_print(sink, ", %s stacks", number_count(advice->stacks).text);
	sink_print(sink, ": ");
}

/* "all 1,000 blocks ", "all of about 1,000 blocks ", "about 900 of 1,000 blocks (90.0 %) " */
static void say_part(const struct advice *advice, const char *things, struct sink *sink)
{
	uint64_t part = sites_whole(advice_part(advice)), whole = sites_whole(advice_whole(advice));

	if (part >= whole)
		sink_print(sink, "all %s%s%s %s ", *about(advice) ? "of " : "", about(advice),
			   number_count(whole).text, things);
	else
		sink_print(sink, "%s%s of %s %s (%s) ", about(advice), number_count(part).text,
			   number_count(whole).text, things, number_share(part, whole).text);
}

/* Bytes asked for by a block of the site. */
static double mean_of(const struct advice *advice, enum site_figure bytes, enum site_figure blocks)
{
	double count = site_value(&advice->sums, blocks);
	return count > 0 ? site_value(&advice->sums, bytes) / count : 0;
}

static void say_slack(const struct advice *advice, struct sink *sink)
{
	double asked = mean_of(advice, SITE_REQUESTED_BYTES, SITE_ALLOCATED);

	sink_print(sink,
		   "blocks of %.1f bytes on the average just miss the class of %u bytes and take %u "
		   "each. Ask for %.1f less, on the average",
		   asked, advice->smaller_bytes, advice->block_bytes, asked - advice->smaller_bytes);
}

static void say_pattern(const struct advice *advice, struct sink *sink)
{
	switch (advice->rule) {
	case ADVICE_TEMPORARY:
		say_part(advice, "blocks", sink);
		sink_print(sink, "were freed before the thread allocated another. Keep one buffer "
				 "and use it again");
		return;
	case ADVICE_GROWTH:
		say_part(advice, "blocks", sink);
		sink_print(sink, "came of a realloc that had to move. Ask for the final size at "
				 "once, or grow by doubling");
		return;
	case ADVICE_REMOTE:
		say_part(advice, "frees", sink);
		sink_print(sink,
			   "came from another thread than the one that allocated. Hand the blocks "
			   "back, or free them where they are allocated");
		return;
	case ADVICE_TINY:
		say_part(advice, "blocks", sink);
		sink_print(sink,
			   "live, of %.1f bytes on the average. Cut them from larger ones (an arena)",
			   mean_of(advice, SITE_LIVE_REQUESTED_BYTES, SITE_LIVE));
		return;
	case ADVICE_LEAKED:
		say_part(advice, "blocks", sink);
		sink_print(sink, "were never freed. Free them when they are no longer used");
		return;
	case ADVICE_SLACK: say_slack(advice, sink); return;
	default: return;
	}
}

static void say_saving(const struct advice *advice, struct sink *sink)
{
	static const char *const calls[ADVICE_RULE_COUNT] = {
		[ADVICE_TEMPORARY] = "calls of malloc and free",
		[ADVICE_GROWTH] = "moves of a block",
		[ADVICE_REMOTE] = "frees of another thread's block",
		[ADVICE_TINY] = "calls of malloc",
	};
	uint64_t saving = sites_whole(estimate_value(&advice->saving));
	struct number share = number_share((uint64_t)llround(advice->share * 1e6), 1000000);

	if (advice_unit(advice->rule) == ADVICE_BYTES)
		sink_print(sink, ": saves up to %s%s, %s of the peak.\n", about(advice),
			   number_bytes(saving).text, share.text);
	else
		sink_print(sink, ": saves up to %s%s %s, %s of all calls.\n", about(advice),
			   number_count(saving).text, calls[advice->rule], share.text);
}

static void put(const struct advice_list *advice, size_t rows, struct sink *sink)
{
	for (size_t i = 0; i < rows; i++) {
		paragraph_begin(sink, INDENT);
		sink_print(sink, "  %zu. ", i + 1);
		say_place(&advice->list[i], sink);
		say_pattern(&advice->list[i], sink);
		say_saving(&advice->list[i], sink);
	}
}

void advice_text(const struct advice_list *advice, size_t rows, struct sink *sink)
{
	size_t count = rows && rows < advice->count ? rows : advice->count;

	table_title(sink, "Advice: what a change at a call site would save at most", count,
		    advice->count);
	put(advice, count, sink);
	if (!count)
		sink_print(sink, "  None: no rule applies (poolmem-sites(1) has them).\n");
}

void advice_brief(const struct advice_list *advice, struct sink *sink)
{
	size_t rows = advice->count < BRIEF_ROWS ? advice->count : BRIEF_ROWS;
	char text[120];

	if (!rows)
		return;
	snprintf(text, sizeof text, "Advice (%zu of %zu; `poolmem sites --advice` shows all)", rows,
		 advice->count);
	table_title(sink, text, 0, 0);
	put(advice, rows, sink);
}

/* --- JSON ------------------------------------------------------------------------------------------------ */

static void put_place(json_t *object, const struct sites *sites, const struct own_call *place)
{
	const struct module *module = sites->stacks.modules[place->module];
	const struct named_call *call = place->call, *through = place->through;

	json_put(object, "name", json_text(call ? call->label : NULL));
	json_put_place(object, call ? &call->call : NULL);
	json_put(object, "module", json_text(module ? module->path : NULL));
	json_put(object, "through", json_text(through ? through->label : NULL));
}

static void put_saving(json_t *object, const struct advice *advice)
{
	struct interval saving = advice_saving(advice);
	bool is_bytes = advice_unit(advice->rule) == ADVICE_BYTES;

	json_put(object, "unit", json_text(is_bytes ? "bytes" : "calls"));
	json_put(object, "saves_up_to", json_count(sites_whole(estimate_value(&advice->saving))));
	json_put(object, "at_least", json_count(sites_whole(saving.low)));
	json_put(object, "at_most", json_count(sites_whole(saving.high)));
	json_put(object, "estimated", json_boolean(advice->saving.variance > 0));
	json_put(object, "share", json_real(advice->share));
}

static json_t *one_json(const struct sites *sites, const struct advice *advice)
{
	json_t *object = json_object();
	bool is_of_class = advice->rule == ADVICE_SLACK;

	json_put(object, "rule", json_text(advice_key(advice->rule)));
	put_place(object, sites, &advice->place);
	json_put(object, "stacks", json_count(advice->stacks));
	json_put(object, "blocks", json_count(sites_whole(advice_part(advice))));
	json_put(object, "of_blocks", json_count(sites_whole(advice_whole(advice))));
	json_put(object, "block_bytes", is_of_class ? json_count(advice->block_bytes) : json_null());
	json_put(object, "smaller_bytes",
		 is_of_class ? json_count(advice->smaller_bytes) : json_null());
	put_saving(object, advice);
	return object;
}

json_t *advice_json(const struct sites *sites, const struct advice_list *advice)
{
	json_t *array = json_array();

	for (size_t i = 0; i < advice->count; i++)
		json_array_append_new(array, one_json(sites, &advice->list[i]));
	return array;
}
