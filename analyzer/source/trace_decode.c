/* SPDX-License-Identifier: MIT */
/* trace_decode.c: see trace_decode.h.  Numbers that cannot be are seen where they are read. */
#include "source/trace_decode.h"

#include <string.h>

enum { LATEST_MASK = PM_TRACE_LATEST, LOG2_MAX = 62, ADDRESS_BITS = 60 };

static const uint64_t SIZE_LIMIT = UINT64_C(1) << 62;

void trace_decode_begin(struct trace_decoder *decoder, const struct trace_events *events)
{
	memset(decoder, 0, sizeof *decoder);
	decoder->events = events;
	decoder->thread = events->header.thread;
	decoder->sequence = events->header.sequence;
}

static bool take_byte(struct trace_decoder *decoder, unsigned *ret)
{
	if (decoder->at >= decoder->events->header.used)
		return false;
	*ret = decoder->events->bytes[decoder->at++];
	return true;
}

/* At most 64 bits, in at most ten bytes. */
static bool take_number(struct trace_decoder *decoder, uint64_t *ret)
{
	uint64_t number = 0;
	unsigned byte = 128;

	for (unsigned shift = 0; byte >= 128; shift += 7) {
		if (shift > 63 || !take_byte(decoder, &byte))
			return false;
		if (shift == 63 && byte > 1)
			return false;
		number |= (uint64_t)(byte & 127) << shift;
	}
	*ret = number;
	return true;
}

/* An address by its distance from another; addresses of a process have fewer bits than a word. */
static bool take_address(struct trace_decoder *decoder, uint64_t from, uint64_t *ret)
{
	uint64_t twice;

	if (!take_number(decoder, &twice))
		return false;
	*ret = from + (twice & 1 ? ~(twice >> 1) : twice >> 1);
	return *ret && *ret >> ADDRESS_BITS == 0;
}

static bool take_whole_address(struct trace_decoder *decoder, uint64_t *ret)
{
	return take_number(decoder, ret) && *ret && *ret >> ADDRESS_BITS == 0;
}

static bool take_size(struct trace_decoder *decoder, uint64_t *ret)
{
	return take_number(decoder, ret) && *ret < SIZE_LIMIT;
}

static void note_block(struct trace_decoder *decoder, uint32_t bucket, uint64_t address)
{
	decoder->stride[bucket] = address - decoder->near[bucket];
	decoder->near[bucket] = address;
	decoder->latest[decoder->latest_at++ & LATEST_MASK] = address;
}

static bool take_block(struct trace_decoder *decoder, unsigned argument, struct trace_event *event)
{
	if (!take_size(decoder, &event->size))
		return false;
	uint32_t bucket = pm_trace_bucket(event->size);
	uint64_t near = decoder->near[bucket];

	switch (argument) {
	case 0:
		if (!take_address(decoder, near, &event->address))
			return false;
		break;
	case PM_TRACE_SAME: event->address = near; break;
	case PM_TRACE_STRIDE: event->address = near + decoder->stride[bucket]; break;
	default: return false;
	}
	note_block(decoder, bucket, event->address);
	return event->address && event->address >> ADDRESS_BITS == 0;
}

static bool take_place(struct trace_decoder *decoder, unsigned argument, uint64_t *ret)
{
	if (argument)
		*ret = decoder->latest[(decoder->latest_at - argument) & LATEST_MASK];
	else if (!take_address(decoder, decoder->freed, ret))
		return false;
	decoder->freed = *ret;
	return *ret;
}

static bool take_thread(struct trace_decoder *decoder)
{
	uint64_t number;

	if (!take_number(decoder, &number) || number >= UINT32_MAX)
		return false;
	decoder->thread = (uint32_t)number;
	return true;
}

static bool take_note(struct trace_decoder *decoder, unsigned note, struct trace_event *event)
{
	event->note = (enum pm_trace_note)note;
	switch (event->note) {
	case PM_TRACE_NOTE_THREAD: return take_thread(decoder);
	case PM_TRACE_NOTE_END: return true;
	case PM_TRACE_NOTE_RESIDENT:
		decoder->has_pages = true;
		return take_size(decoder, &decoder->pages);
	case PM_TRACE_NOTE_FOUND:
		return take_whole_address(decoder, &event->address) &&
		       take_size(decoder, &event->size);
	case PM_TRACE_NOTE_LEFT:
		event->has_pages = true;
		return take_whole_address(decoder, &event->address) &&
		       take_size(decoder, &event->pages);
	case PM_TRACE_NOTE_TIME: return take_size(decoder, &event->size);
	default: return false;
	}
}

static bool take_aligned(struct trace_decoder *decoder, unsigned argument, struct trace_event *event)
{
	uint64_t log2;

	if (!take_number(decoder, &log2) || log2 > LOG2_MAX)
		return false;
	event->log2_alignment = (uint8_t)log2;
	return take_block(decoder, argument, event);
}

static bool take_realloc(struct trace_decoder *decoder, unsigned argument, struct trace_event *event)
{
	if (!take_place(decoder, argument, &event->old) || !take_size(decoder, &event->size) ||
	    !take_address(decoder, event->old, &event->address))
		return false;
	note_block(decoder, pm_trace_bucket(event->size), event->address);
	decoder->sequence++;
	return true;
}

static bool take_body(struct trace_decoder *decoder, unsigned argument, struct trace_event *event)
{
	switch (event->kind) {
	case PM_TRACE_NOTE: return take_note(decoder, argument, event);
	case PM_TRACE_MALLOC:
	case PM_TRACE_CALLOC:
	case PM_TRACE_ATTACH: return take_block(decoder, argument, event);
	case PM_TRACE_ALIGNED: return take_aligned(decoder, argument, event);
	case PM_TRACE_FREE:
	case PM_TRACE_DETACH: return take_place(decoder, argument, &event->address);
	case PM_TRACE_REALLOC: return take_realloc(decoder, argument, event);
	default: return false;
	}
}

static bool take_event(struct trace_decoder *decoder, struct trace_event *event)
{
	unsigned byte;
	uint64_t skipped = 0;

	if (!take_byte(decoder, &byte))
		return false;
	*event = (struct trace_event){.kind = byte & PM_TRACE_KIND_MASK};
	if (byte & PM_TRACE_SKIPS &&
	    (event->kind == PM_TRACE_NOTE || !take_number(decoder, &skipped)))
		return false;
	if (skipped >= SIZE_LIMIT || decoder->sequence >= SIZE_LIMIT)
		return false;
	event->order = decoder->sequence += skipped;
	if (event->kind != PM_TRACE_NOTE) {
		decoder->sequence++;
		event->has_pages = decoder->has_pages;
		event->pages = decoder->pages;
		decoder->has_pages = false;
	}
	return take_body(decoder, byte >> PM_TRACE_ARGUMENT_SHIFT, event);
}

enum trace_decoded trace_decode(struct trace_decoder *decoder, struct trace_event *ret)
{
	do {
		if (decoder->at == decoder->events->header.used)
			return TRACE_AT_END;
		if (!take_event(decoder, ret))
			return TRACE_DAMAGED;
	} while (ret->kind == PM_TRACE_NOTE && ret->note == PM_TRACE_NOTE_RESIDENT);
	ret->thread = decoder->thread;
	return TRACE_EVENT;
}
