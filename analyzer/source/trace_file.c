/* SPDX-License-Identifier: MIT */
/* trace_file.c: see trace_file.h. */
#include "source/trace_file.h"

#include "text/allocate.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { STORED_MAX = 2 * PM_TRACE_CHUNK_BYTES, PROCESSES_MAX = 1 << 24, WRITERS_MAX = 1 << 20 };

static bool damaged(const struct pm_trace_chunk *chunk, uint64_t offset, const char *what,
		    struct failure *why)
{
	(void)chunk;
	return fail(why, FAILURE_UNREADABLE, "damaged trace: the chunk at %" PRIu64 " %s", offset,
		    what);
}

static bool no_trace(const char *reason, struct failure *why)
{
	return fail(why, FAILURE_UNREADABLE,
		    "this is no trace%s; `poolmem run --trace -- PROGRAM` records one", reason);
}

static bool check_header(const struct pm_trace_header *header, struct failure *why)
{
	if (memcmp(header->magic, PM_TRACE_MAGIC, sizeof header->magic) != 0)
		return no_trace("", why);
	if (header->endian != PM_TRACE_ENDIAN)
		return fail(why, FAILURE_UNREADABLE,
			    "the trace is of a machine of the other byte order");
	if (header->version != PM_TRACE_VERSION)
		return fail(why, FAILURE_UNREADABLE,
			    "the trace has format %u, and this poolmem reads %u: update it",
			    header->version, PM_TRACE_VERSION);
	if (header->header_bytes < sizeof *header || header->header_bytes > PM_TRACE_CHUNK_BYTES ||
	    header->chunk_bytes != PM_TRACE_CHUNK_BYTES || header->page_bytes < 4096 ||
	    header->page_bytes > 1 << 16 || header->page_bytes & (header->page_bytes - 1))
		return fail(why, FAILURE_UNREADABLE, "damaged trace: its header is not sound");
	return true;
}

static bool is_packed(const struct trace_file *file)
{
	return file->header.flags & PM_TRACE_PACKED;
}

static bool check_chunk(const struct trace_file *file, const struct pm_trace_chunk *chunk,
			uint64_t offset, struct failure *why)
{
	if (chunk->magic != PM_TRACE_CHUNK_MAGIC)
		return damaged(chunk, offset, "does not begin as one", why);
	if (chunk->used > TRACE_EVENTS_MAX)
		return damaged(chunk, offset, "is longer than chunks are", why);
	if (chunk->state != PM_TRACE_OPEN && chunk->state != PM_TRACE_CLOSED)
		return damaged(chunk, offset, "is neither open nor closed", why);
	if (chunk->process >= PROCESSES_MAX || chunk->writer >= WRITERS_MAX)
		return damaged(chunk, offset, "has a writer that cannot be", why);
	if (is_packed(file) ? !chunk->stored || chunk->stored > STORED_MAX : chunk->stored)
		return damaged(chunk, offset, "has a length that cannot be", why);
	return true;
}

static void add_chunk(struct trace_file *file, size_t *room, const struct pm_trace_chunk *chunk,
		      uint64_t offset)
{
	file->chunks = allocate_more(file->chunks, file->chunk_count, room, sizeof *file->chunks);
	file->chunks[file->chunk_count++] = (struct trace_chunk){.offset = offset,
								 .process = chunk->process,
								 .writer = chunk->writer,
								 .next = TRACE_NO_CHUNK,
								 .is_first = true};
	if (chunk->process >= file->process_count)
		file->process_count = chunk->process + 1;
}

/* Of one as recorded no further than chunks were begun: the file of a killed program goes on, as a hole of many GiB. */
static uint64_t end_of_chunks(const struct trace_file *file)
{
	uint64_t begun = ((uint64_t)file->header.chunks + 1) * PM_TRACE_CHUNK_BYTES;

	return is_packed(file) || begun > file->input.bytes ? file->input.bytes : begun;
}

/* A chunk without a magic was given out, and nothing written to it before the program was killed. */
static bool index_chunks(struct trace_file *file, struct failure *why)
{
	uint64_t offset = is_packed(file) ? file->header.header_bytes : PM_TRACE_CHUNK_BYTES;
	uint64_t end = end_of_chunks(file);
	struct pm_trace_chunk chunk;
	size_t room = 0;

	while (offset < end && end - offset >= sizeof chunk) {
		if (!input_read(&file->input, offset, &chunk, sizeof chunk, why))
			return false;
		bool is_begun = is_packed(file) || chunk.magic ||
				file->input.bytes - offset < PM_TRACE_CHUNK_BYTES;

		if (is_begun) {
			if (!check_chunk(file, &chunk, offset, why))
				return false;
			add_chunk(file, &room, &chunk, offset);
		}
		offset += is_packed(file) ? sizeof chunk + chunk.stored : PM_TRACE_CHUNK_BYTES;
	}
	return true;
}

