/* SPDX-License-Identifier: MIT */
/*
 * aligned.c: the aligned family, with glibc 2.36's ways: memalign and aligned_alloc round an odd
 * alignment up to the next power of two, posix_memalign refuses it.
 */
#include "entry/entry.h"

#include <malloc.h>
#include <stdlib.h>

static const size_t ALIGNMENT_MAX = SIZE_MAX / 2 + 1;

static size_t power_of_two_above(size_t alignment)
{
	size_t power = CLASS_GRAIN;
	while (power < alignment)
		power *= 2;
	return power;
}

EXPORT void *memalign(size_t alignment, size_t size)
{
	if (alignment > ALIGNMENT_MAX)
		return heap_refuse(EINVAL);
	return heap_alloc_aligned(power_of_two_above(alignment), size);
}

EXPORT int posix_memalign(void **result, size_t alignment, size_t size)
{
	if (alignment % sizeof(void *) || !alignment || alignment & (alignment - 1)) {
		heap_count_here(PM_COUNTER_ALLOC_FAILED);
		return EINVAL;
	}
	void *block = heap_alloc_aligned(alignment, size);
	if (!block)
		return ENOMEM;
	*result = block;
	return 0;
}

EXPORT void *valloc(size_t size)
{
	return heap_alloc_aligned(heap_page(), size);
}

EXPORT void *pvalloc(size_t size)
{
	size_t rounded;
	if (__builtin_add_overflow(size, heap_page() - 1, &rounded))
		return heap_refuse(ENOMEM);
	return heap_alloc_aligned(heap_page(), rounded / heap_page() * heap_page());
}

void *aligned_alloc(size_t alignment, size_t size) ALIAS("memalign");
void *__libc_memalign(size_t alignment, size_t size) ALIAS("memalign");
void *__libc_valloc(size_t size) ALIAS("valloc");
void *__libc_pvalloc(size_t size) ALIAS("pvalloc");
