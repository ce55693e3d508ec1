/* SPDX-License-Identifier: MIT */
/* spans.c: see spans.h. */
#include "symbol/spans.h"

#include "text/allocate.h"
#include "text/partition.h"

#include <stdlib.h>

/* So many ranges that begin before an address and end before it are looked over for one around them. */
enum { BACK_MAX = 1000 };

void spans_add(struct spans *spans, uint64_t first, uint64_t last, uint32_t item)
{
	if (first >= last || spans->count >= UINT32_MAX)
		return;
	spans->list = allocate_more(spans->list, spans->count, &spans->room, sizeof *spans->list);
	spans->list[spans->count] = (struct span){first, last, last, (uint32_t)spans->count, item};
	spans->count++;
}

static int by_first(const void *left, const void *right)
{
	const struct span *a = left, *b = right;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

void spans_sort(struct spans *spans)
{
	if (!spans->count)
		return;
	qsort(spans->list, spans->count, sizeof *spans->list, by_first);
	for (size_t i = 1; i < spans->count; i++)
		if (spans->list[i].reach < spans->list[i - 1].reach)
			spans->list[i].reach = spans->list[i - 1].reach;
}

/* How many begin at the address or before. */
static size_t begun_at(const struct spans *spans, uint64_t address)
{
	return PARTITION_POINT(0, spans->count, i, spans->list[i].first <= address);
}

/* is_newest: looks on behind the first that covers. */
static const struct span *covering(const struct spans *spans, uint64_t address, bool is_newest)
{
	size_t at = begun_at(spans, address);
	const struct span *found = NULL;

	for (size_t i = 0; i < BACK_MAX && at && spans->list[at - 1].reach > address; i++, at--) {
		const struct span *span = &spans->list[at - 1];
		if (span->last > address && (!found || span->order > found->order))
			found = span;
		if (found && !is_newest)
			break;
	}
	return found;
}

bool spans_at(const struct spans *spans, uint64_t address, uint32_t *ret_item)
{
	const struct span *span = covering(spans, address, false);

	if (span)
		*ret_item = span->item;
	return span;
}

bool spans_newest_at(const struct spans *spans, uint64_t address, uint32_t *ret_item)
{
	const struct span *span = covering(spans, address, true);

	if (span)
		*ret_item = span->item;
	return span;
}

void spans_free(struct spans *spans)
{
	free(spans->list);
	*spans = (struct spans){0};
}
