/* SPDX-License-Identifier: MIT */
/*
 * trace.h: the calls of one process of a trace, in their order across threads.
 *
 *   writer 0: chunk, chunk, ... \
 *   writer 1: chunk, ...         > the event with the lowest number is next
 *
 * Memory: a chunk for each writer, so for each thread that the process had at a time.
 */
#ifndef POOLMEM_MODEL_TRACE_H
#define POOLMEM_MODEL_TRACE_H

#include "source/trace_decode.h"

struct trace_writer;

struct trace {
	const struct trace_file *file;
	struct trace_writer **queue; /* a heap: the first has the lowest number */
	size_t count;
	uint32_t pid;
};

/* `file` stays open meanwhile.  false: no such process, or damaged.  trace_end() after true. */
bool trace_begin(struct trace *trace, const struct trace_file *file, uint32_t process,
		 struct failure *why);
void trace_end(struct trace *trace);

enum trace_next { TRACE_NEXT, TRACE_DONE, TRACE_FAILED };
enum trace_next trace_next(struct trace *trace, struct trace_event *ret, struct failure *why);

#endif
