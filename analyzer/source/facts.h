/* SPDX-License-Identifier: MIT */
/*
 * facts.h: the stream of facts of a process, put together from its FACTS or SURVEY chunks, one record at a
 * time.
 */
#ifndef POOLMEM_SOURCE_FACTS_H
#define POOLMEM_SOURCE_FACTS_H

#include "source/image.h"

struct facts {
	unsigned char *stream;
	size_t byte_count, at;
	bool is_cut; /* a chunk is missing, or the last record is longer than the stream */
};

struct fact {
	uint32_t tag;
	size_t byte_count;
	const unsigned char *payload; /* inside the stream */
};

/* kind: FACTS or SURVEY. */
void facts_open(const struct image *image, enum pm_chunk_kind kind, uint32_t process,
		struct facts *ret);
/* A stream that was put together elsewhere; takes it over. */
void facts_take(void *stream, size_t byte_count, struct facts *ret);
bool facts_next(struct facts *facts, struct fact *ret);
void facts_close(struct facts *facts);

#endif
