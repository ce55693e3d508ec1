/* SPDX-License-Identifier: MIT */
/*
 * frees.h: the frees of a running program, read before its allocations (pass A) and after (pass C).
 *
 * The program goes on between the passes, for as long as the reader is kept off its processor.  What
 * was free at the moment of the allocations lies between the two, and so
 *
 *   allocated - freed in C  <=  live  <=  allocated - freed in A
 *
 * The copy gets the frees of C, as far as no class of a process falls below zero: what is live is then
 * the least.  By how much it can be more is the drift: frees in the copy that A had not seen.
 */
#ifndef POOLMEM_SOURCE_FREES_H
#define POOLMEM_SOURCE_FREES_H

#include "source/image.h"

/* Pass A: takes the frees of slot `number` once more.  scratch: SETTLE_CHUNKS chunks. */
bool frees_before(const struct image_place *place, struct image *image, uint32_t number,
		  unsigned char *scratch, struct failure *why);

/* What pass C found of the slots that had not stood still: worked on when it is over, as time counts. */
struct frees_later {
	unsigned char **chunks; /* by number; NULL: nothing new */
	unsigned char *spare, *scratch;
};

void frees_later_begin(const struct image *image, struct frees_later *ret);

/* Pass C: reads slot `number`.  *ret_gone: the area has gone to another process meanwhile. */
bool frees_after(const struct image_place *place, const struct image *image, uint32_t number,
		 struct frees_later *later, bool *ret_gone, struct failure *why);

/* Puts the frees into the slots, their drift into image->drift, and the peaks of process records. */
void frees_later_end(struct frees_later *later, struct image *image);

/* What all copies together say of live blocks and of drift. */
struct image_amount frees_live(const struct image *image);
struct image_amount frees_drift(const struct image *image);

#endif
