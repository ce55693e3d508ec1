/* SPDX-License-Identifier: MIT */
/* inspect_sane.c: whether what a file says of a process's memory fits our buffers.  See inspected.h. */
#include "launch/inspected.h"

enum {
	PLACES_MAX = 1 << 27, /* of recorded blocks, in all tables */
	SITES_BYTES_MAX = 1 << 26,
	OWN_MAX = 4096,
};

bool inside_knows_owners(const uint64_t *in)
{
	return in[PM_INSIDE_HEAP_SHIFT_OF];
}

bool inside_is_sane(const uint64_t *in, uint32_t arena_units)
{
	static const enum pm_inside lengths[] = {PM_INSIDE_ARENA_BYTES, PM_INSIDE_POOL_BYTES,
						 PM_INSIDE_OWN_BYTES, PM_INSIDE_RECORDED_BYTES};
	static const struct {
		enum pm_inside offset, length;
	} inside[] = {
		{PM_INSIDE_ARENA_FREE_OF, PM_INSIDE_ARENA_BYTES},
		{PM_INSIDE_ARENA_MAPPED_OF, PM_INSIDE_ARENA_BYTES},
		{PM_INSIDE_ARENA_KIND_OF, PM_INSIDE_ARENA_BYTES},
		{PM_INSIDE_ARENA_HUGE_BYTES_OF, PM_INSIDE_ARENA_BYTES},
		{PM_INSIDE_ARENA_RECORDS_OF, PM_INSIDE_ARENA_BYTES},
		{PM_INSIDE_POOL_START_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_CAPACITY_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_THREADED_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_BLOCK_BYTES_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_UNITS_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_FIRST_UNIT_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_CLASS_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_STATE_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_RECORDED_REQUESTED_OF, PM_INSIDE_RECORDED_BYTES},
		{PM_INSIDE_RECORDED_ROW_OF, PM_INSIDE_RECORDED_BYTES},
		{PM_INSIDE_RECORDED_STAMP_OF, PM_INSIDE_RECORDED_BYTES},
		{PM_INSIDE_RECORDED_FROZEN_OF, PM_INSIDE_RECORDED_BYTES},
		{PM_INSIDE_BESIDE_REQUESTED_OF, PM_INSIDE_BESIDE_BYTES},
		{PM_INSIDE_BESIDE_STAMP_OF, PM_INSIDE_BESIDE_BYTES},
		{PM_INSIDE_SITE_FRAME_OF, PM_INSIDE_SITE_BYTES},
		{PM_INSIDE_POOL_OWNER_OF, PM_INSIDE_POOL_BYTES},
	};

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		if (in[lengths[i]] < 24 || in[lengths[i]] > RECORD_MAX)
			return false;
	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
		if (in[inside[i].offset] >= in[inside[i].length])
			return false;
	uint64_t places = 0, site_bytes = in[PM_INSIDE_SITE_BYTES] + 8;
	if (in[PM_INSIDE_TABLES] > 16 || in[PM_INSIDE_TABLE_SHIFT] > 4 ||
	    in[PM_INSIDE_TABLE_PLACES] > 1 << 20)
		return false;
	for (uint64_t t = 0; t < in[PM_INSIDE_TABLES] && t * in[PM_INSIDE_TABLE_SHIFT] <= 32; t++)
		places += in[PM_INSIDE_TABLE_PLACES] << t * in[PM_INSIDE_TABLE_SHIFT];
	if (places > PLACES_MAX)
		return false;
	return in[PM_INSIDE_ARENA_BYTES] >= 8ULL * arena_units &&
	       in[PM_INSIDE_ARENA_RECORD_AT_OF] <= in[PM_INSIDE_ARENA_BYTES] - 2ULL * arena_units &&
	       in[PM_INSIDE_ARENA_BESIDE_OF] <= in[PM_INSIDE_ARENA_BYTES] - 8ULL * arena_units &&
	       in[PM_INSIDE_ARENA_BLOCK] && in[PM_INSIDE_ARENA_BLOCK] <= ARENAS_MAX &&
	       in[PM_INSIDE_BESIDE_BYTES] <= RECORD_MAX && in[PM_INSIDE_BESIDE_ROW_BITS] < 32 &&
	       in[PM_INSIDE_SITES] && in[PM_INSIDE_SITES] <= 1 << 20 && in[PM_INSIDE_SITE_BLOCK] &&
	       in[PM_INSIDE_SITE_BLOCK] <= in[PM_INSIDE_SITES] &&
	       in[PM_INSIDE_SITE_BYTES] <= RECORD_MAX &&
	       in[PM_INSIDE_SITES] * site_bytes <= SITES_BYTES_MAX &&
	       in[PM_INSIDE_TABLE_PLACES] >= 512 && in[PM_INSIDE_TABLE_PLACES] % 512 == 0 &&
	       in[PM_INSIDE_OWN_MAX] <= OWN_MAX && in[PM_INSIDE_RECORDS_BYTES] <= 1 << 24;
}
