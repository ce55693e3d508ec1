/* SPDX-License-Identifier: MIT */
/*
 * table.c: the binary search.
 *
 *   version:1 = 1  encodings of the three that follow:3  address of .eh_frame  rows  { start, record } by start
 */
#include "stack/table.h"

#include "stack/pages.h"

enum { SCAN_RECORDS_MAX = 65536, HEADER_BYTES = 24 };

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
	if (header < module.at || header >= module.end || !pages_can_read(header, HEADER_BYTES))
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
	return !bytes_is_spoiled(&b);
}

static bool read_pair(const struct table *table, size_t index, struct pair *ret)
{
	const uint8_t *at = table->pairs.at + index * sizeof *ret;
	if (!pages_can_read(at, sizeof *ret))
		return false;
	__builtin_memcpy(ret, at, sizeof *ret);
	return true;
}

/* The last pair that does not begin behind pc. */
static const uint8_t *search(const struct table *table, uintptr_t pc)
{
	int64_t target = (int64_t)(pc - (uintptr_t)table->header);
	size_t low = 0, high = bytes_left(&table->pairs) / sizeof(struct pair);
	const uint8_t *record = NULL;
	while (low < high) {
		size_t middle = (low + high) / 2;
		struct pair pair;
		if (!read_pair(table, middle, &pair))
			return NULL;
		if (pair.start <= target) {
			low = middle + 1;
			record = table->header + pair.record;
		} else {
			high = middle;
		}
	}
	return record;
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
