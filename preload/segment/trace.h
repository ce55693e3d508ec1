/* SPDX-License-Identifier: MIT */
/*
 * trace.h: the file of a trace, by chunks.
 *
 * A sparse file, mapped shared: its descriptor is closed before main.  A chunk is mapped and made present when it is begun,
 * from the mapping of one before it, and unmapped when it is full.  Forked children add chunks to the same file.
 */
#ifndef SEGMENT_TRACE_H
#define SEGMENT_TRACE_H

#include <poolmem/trace.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Mapped for good; NULL: there is no trace. */
extern struct pm_trace_header *trace_header;

/*
 * Creates the file, of `bytes_max` at most, and its header, but for the facts of the process; `path` may have %p for the id of
 * the process.  Returns 0, or an error number: EEXIST, it was there.
 */
int trace_file_create(const char *path, uint64_t bytes_max);

/* `path`, as it was created. */
const char *trace_file_path(void);

/* Whether the file of that path is of a process of this run, of what this process was before exec, or of its parent. */
bool trace_file_is_of_family(uint64_t run_id);

/* The next chunk, all zero.  NULL: no room, or the file was cut. */
struct pm_trace_chunk *trace_file_add(void);
void trace_file_give(struct pm_trace_chunk *chunk); /* unmaps it */

/* Cuts off what no chunk was begun in, if the file is still there; nobody else may add to it any more. */
void trace_file_cut(void);
bool trace_file_was_cut(void);

#pragma GCC visibility pop

#endif
