/* SPDX-License-Identifier: MIT */
/* stack_pages.c: pages are asked for once, and again when a module was closed. */
#include "stack/pages.h"
#include "stack/walk.h"
#include "sys/memory.h"

#include <criterion/criterion.h>
#include <sys/mman.h>

enum { PAGES = 3 };

static char *map_pages(void)
{
	char *start = mmap(NULL, PAGES * MEMORY_PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert(start != MAP_FAILED);
	return start;
}

Test(pages, a_page_that_is_gone_is_noticed_when_a_module_was_closed)
{
	char *start = map_pages();
	cr_expect(pages_can_read(start, 8));
	munmap(start, MEMORY_PAGE);
	cr_expect(pages_can_read(start, 8), "the kernel is not asked again");
	steps_forget();
	cr_expect(!pages_can_read(start, 8));
}

Test(pages, all_of_the_bytes)
{
	char *start = map_pages();
	munmap(start + MEMORY_PAGE, MEMORY_PAGE);
	cr_expect(pages_can_read(start + MEMORY_PAGE - 8, 8));
	cr_expect(!pages_can_read(start + MEMORY_PAGE - 8, 9));
	cr_expect(!pages_can_read(start + MEMORY_PAGE, 1));
	cr_expect(!pages_can_read(start, PAGES * MEMORY_PAGE));
	cr_expect(pages_can_read(start + 2 * MEMORY_PAGE, MEMORY_PAGE));
	cr_expect(!pages_can_read(NULL, 1));
}

/* Pages of many modules share the places there are. */
Test(pages, many)
{
	enum { MANY = 5000 };
	char *start = mmap(NULL, (size_t)MANY * MEMORY_PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	cr_assert(start != MAP_FAILED);
	munmap(start + (size_t)(MANY - 1) * MEMORY_PAGE, MEMORY_PAGE);
	for (size_t i = 0; i < MANY; i++)
		cr_assert_eq(pages_can_read(start + i * MEMORY_PAGE, 1), i < MANY - 1);
}
