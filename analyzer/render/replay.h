/* SPDX-License-Identifier: MIT */
/* replay.h: the table of a replay, allocator by allocator. */
#ifndef POOLMEM_RENDER_REPLAY_H
#define POOLMEM_RENDER_REPLAY_H

#include "study/replay_rows.h"
#include "text/sink.h"

#include <jansson.h>
#include <stdbool.h>

struct replay_view {
	const char *exe;
	uint32_t pid;
	uint64_t events, threads, unknown, implied, live_peak, live_end, missed;
	bool is_full; /* recording ended for want of room */
	bool touches; /* false: --speed */
	bool waits;   /* for the time at which the program was so far */
	const struct replay_row *row;
	size_t row_count;
};

/* Its first lines, and what is to be known of the trace. */
void replay_heading(const struct replay_view *view, struct sink *sink);
void replay_notes(const struct replay_view *view, struct sink *sink);

/* The document, without what else a command has to say. */
json_t *replay_document(const struct replay_view *view);

void replay_text(const struct replay_view *view, struct sink *sink);
void replay_json(const struct replay_view *view, struct sink *sink);

#endif
