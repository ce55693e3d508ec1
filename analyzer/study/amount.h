/* SPDX-License-Identifier: MIT */
/* amount.h: so many blocks, and their usable bytes. */
#ifndef POOLMEM_STUDY_AMOUNT_H
#define POOLMEM_STUDY_AMOUNT_H

#include "model/saturate.h"

#include <poolmem/format.h>

struct amount {
	uint64_t blocks, bytes;
};

/* Adds so much of what a class counts: blocks, or bytes of large ones. */
static inline void amount_add(struct amount *to, const struct pm_class *size_class, uint64_t count)
{
	bool counts_bytes = size_class->kind == PM_CLASS_LARGE_BYTES;

	to->bytes = sum(to->bytes, product(count, counts_bytes ? 1 : size_class->block_bytes));
	if (!counts_bytes)
		to->blocks = sum(to->blocks, count);
}

#endif
