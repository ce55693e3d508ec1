/* SPDX-License-Identifier: MIT */
/* partition.h: binary search, in what is in order. */
#ifndef POOLMEM_TEXT_PARTITION_H
#define POOLMEM_TEXT_PARTITION_H

#include <stddef.h>

/*
 * The first index from `first` on of which `is_before`, an expression of `index`, does not hold; `end`: there is none.  It holds
 * of none behind that.
 */
#define PARTITION_POINT(first, end, index, is_before)                                              \
	({                                                                                         \
		size_t partition_low = (first), partition_high = (end);                            \
		while (partition_low < partition_high) {                                           \
			size_t index = partition_low + (partition_high - partition_low) / 2;       \
			if (is_before)                                                             \
				partition_low = index + 1;                                         \
			else                                                                       \
				partition_high = index;                                            \
		}                                                                                  \
		partition_low;                                                                     \
	})

#endif
