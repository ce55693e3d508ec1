/* SPDX-License-Identifier: MIT */
/* class.c: the size-class table as data. */
#include "heap/class.h"

_Static_assert((int)CLASS_COUNT <= (int)PM_TALLY_COUNT, "each has a tally record");

void class_describe(struct pm_class classes[CLASS_COUNT])
{
	for (unsigned c = 0; c < CLASS_POOLED; c++)
		classes[c] = (struct pm_class){
			.kind = PM_CLASS_POOL,
			.block_bytes = (uint32_t)class_bytes(c),
			.pool_bytes = class_units(c) * PM_UNIT_BYTES,
			.request_max = c ? (uint32_t)class_bytes(c) : 0,
		};
	classes[CLASS_LARGE] = (struct pm_class){.kind = PM_CLASS_LARGE};
	classes[CLASS_LARGE_BYTES] = (struct pm_class){.kind = PM_CLASS_LARGE_BYTES};
}
