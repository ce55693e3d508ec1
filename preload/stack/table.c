/* SPDX-License-Identifier: MIT */
/*
 * table.c: the binary search.
 *
 *   version:1 = 1  encodings of the three that follow:3  address of .eh_frame  rows  { start, record } by start
 */
#include "stack/table.h"

#include "sys/memory.h"

enum { SCAN_RECORDS_MAX = 65536 };

struct pair {
	int32_t start, record; /* distances from the header */
};

struct table {
	const uint8_t *header;
	struct bytes pairs; /* none: unsorted, or of a form that no linker writes */
	uintptr_t frames;   /* .eh_frame */
};

static bool open_table(struct bytes module, const uint8_t *header, struct table *ret)
{
	if (header < module.at || header >= module.end || !memory_is_readable(header) ||
	    !memory_is_readable(header + 16))
		return false;
	struct bytes b = {header, module.end, false};
	if (bytes_byte(&b) != 1)
		return false;
	uint8_t frames = bytes_byte(&b), count = bytes_byte(&b), pairs = bytes_byte(&b);
	*ret = (struct table){.header = header};
	ret->frames = bytes_pointer(&b, frames, (uintptr_t)header);
	if (count == POINTER_OMITTED || pairs != POINTER_DATA_4)
		return !b.is_short;
	uint64_t rows = bytes_pointer(&b, count, (uintptr_t)header);
	ret->pairs = bytes_part(&b, rows * sizeof(struct pair));
	return !b.is_short && (!rows || memory_is_readable(ret->pairs.end - sizeof(struct pair)));
}

static struct pair pair_at(const struct table *table, size_t index)
{
	struct pair pair;
	__builtin_memcpy(&pair, table->pairs.at + index * sizeof pair, sizeof pair);
	return pair;
}

static bool search(struct bytes module, const struct table *table, uintptr_t pc, struct fde *ret)
{
	int64_t target = (int64_t)(pc - (uintptr_t)table->header);
	size_t low = 0, high = bytes_left(&table->pairs) / sizeof(struct pair);
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (pair_at(table, middle).start <= target)
			low = middle + 1;
		else
			high = middle;
	}
	return low && fde_read(module, table->header + pair_at(table, low - 1).record, ret);
}

static bool covers(const struct fde *fde, uintptr_t pc)
{
	return pc >= fde->start && pc < fde->end;
}

static bool scan(struct bytes module, uintptr_t frames, uintptr_t pc, struct fde *ret)
{
	struct bytes left = module;
	struct fde fde;
	const uint8_t *at;
	if (frames < (uintptr_t)module.at || frames >= (uintptr_t)module.end)
		return false;
	left.at = (const uint8_t *)frames;
	for (unsigned i = 0; i < SCAN_RECORDS_MAX && fde_take(&left, &at); i++)
		if (fde_read(module, at, &fde) && covers(&fde, pc)) {
			*ret = fde;
			return true;
		}
	return false;
}

bool table_find(struct bytes module, const uint8_t *header, uintptr_t pc, struct fde *ret)
{
	struct table table;
	struct fde fde;
	if (!open_table(module, header, &table))
		return false;
	if (!bytes_left(&table.pairs))
		return scan(module, table.frames, pc, ret);
	if (!search(module, &table, pc, &fde) || !covers(&fde, pc))
		return false;
	*ret = fde;
	return true;
}
