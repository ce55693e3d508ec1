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
	struct bytes b = {header, module.end};
	if (bytes_byte(&b) != 1)
		return false;
	uint8_t frames = bytes_byte(&b), count = bytes_byte(&b), pairs = bytes_byte(&b);
	*ret = (struct table){.header = header};
	ret->frames = bytes_pointer(&b, frames, (uintptr_t)header);
	if (count == POINTER_OMITTED || pairs != POINTER_DATA_4)
		return !bytes_is_spoiled(&b);
	uint64_t rows = bytes_pointer(&b, count, (uintptr_t)header);
	ret->pairs = bytes_part(&b, rows * sizeof(struct pair));
	return !bytes_is_spoiled(&b) &&
	       (!rows || memory_is_readable(ret->pairs.end - sizeof(struct pair)));
}

static struct pair pair_at(const struct table *table, size_t index)
{
	struct pair pair;
	__builtin_memcpy(&pair, table->pairs.at + index * sizeof pair, sizeof pair);
	return pair;
}

static const uint8_t *search(const struct table *table, uintptr_t pc)
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
	return low ? table->header + pair_at(table, low - 1).record : NULL;
}

static const uint8_t *scan(struct bytes module, uintptr_t frames, uintptr_t pc)
{
	struct bytes left = module;
	struct fde fde;
	const uint8_t *at;
	if (frames < (uintptr_t)module.at || frames >= (uintptr_t)module.end)
		return NULL;
	left.at = (const uint8_t *)frames;
	for (unsigned i = 0; i < SCAN_RECORDS_MAX && fde_take(&left, &at); i++)
		if (fde_read(module, at, &fde) && fde_covers(&fde, pc))
			return at;
	return NULL;
}

const uint8_t *table_find(struct bytes module, const uint8_t *header, uintptr_t pc)
{
	struct table table;
	if (!open_table(module, header, &table))
		return NULL;
	return bytes_left(&table.pairs) ? search(&table, pc) : scan(module, table.frames, pc);
}
