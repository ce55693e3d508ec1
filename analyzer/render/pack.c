/* SPDX-License-Identifier: MIT */
/* pack.c: see pack.h. */
#include "render/pack.h"

#include "render/gaps.h"
#include "render/json.h"
#include "text/number.h"
#include "text/paragraph.h"

void pack_text(const struct pack_view *view, struct sink *sink)
{
	const struct packing_sums *names = &view->names;

	sink_name(sink, *view->path ? view->path : "standard output", 0);
	sink_print(sink, ": %s\n\n", number_bytes(view->bytes).text);
	paragraph_begin(sink, 2);
	if (names->codes)
		sink_print(sink,
			   "  Names of %s in code were packed: %s with a function, %s with a file "
			   "and a line. Every command reads this file on any machine as it would "
			   "have read the recording on this one.\n",
			   number_of(names->codes, "place").text, number_count(names->named).text,
			   number_count(names->lined).text);
	else
		sink_print(sink, "  There is no code to name: no call sites were recorded.\n");
	if (view->is_cut_short)
		sink_print(sink, "  The capture was cut short before it was packed.\n");
	gaps_text(view->naming, sink);
}

void pack_json(const struct pack_view *view, struct sink *sink)
{
	const struct packing_sums *sums = &view->names;
	json_t *document = json_object(), *names = json_object();

	json_put(document, "schema", json_integer(JSON_SCHEMA));
	json_put(document, "metrics", json_object());
	json_put(document, "estimated", json_object());
	json_put(document, "notes", json_array());
	json_put(document, "file", json_text(view->path));
	json_put(document, "bytes", json_count(view->bytes));
	json_put(document, "cut_short", json_boolean(view->is_cut_short));
	json_put(names, "places", json_count(sums->codes));
	json_put(names, "with_function", json_count(sums->named));
	json_put(names, "with_line", json_count(sums->lined));
	json_put(document, "names", names);
	json_put(document, "missing", gaps_json(view->naming));
	json_print(document, sink);
}
