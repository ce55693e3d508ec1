/* SPDX-License-Identifier: MIT */
/*
 * json.h: what all JSON of poolmem has in common.  Every document opens with `schema`, `metrics`,
 * `estimated` and `notes`.  Output is ASCII: nothing in it can drive a terminal.
 */
#ifndef POOLMEM_RENDER_JSON_H
#define POOLMEM_RENDER_JSON_H

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

void json_put(json_t *object, const char *key, json_t *value);

/* Prints and lets go of the document. */
void json_print(json_t *document, struct sink *sink);

#endif
