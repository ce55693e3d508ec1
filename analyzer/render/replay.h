/* SPDX-License-Identifier: MIT */
/* replay.h: the table of a replay, allocator by allocator. */
#ifndef POOLMEM_RENDER_REPLAY_H
#define POOLMEM_RENDER_REPLAY_H

#include "study/replay_rows.h"
#include "text/sink.h"

#include <stdbool.h>

struct replay_view {
	const char *exe;
	uint32_t pid;
	uint64_t events, threads, unknown, implied, live_peak, live_end, missed;
	bool is_full; /* recording ended for want of room */
	bool touches; /* false: --speed */
	const struct replay_row *row;
	size_t row_count;
};

void replay_text(const struct replay_view *view, struct sink *sink);
void replay_json(const struct replay_view *view, struct sink *sink);

#endif
