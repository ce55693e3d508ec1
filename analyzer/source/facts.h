/* SPDX-License-Identifier: MIT */
/*
 * facts.h: the stream of facts of a process, put together from its FACTS chunks, one record at a
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

void facts_open(const struct image *image, uint32_t process, struct facts *ret);
bool facts_next(struct facts *facts, struct fact *ret);
void facts_close(struct facts *facts);

#endif
