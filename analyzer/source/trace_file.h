/* SPDX-License-Identifier: MIT */
/*
 * trace_file.h: a trace by chunks: see <poolmem/trace.h>.  Hostile until loaded: what trace_file_load() gives has the right
 * length and checksum; its events are for trace_decode.h to verify.
 */
#ifndef POOLMEM_SOURCE_TRACE_FILE_H
#define POOLMEM_SOURCE_TRACE_FILE_H

#include "source/input.h"
#include "text/failure.h"

#include <poolmem/trace.h>

enum { TRACE_EVENTS_MAX = PM_TRACE_CHUNK_BYTES - sizeof(struct pm_trace_chunk) };

#define TRACE_NO_CHUNK SIZE_MAX

struct trace_chunk {
	uint64_t offset; /* of its header */
	uint32_t process, writer;
	size_t next;   /* the next one of its writer, or TRACE_NO_CHUNK */
	bool is_first; /* of its writer */
};

struct trace_file {
	const char *path; /* borrowed, for messages */
	struct input input;
	struct pm_trace_header header; /* verified; exe ends with a NUL */
	struct trace_chunk *chunks;    /* in the order of the file; bounded by its length */
	size_t chunk_count;
	uint32_t process_count;
};

/* Reads the headers of all chunks.  The path must stay.  trace_file_close() after true. */
bool trace_file_open(const char *path, struct trace_file *ret, struct failure *why);
void trace_file_close(struct trace_file *file);

/* From `from` on, the next chunk that is the first of a writer of the process; TRACE_NO_CHUNK: there is none. */
size_t trace_file_first(const struct trace_file *file, uint32_t process, size_t from);

/* Events of a chunk, as they were before packing. */
struct trace_events {
	struct pm_trace_chunk header;
	unsigned char bytes[TRACE_EVENTS_MAX];
};
bool trace_file_load(const struct trace_file *file, size_t chunk, struct trace_events *ret,
		     struct failure *why);

#endif
