/* SPDX-License-Identifier: MIT */
/* trace.c: see trace.h. */
#include "render/trace.h"

#include "model/trace_blocks.h"
#include "text/allocate.h"

#include <inttypes.h>
#include <stdlib.h>

/* Numbers for blocks. */
struct names {
	struct trace_blocks blocks;
	uint64_t *spare, next;
	size_t spare_count, spare_room;
};

static uint64_t take_number(struct names *names)
{
	return names->spare_count ? names->spare[--names->spare_count] : names->next++;
}

static void give_number(struct names *names, uint64_t number)
{
	names->spare = allocate_more(names->spare, names->spare_count, &names->spare_room,
				     sizeof *names->spare);
	names->spare[names->spare_count++] = number;
}

/* false: no block is known there. */
static bool forget(struct names *names, uint64_t address, uint64_t *ret_number)
{
	struct traced_block *block = trace_blocks_find(&names->blocks, address);

	if (!block)
		return false;
	*ret_number = block->slot;
	trace_blocks_take(&names->blocks, block);
	return true;
}

static void remember(struct names *names, uint64_t address, uint64_t number)
{
	trace_blocks_put(&names->blocks, &(struct traced_block){.address = address, .slot = number});
}

static void put_gone(struct names *names, struct sink *sink, const struct trace_event *event,
		     const char *word)
{
	uint64_t number;

	if (!forget(names, event->address, &number)) {
		sink_print(sink, "%u %s ?", event->thread, word);
		return;
	}
	sink_print(sink, "%u %s %" PRIu64, event->thread, word, number);
	give_number(names, number);
}

static void make_way(struct names *names, struct sink *sink, const struct trace_event *event)
{
	uint64_t number;

	if (!forget(names, event->address, &number))
		return;
	sink_print(sink, "%u gone %" PRIu64 "\n", event->thread, number);
	give_number(names, number);
}

static void put_come(struct names *names, struct sink *sink, const struct trace_event *event,
		     const char *word)
{
	make_way(names, sink, event);
	uint64_t number = take_number(names);

	remember(names, event->address, number);
	sink_print(sink, "%u %s %" PRIu64, event->thread, word, event->size);
	if (event->kind == PM_TRACE_ALIGNED)
		sink_print(sink, " to %" PRIu64, UINT64_C(1) << event->log2_alignment);
	sink_print(sink, " = %" PRIu64, number);
}

static void put_realloc(struct names *names, struct sink *sink, const struct trace_event *event)
{
	uint64_t number;
	struct trace_event as_malloc = *event;

	as_malloc.kind = PM_TRACE_MALLOC;
	if (!forget(names, event->old, &number)) {
		put_come(names, sink, &as_malloc, "realloc ?");
		return;
	}
	make_way(names, sink, event);
	remember(names, event->address, number);
	sink_print(sink, "%u realloc %" PRIu64 " to %" PRIu64, event->thread, number, event->size);
}

static void put_call(struct names *names, struct sink *sink, const struct trace_event *event)
{
	switch (event->kind) {
	case PM_TRACE_MALLOC: put_come(names, sink, event, "malloc"); break;
	case PM_TRACE_CALLOC: put_come(names, sink, event, "calloc"); break;
	case PM_TRACE_ALIGNED: put_come(names, sink, event, "aligned"); break;
	case PM_TRACE_ATTACH: put_come(names, sink, event, "attach"); break;
	case PM_TRACE_NOTE: put_come(names, sink, event, "found"); break;
	case PM_TRACE_REALLOC: put_realloc(names, sink, event); break;
	case PM_TRACE_DETACH: put_gone(names, sink, event, "detach"); break;
	default: put_gone(names, sink, event, "free");
	}
	if (event->has_pages)
		sink_print(sink, " resident-pages %" PRIu64, event->pages);
	sink_print(sink, "\n");
}

static void put_event(struct names *names, struct sink *sink, const struct trace_event *event)
{
	if (event->kind != PM_TRACE_NOTE || event->note == PM_TRACE_NOTE_FOUND)
		put_call(names, sink, event);
	else if (event->note == PM_TRACE_NOTE_END)
		sink_print(sink, "%u ends\n", event->thread);
}

bool trace_print(struct trace *trace, struct sink *sink, struct failure *why)
{
	struct names names = {.next = 0};
	struct trace_event event;
	enum trace_next next;

	while ((next = trace_next(trace, &event, why)) == TRACE_NEXT && !sink->error)
		put_event(&names, sink, &event);
	trace_blocks_free(&names.blocks);
	free(names.spare);
	return next != TRACE_FAILED;
}
