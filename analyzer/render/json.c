/* SPDX-License-Identifier: MIT */
/* json.c: see json.h. */
#include "render/json.h"

#include "model/saturate.h"
#include "study/study.h"
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

void json_put_process(json_t *object, const struct recording *recording,
		      const struct process *process)
{
	json_put(object, "pid", json_count(process->record.pid));
	json_put(object, "ppid", json_count(process->record.ppid));
	json_put(object, "kind", json_text(process_kind_key(process->kind)));
	json_put(object, "state", json_text(process_state_key(process->state)));
	json_put(object, "exe", json_text(facts_of(recording, process)->exe));
}

void json_put_place(json_t *object, const struct call *call)
{
	json_put(object, "function", json_text(call ? call->function : NULL));
	json_put(object, "file", json_text(call ? call->file : NULL));
	json_put(object, "line", call && call->line ? json_count(call->line) : json_null());
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
	struct json_stream held = {.object = document};

	json_stream_common(&held, metrics, notes);
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

enum { FORMAT = JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER };

void json_print(json_t *document, struct sink *sink)
{
	json_dump_callback(document, put_part, sink, FORMAT);
	sink_bytes(sink, "\n", 1);
	json_decref(document);
}

/* --- one by one ------------------------------------------------------------------------------------------ */

static const char member_line[] = "\n  ", element_line[] = "\n    ";

struct indented {
	struct sink *sink;
	const char *line; /* what begins one */
};

/* Within texts the encoder escapes the end of a line. */
static int put_indented(const char *bytes, size_t byte_count, void *context)
{
	const struct indented *to = context;

	for (size_t from = 0; from < byte_count;) {
		const char *line = memchr(bytes + from, '\n', byte_count - from);
		size_t end = line ? (size_t)(line - bytes) : byte_count;
		put_part(bytes + from, end - from, to->sink);
		if (line)
			sink_bytes(to->sink, to->line, strlen(to->line));
		from = end + (line != NULL);
	}
	return 0;
}

static void put_value(struct json_stream *stream, json_t *value, const char *line)
{
	struct indented to = {stream->sink, line};

	json_dump_callback(value, put_indented, &to, FORMAT | JSON_ENCODE_ANY);
	json_decref(value);
}

static void put_line(struct json_stream *stream, const char *line, bool *has_one)
{
	if (*has_one)
		sink_bytes(stream->sink, ",", 1);
	*has_one = true;
	sink_bytes(stream->sink, line, strlen(line));
}

/* Keys are our own words. */
static void put_key(struct json_stream *stream, const char *key)
{
	put_line(stream, member_line, &stream->has_member);
	sink_bytes(stream->sink, "\"", 1);
	sink_bytes(stream->sink, key, strlen(key));
	sink_bytes(stream->sink, "\": ", 3);
}

void json_stream_begin(struct json_stream *stream, struct sink *sink)
{
	*stream = (struct json_stream){.sink = sink};
	sink_bytes(sink, "{", 1);
}

json_t *json_stream_begin_held(struct json_stream *stream)
{
	*stream = (struct json_stream){.object = json_object()};
	return stream->object;
}

void json_stream_member(struct json_stream *stream, const char *key, json_t *value)
{
	if (!stream->sink) {
		json_put(stream->object, key, value);
		return;
	}
	put_key(stream, key);
	put_value(stream, value, member_line);
}

void json_stream_common(struct json_stream *stream, const struct metrics *metrics,
			const struct notes *notes)
{
	json_stream_member(stream, "schema", json_integer(JSON_SCHEMA));
	json_stream_member(stream, "metrics", json_metrics(metrics));
	json_stream_member(stream, "estimated", json_estimated(metrics));
	json_stream_member(stream, "notes", json_notes(notes));
}

void json_stream_array(struct json_stream *stream, const char *key)
{
	stream->has_element = false;
	stream->array = stream->sink ? NULL : json_array();
	if (stream->array) {
		json_put(stream->object, key, stream->array);
		return;
	}
	put_key(stream, key);
	sink_bytes(stream->sink, "[", 1);
}

void json_stream_element(struct json_stream *stream, json_t *value)
{
	if (!stream->sink) {
		json_array_append_new(stream->array, value);
		return;
	}
	put_line(stream, element_line, &stream->has_element);
	put_value(stream, value, element_line);
}

void json_stream_array_end(struct json_stream *stream)
{
	if (!stream->sink)
		return;
	if (stream->has_element)
		sink_bytes(stream->sink, member_line, strlen(member_line));
	sink_bytes(stream->sink, "]", 1);
}

void json_stream_end(struct json_stream *stream)
{
	sink_bytes(stream->sink, "\n}\n", 3);
}
