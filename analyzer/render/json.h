/* SPDX-License-Identifier: MIT */
/*
 * json.h: what all JSON of poolmem has in common.  Every document opens with `schema`, `metrics`,
 * `estimated` and `notes`.  Output is ASCII: nothing in it can drive a terminal.
 */
#ifndef POOLMEM_RENDER_JSON_H
#define POOLMEM_RENDER_JSON_H

#include "model/naming.h"
#include "study/metrics.h"
#include "study/notes.h"
#include "text/sink.h"

#include <jansson.h>

enum { JSON_SCHEMA = 1 };

json_t *json_count(uint64_t count);
json_t *json_text(const char *text); /* repaired UTF-8; NULL: null */
json_t *json_metrics(const struct metrics *metrics);

/* Names whose value is not exact, with what the truth lies between. */
json_t *json_estimated(const struct metrics *metrics);
json_t *json_notes(const struct notes *notes);

/* What every document opens with. */
void json_common(json_t *document, const struct metrics *metrics, const struct notes *notes);

/* Adds which process it is: `pid`, `ppid`, `kind`, `state` and `exe`. */
void json_put_process(json_t *object, const struct recording *recording,
		      const struct process *process);

/* Adds where a call is: `function`, `file` and `line`; null: not known.  call: NULL: all are. */
void json_put_place(json_t *object, const struct call *call);

void json_put(json_t *object, const char *key, json_t *value);

/* Prints and lets go of the document. */
void json_print(json_t *document, struct sink *sink);

/*
 * A document that may be too large to be held: its members one after the other, and of those that are arrays each element.
 * What is given to it is printed, and let go of.
 */
struct json_stream {
	struct sink *sink;
	json_t *object,
		*array; /* without a sink: what is put together instead, and the array that grows */
	bool has_member, has_element;
};

void json_stream_begin(struct json_stream *stream, struct sink *sink);
json_t *json_stream_begin_held(struct json_stream *stream); /* a part of another document; needs no end */
void json_stream_common(struct json_stream *stream, const struct metrics *metrics,
			const struct notes *notes);
void json_stream_member(struct json_stream *stream, const char *key, json_t *value);
void json_stream_array(struct json_stream *stream, const char *key);
void json_stream_element(struct json_stream *stream, json_t *value);
void json_stream_array_end(struct json_stream *stream);
void json_stream_end(struct json_stream *stream);

#endif
