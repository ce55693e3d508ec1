/* SPDX-License-Identifier: MIT */
/*
 * header.h: the first half of the verifier: the header chunk and its tables.
 *
 * What passed here may be used as an index, a stride or a divisor without another look.
 */
#ifndef POOLMEM_SOURCE_HEADER_H
#define POOLMEM_SOURCE_HEADER_H

#include "text/failure.h"

#include <poolmem/format.h>
#include <stddef.h>

enum {
	CHUNK_BYTES_MAX = 1 << 20,
	AGE_COUNT_MAX = 32,
	CLASS_COUNT_MAX = 256,       /* pm_pool.size_class is a byte */
	SEGMENT_BYTES_MAX = 1 << 30, /* all chunks of one segment */
};

/*
 * Checks the fixed part; byte_count: what the file holds of this segment.  `chunks` may be more
 * than these bytes hold: header_chunks_fit says so.
 */
bool header_verify(const struct pm_header *header, uint64_t byte_count, struct failure *why);

bool header_chunks_fit(const struct pm_header *header, uint32_t chunks, uint64_t byte_count,
		       struct failure *why);

/* Checks the records of both tables in a copy of the whole header chunk. */
bool header_verify_tables(const struct pm_header *header, const unsigned char *chunk,
			  struct failure *why);

/* Record `index` of a verified table, copied: known fields of longer records. */
struct pm_class header_class(const struct pm_header *header, const unsigned char *chunk,
			     uint32_t index);
struct pm_age header_age(const struct pm_header *header, const unsigned char *chunk, uint32_t index);

/* "made by a newer poolmem" and its like, for segments and captures. */
bool format_version_known(uint32_t endian, uint32_t version, struct failure *why);

#endif
