/* SPDX-License-Identifier: MIT */
/* pages.c: see pages.h. */
#include "stack/pages.h"

#include "stack/steps.h"
#include "sys/memory.h"

enum { SEEN = 1024, GENERATION_BITS = 16 };

/* Number of the page, and when it was asked for; 0: none.  Atomic: who is slower than another asks once more. */
static uint64_t seen[SEEN];

static bool is_page_readable(uint64_t page)
{
	uint64_t *place = &seen[page % SEEN], mark = page << GENERATION_BITS | steps_now();
	if (__atomic_load_n(place, __ATOMIC_RELAXED) == mark)
		return true;
	if (!memory_is_readable((const void *)(page * MEMORY_PAGE)))
		return false;
	__atomic_store_n(place, mark, __ATOMIC_RELAXED);
	return true;
}

bool pages_can_read(const void *at, size_t bytes)
{
	uint64_t page = (uintptr_t)at / MEMORY_PAGE,
		 last = ((uintptr_t)at + bytes - 1) / MEMORY_PAGE;
	while (page < last && is_page_readable(page))
		page++;
	return page == last && is_page_readable(page);
}
