/* SPDX-License-Identifier: MIT */
/*
 * settle.h: counts of a running program that agree with each other.
 *
 * Reader half of struct pm_tally.  All frees were read before (pass A).  Each chunk is now read three
 * times: left, limit, left.  When the low byte of `left` and the limit it names are the same in all
 * three, that limit belongs to that `left`; else the chunk is read again, a bounded number of times.
 * A free that pass A saw has its allocation in what is read here, so live counts are never negative.
 */
#ifndef POOLMEM_SOURCE_SETTLE_H
#define POOLMEM_SOURCE_SETTLE_H

#include "source/image.h"

/*
 * Reads chunk `number` again and puts `left` and `limit` into `copy`.  scratch: three chunks.
 * *ret_gone: the area has gone to another process meanwhile.  *ret_unsettled: tallies that never agreed.
 */
bool settle_slot(const struct image_place *place, const struct pm_header *header, uint32_t number,
		 unsigned char *copy, unsigned char *scratch, bool *ret_gone, uint32_t *ret_unsettled,
		 struct failure *why);

#endif