static int by_writer(const void *a, const void *b)
{
	const struct trace_chunk *const *one = a, *const *other = b;

	if ((*one)->process != (*other)->process)
		return (*one)->process < (*other)->process ? -1 : 1;
	if ((*one)->writer != (*other)->writer)
		return (*one)->writer < (*other)->writer ? -1 : 1;
	return *one < *other ? -1 : *one > *other;
}

/* The chunks of each writer follow each other. */
static void link_chunks(struct trace_file *file)
{
	struct trace_chunk **sorted = allocate(file->chunk_count + 1, sizeof *sorted);

	for (size_t i = 0; i < file->chunk_count; i++)
		sorted[i] = &file->chunks[i];
	qsort(sorted, file->chunk_count, sizeof *sorted, by_writer);
	for (size_t i = 0; i + 1 < file->chunk_count; i++)
		if (sorted[i]->process == sorted[i + 1]->process &&
		    sorted[i]->writer == sorted[i + 1]->writer) {
			sorted[i]->next = (size_t)(sorted[i + 1] - file->chunks);
			sorted[i + 1]->is_first = false;
		}
	free(sorted);
}

static bool read_all(struct trace_file *file, struct failure *why)
{
	if (file->input.bytes < sizeof file->header)
		return no_trace(": it is too short", why);
	if (!input_read(&file->input, 0, &file->header, sizeof file->header, why) ||
	    !check_header(&file->header, why))
		return false;
	file->header.exe[sizeof file->header.exe - 1] = 0;
	if (!index_chunks(file, why))
		return false;
	link_chunks(file);
	return true;
}

bool trace_file_open(const char *path, struct trace_file *ret, struct failure *why)
{
	struct failure reason;

	*ret = (struct trace_file){.path = path};
	if (!input_open(AT_FDCWD, path, &ret->input, why))
		return false;
	if (read_all(ret, &reason))
		return true;
	trace_file_close(ret);
	return fail(why, reason.kind, "%.200s: %.190s", path, reason.text);
}

void trace_file_close(struct trace_file *file)
{
	input_close(&file->input);
	free(file->chunks);
}

size_t trace_file_first(const struct trace_file *file, uint32_t process, size_t from)
{
	for (size_t i = from; i < file->chunk_count; i++)
		if (file->chunks[i].process == process && file->chunks[i].is_first)
			return i;
	return TRACE_NO_CHUNK;
}

static bool unpack(const struct trace_file *file, uint64_t offset, struct trace_events *events,
		   struct failure *why)
{
	unsigned char stored[STORED_MAX];

	if (!input_read(&file->input, offset, stored, events->header.stored, why))
		return false;
	size_t got = ZSTD_decompress(events->bytes, events->header.used, stored,
				     events->header.stored);

	return got == events->header.used ||
	       damaged(&events->header, offset, "cannot be unpacked", why);
}

static bool load(const struct trace_file *file, size_t chunk, struct trace_events *ret,
		 struct failure *why)
{
	uint64_t offset = file->chunks[chunk].offset, content = offset + sizeof ret->header;

	if (!input_read(&file->input, offset, &ret->header, sizeof ret->header, why) ||
	    !check_chunk(file, &ret->header, offset, why))
		return false;
	if (is_packed(file) ? !unpack(file, content, ret, why)
			    : !input_read(&file->input, content, ret->bytes, ret->header.used, why))
		return false;
	return ret->header.state == PM_TRACE_OPEN ||
	       pm_trace_checksum(ret->bytes, ret->header.used) == ret->header.checksum ||
	       damaged(&ret->header, offset, "does not agree with its checksum", why);
}

/* The file may be another than when its chunks were listed. */
bool trace_file_load(const struct trace_file *file, size_t chunk, struct trace_events *ret,
		     struct failure *why)
{
	uint64_t offset = file->chunks[chunk].offset;
	struct failure reason;

	if (load(file, chunk, ret, &reason))
		return true;
	return fail(why, reason.kind, "%.200s: %.190s%s", file->path, reason.text,
		    offset + sizeof ret->header + ret->header.used > file->input.bytes
			    ? ": it was cut; copy it again, or record it again (run --trace)"
			    : "");
}
