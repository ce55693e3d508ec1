/* SPDX-License-Identifier: MIT */
/* pack_trace.c: see pack_trace.h. */
#include "render/pack_trace.h"

#include "render/json.h"
#include "text/number.h"

void pack_trace_text(const struct pack_trace_view *view, struct sink *sink)
{
	if (!*view->path) {
		sink_print(sink, "standard output: a trace, of %s as recorded\n",
			   number_bytes(view->unpacked_bytes).text);
		return;
	}
	sink_name(sink, view->path, 0);
	sink_print(sink, ": %s", number_bytes(view->bytes).text);
	sink_print(sink, ", of %s as recorded; poolmem replay reads it on any machine\n",
		   number_bytes(view->unpacked_bytes).text);
}

void pack_trace_json(const struct pack_trace_view *view, struct sink *sink)
{
	json_t *document = json_object();

	json_put(document, "schema", json_integer(JSON_SCHEMA));
	json_put(document, "metrics", json_object());
	json_put(document, "estimated", json_object());
	json_put(document, "notes", json_array());
	json_put(document, "file", json_text(view->path));
	json_put(document, "bytes", json_count(view->bytes));
	json_put(document, "recorded_bytes", json_count(view->unpacked_bytes));
	json_print(document, sink);
}
