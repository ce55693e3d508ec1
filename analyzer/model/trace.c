/* SPDX-License-Identifier: MIT */
/* trace.c: see trace.h. */
#include "model/trace.h"

#include "text/allocate.h"

#include <inttypes.h>
#include <stdlib.h>

struct trace_writer {
	size_t chunk; /* TRACE_NO_CHUNK: all read */
	struct trace_events events;
	struct trace_decoder decoder;
	struct trace_event next;
};

/* Its next event.  *ret_more false: there is none. */
static bool advance(const struct trace_file *file, struct trace_writer *writer, bool *ret_more,
		    struct failure *why)
{
	*ret_more = false;
	while (writer->chunk != TRACE_NO_CHUNK) {
		enum trace_decoded decoded = trace_decode(&writer->decoder, &writer->next);

		if (decoded == TRACE_DAMAGED)
			return fail(why, FAILURE_UNREADABLE,
				    "damaged trace: an event of the chunk at %" PRIu64 " cannot be",
				    file->chunks[writer->chunk].offset);
		*ret_more = decoded == TRACE_EVENT;
		if (*ret_more)
			return true;
		writer->chunk = file->chunks[writer->chunk].next;
		if (writer->chunk == TRACE_NO_CHUNK)
			return true;
		if (!trace_file_load(file, writer->chunk, &writer->events, why))
			return false;
		trace_decode_begin(&writer->decoder, &writer->events);
	}
	return true;
}

static bool is_before(const struct trace_writer *a, const struct trace_writer *b)
{
	return a->next.order != b->next.order ? a->next.order < b->next.order : a->chunk < b->chunk;
}

static void sift_down(struct trace *trace, size_t at)
{
	for (;;) {
		size_t least = at, left = 2 * at + 1, right = left + 1;

		if (left < trace->count && is_before(trace->queue[left], trace->queue[least]))
			least = left;
		if (right < trace->count && is_before(trace->queue[right], trace->queue[least]))
			least = right;
		if (least == at)
			return;
		struct trace_writer *moved = trace->queue[at];
		trace->queue[at] = trace->queue[least];
		trace->queue[least] = moved;
		at = least;
	}
}

static bool add_writer(struct trace *trace, size_t chunk, size_t *room, struct failure *why)
{
	struct trace_writer *writer = allocate(1, sizeof *writer);
	bool more = false;

	writer->chunk = chunk;
	bool loaded = trace_file_load(trace->file, chunk, &writer->events, why);

	if (loaded) {
		trace_decode_begin(&writer->decoder, &writer->events);
		trace->pid = writer->events.header.pid;
		loaded = advance(trace->file, writer, &more, why);
	}
	if (!more) {
		free(writer);
		return loaded;
	}
	trace->queue = allocate_more(trace->queue, trace->count, room, sizeof(*trace->queue));
	trace->queue[trace->count++] = writer;
	return true;
}

bool trace_begin(struct trace *trace, const struct trace_file *file, uint32_t process,
		 struct failure *why)
{
	size_t room = 0;

	*trace = (struct trace){.file = file};
	if (!file->process_count)
		return fail(why, FAILURE_NOTHING, "the trace holds no call");
	if (process >= file->process_count)
		return fail(why, FAILURE_NOTHING, "the trace has no process %u: it has %u", process,
			    file->process_count);
	for (size_t at = 0; (at = trace_file_first(file, process, at)) != TRACE_NO_CHUNK; at++)
		if (!add_writer(trace, at, &room, why)) {
			trace_end(trace);
			return false;
		}
	for (size_t i = trace->count / 2; i-- > 0;)
		sift_down(trace, i);
	return true;
}

void trace_end(struct trace *trace)
{
	while (trace->count)
		free(trace->queue[--trace->count]);
	free(trace->queue);
	trace->queue = NULL;
}

enum trace_next trace_next(struct trace *trace, struct trace_event *ret, struct failure *why)
{
	bool more;

	if (!trace->count)
		return TRACE_DONE;
	struct trace_writer *first = trace->queue[0];

	*ret = first->next;
	if (!advance(trace->file, first, &more, why))
		return TRACE_FAILED;
	if (!more) {
		trace->queue[0] = trace->queue[--trace->count];
		free(first);
	}
	sift_down(trace, 0);
	return TRACE_NEXT;
}
