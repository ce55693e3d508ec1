/* SPDX-License-Identifier: MIT */
/* gaps.c: see gaps.h. */
#include "render/gaps.h"

#include "render/json.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <string.h>

enum { INDENT = 2, MODULES_SHOWN = 4, GAPS_SHOWN = 6 };

static void put_gap(const struct naming_gap *gap, struct sink *sink)
{
	paragraph_begin(sink, INDENT);
	sink_print(sink, "  No %s in ", gap->unnamed ? "names for code" : "lines for code");
	for (size_t i = 0; i < gap->module_count && i < MODULES_SHOWN; i++) {
		const char *path = gap->modules[i] ? gap->modules[i] : "no file";
		const char *slash = strrchr(path, '/');
		sink_print(sink, "%s", i ? ", " : "");
		sink_name(sink, slash ? slash + 1 : path, 0);
	}
	if (gap->module_count > MODULES_SHOWN)
		sink_print(sink, " and %s",
			   number_of(gap->module_count - MODULES_SHOWN, "other").text);
	sink_print(sink, ": ");
	sink_name(sink, gap->what, 0);
	sink_print(sink, "; what would help: ");
	sink_name(sink, gap->help, 0);
	sink_print(sink, ".\n");
}

void gaps_text(struct naming *naming, struct sink *sink)
{
	const struct naming_gap *gaps;
	size_t count = naming_gaps(naming, &gaps);

	for (size_t i = 0; i < count && i < GAPS_SHOWN; i++)
		put_gap(&gaps[i], sink);
	if (count <= GAPS_SHOWN)
		return;
	paragraph_begin(sink, INDENT);
	sink_print(sink, "  And more of the kind: --json has all under \"missing\".\n");
}

static json_t *json_gap(const struct naming_gap *gap)
{
	json_t *object = json_object(), *modules = json_array();

	for (size_t i = 0; i < gap->module_count; i++)
		json_array_append_new(modules, json_text(gap->modules[i]));
	json_put(object, "modules", modules);
	json_put(object, "what", json_text(gap->what));
	json_put(object, "help", json_text(gap->help));
	json_put(object, "without_function", json_count(gap->unnamed));
	json_put(object, "without_line", json_count(gap->unlined));
	return object;
}

json_t *gaps_json(struct naming *naming)
{
	const struct naming_gap *gaps;
	size_t count = naming_gaps(naming, &gaps);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_gap(&gaps[i]));
	return list;
}
