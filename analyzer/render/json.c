/* SPDX-License-Identifier: MIT */
/* json.c: see json.h. */
#include "render/json.h"

#include "model/saturate.h"
#include "text/escape.h"

#include <stdlib.h>
#include <string.h>

json_t *json_count(uint64_t count)
{
	return json_integer((json_int_t)sum(count, 0));
}

json_t *json_text(const char *text)
{
	if (!text)
		return json_null();
	char *repaired = repair_utf8(text, strlen(text));
	json_t *json = json_string_nocheck(repaired);
	free(repaired);
	return json;
}

void json_put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new_nocheck(object, key, value);
}

json_t *json_metrics(const struct metrics *metrics)
{
	json_t *object = json_object();
	for (enum metric which = 0; which < METRIC_COUNT; which++)
		if (metrics->value[which].is_known)
			json_put(object, metric_keys[which],
				 json_integer(metrics->value[which].value));
	return object;
}

json_t *json_estimated(const struct metrics *metrics)
{
	json_t *object = json_object();

	for (enum metric which = 0; which < METRIC_COUNT; which++) {
		const struct metric_bound *bound = &metrics->bound[which];
		if (!bound->is_known)
			continue;
		json_t *range = json_object();
		json_put(range, "at_least", json_integer(bound->at_least));
		json_put(range, "at_most",
			 bound->at_most == INT64_MAX ? json_null() : json_integer(bound->at_most));
		json_put(object, metric_keys[which], range);
	}
	return object;
}

json_t *json_notes(const struct notes *notes)
{
	json_t *array = json_array();

	for (size_t i = 0; i < notes->count; i++) {
		const struct note *note = &notes->notes[i];
		json_t *object = json_object();
		json_put(object, "key", json_text(note->key));
		json_put(object, "text", json_text(note->text));
		json_put(object, "count", json_count(note->count));
		if (*note->detail)
			json_put(object, "detail", json_text(note->detail));
		json_array_append_new(array, object);
	}
	return array;
}

void json_common(json_t *document, const struct metrics *metrics, const struct notes *notes)
{
	json_put(document, "schema", json_integer(JSON_SCHEMA));
	json_put(document, "metrics", json_metrics(metrics));
	json_put(document, "estimated", json_estimated(metrics));
	json_put(document, "notes", json_notes(notes));
}

/* The encoder escapes all that a terminal may act on but DEL. */
static int put_part(const char *bytes, size_t byte_count, void *sink)
{
	static const char escaped[] = "\\u007f";

	for (size_t from = 0; from < byte_count;) {
		const char *del = memchr(bytes + from, 0x7f, byte_count - from);
		size_t to = del ? (size_t)(del - bytes) : byte_count;
		sink_bytes(sink, bytes + from, to - from);
		if (del)
			sink_bytes(sink, escaped, strlen(escaped));
		from = to + (del != NULL);
	}
	return 0;
}

void json_print(json_t *document, struct sink *sink)
{
	json_dump_callback(document, put_part, sink,
			   JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER);
	sink_bytes(sink, "\n", 1);
	json_decref(document);
}
