/* SPDX-License-Identifier: MIT */
/* trace_decode.h: the events of a chunk, one after the other, verified.  <poolmem/trace.h> says what they are. */
#ifndef POOLMEM_SOURCE_TRACE_DECODE_H
#define POOLMEM_SOURCE_TRACE_DECODE_H

#include "source/trace_file.h"

struct trace_event {
	enum pm_trace_kind kind;
	enum pm_trace_note note; /* of PM_TRACE_NOTE; never RESIDENT: that is told with its event */
	uint32_t thread;         /* UINT32_MAX: not known */
	uint64_t order;          /* of a note: that of the writer's next event */
	uint64_t address; /* in grains: of the block that came; of FREE and DETACH: of the one that goes */
	uint64_t old;  /* of REALLOC: of the one that goes */
	uint64_t size; /* of FOUND: usable bytes; of TIME: milliseconds */
	uint8_t log2_alignment;
	bool has_pages;
	uint64_t pages; /* of the block that goes, or LEFT: resident, in pages of the trace */
};

struct trace_decoder {
	const struct trace_events *events;
	uint32_t at, thread;
	uint64_t sequence, freed;
	uint64_t latest[PM_TRACE_LATEST + 1], latest_at;
	uint64_t near[PM_TRACE_BUCKETS], stride[PM_TRACE_BUCKETS];
	bool has_pages; /* told for the next event */
	uint64_t pages;
};

/* `events` stay the caller's. */
void trace_decode_begin(struct trace_decoder *decoder, const struct trace_events *events);

enum trace_decoded { TRACE_EVENT, TRACE_AT_END, TRACE_DAMAGED };
enum trace_decoded trace_decode(struct trace_decoder *decoder, struct trace_event *ret);

#endif
