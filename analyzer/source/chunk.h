/* SPDX-License-Identifier: MIT */
/*
 * chunk.h: the second half of the verifier: one chunk, copied.  The header has passed.
 *
 * Checked is what was published before the chunk's kind.  Counts and pool records change while the
 * program runs and may stop halfway when it is killed: the model takes them with care instead.
 */
#ifndef POOLMEM_SOURCE_CHUNK_H
#define POOLMEM_SOURCE_CHUNK_H

#include "text/failure.h"

#include <poolmem/format.h>

/* `number`: which chunk it is. */
bool chunk_verify(const struct pm_header *header, uint32_t number, const unsigned char *chunk,
		  struct failure *why);

/* The tally record of a class in a copy of a SLOT chunk. */
struct pm_tally *chunk_tally(const struct pm_header *header, const unsigned char *chunk,
			     uint32_t size_class);

/* Its `recent` and behind it `moving`, which follow as many ages as there are.  NULL: it has none. */
uint64_t *chunk_recent(const struct pm_header *header, struct pm_tally *tally);

/* As if each free that a copy of it counts had been counted where it ends up: `recent` is empty.  The same of a SLOT chunk. */
void chunk_fold_tally(const struct pm_header *header, struct pm_tally *tally);
void chunk_fold_frees(const struct pm_header *header, unsigned char *chunk);

/* Whether a chunk, read again, is still of the process that its copy names. */
bool chunk_same_owner(const unsigned char *copy, const unsigned char *chunk);

/* Whether nothing was counted between the two. */
bool chunk_same_tallies(const struct pm_header *header, const unsigned char *copy,
			const unsigned char *chunk);

/*
 * Of a class: its sums at the last sweep, with how many blocks of each generation the process began, and what it
 * froze.
 */
struct survivors {
	struct pm_survivors at_sweep;
	uint64_t began[3];
	struct pm_frozen frozen;
};

/* What a SURVIVAL chunk says, which was verified. */
struct survivors chunk_survivors(const struct pm_header *header, const unsigned char *chunk,
				 uint32_t size_class);
uint64_t chunk_uncertain(const unsigned char *chunk); /* blocks */

/* Of a MARKS chunk, which was verified: how many marks it holds, and how many were made. */
uint32_t chunk_marks(const unsigned char *chunk, uint32_t *ret_made);

/* Mark `index` of these, copied: known fields of longer records.  Its name ends, whatever the file says. */
struct pm_mark chunk_mark(const unsigned char *chunk, uint32_t index);

/* Of a TIMELINE chunk, which was verified: moments that are in force, and one of them, copied. */
uint32_t chunk_moments(const unsigned char *chunk);
struct pm_moment chunk_moment(const unsigned char *chunk, uint32_t index);

/* Of a FRAMES chunk, which was verified: frames that have a number, and one of them, copied. */
uint32_t chunk_frames(const unsigned char *chunk);
struct pm_frame chunk_frame(const unsigned char *chunk, uint32_t index);

/* Of a SITES chunk, which was verified: rows in use, and one of them, copied. */
uint32_t chunk_sites(const unsigned char *chunk);
struct pm_site chunk_site(const unsigned char *chunk, uint32_t index);

#endif
