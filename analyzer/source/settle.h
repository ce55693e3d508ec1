/* SPDX-License-Identifier: MIT */
/*
 * settle.h: counts of a running program that agree with each other.
 *
 * Reader half of struct pm_tally.  All frees were read before (pass A, frees.h); now each tally that
 * has changed since is read twice in a row.  Slow call n writes limit[n & 1], then left with n in
 * its low byte.  When the first reading has n and the second n or n + 1, call n + 2, which writes the limit that the first
 * one used, has not ended; when that limit is also the same in both, and the second count no lower,
 * the first reading holds. Else both are read again, a bounded number of times; a tally that never
 * holds still counts as far as its limit, which is too much by one slow call at most. A free that
 * pass A saw has its allocation in what is read here; frees of pass C may be of later allocations.
 */
#ifndef POOLMEM_SOURCE_SETTLE_H
#define POOLMEM_SOURCE_SETTLE_H

#include "source/image.h"

enum { SETTLE_CHUNKS = 2 };

/*
 * Reads chunk `number` again and puts `left` and `limit` into `copy`.  scratch: SETTLE_CHUNKS
 * chunks. *ret_gone: the area has gone to another process meanwhile.  *ret_unsettled: tallies that
 * never agreed.
 */
bool settle_slot(const struct image_place *place, const struct pm_header *header, uint32_t number,
		 unsigned char *copy, unsigned char *scratch, bool *ret_gone,
		 uint32_t *ret_unsettled, struct failure *why);

/*
 * A SLOT chunk that was just read into `chunk`: reads on until its frees agree, as struct pm_tally says, and folds them.  Those of a class
 * that never holds still are too few by what was on its way.  scratch: a chunk.
 */
bool settle_frees(const struct image_place *place, const struct pm_header *header, uint32_t number,
		  unsigned char *chunk, unsigned char *scratch, struct failure *why);

/*
 * A chunk that was just read into `copy`: a TIMELINE is read again until its writer has changed nothing meanwhile; one
 * that does not hold still is left without moments.  Others stay as they are.
 */
bool settle_timeline(const struct image_place *place, const struct pm_header *header,
		     uint32_t number, unsigned char *copy, struct failure *why);

#endif
