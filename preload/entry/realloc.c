/* SPDX-License-Identifier: MIT */
/* realloc.c: realloc, reallocarray and malloc_usable_size. */
#include "entry/entry.h"

#include <malloc.h>
#include <stdlib.h>

static bool is_outside(const void *block)
{
	return region_unit_of(block) >= region_units() || !heap_is_ours(block);
}

/* Not a call of realloc(): that would go to whoever stands before us. */
static inline void *resize(void *block, size_t size)
{
	void *(*instead)(void *, size_t) = __atomic_load_n(&host_instead.realloc, __ATOMIC_RELAXED);
	if (!block)
		return heap_alloc(size);
	if (unlikely(instead) && is_outside(block))
		return instead(block, size);
	if (!size) {
		heap_free(block);
		return NULL;
	}
	return size > PTRDIFF_MAX ? heap_refuse(ENOMEM) : heap_resize(block, size);
}

EXPORT void *realloc(void *block, size_t size)
{
	return resize(block, size);
}

EXPORT void *reallocarray(void *block, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		return heap_refuse(ENOMEM);
	return resize(block, bytes);
}

EXPORT size_t malloc_usable_size(void *block)
{
	return heap_usable(block);
}

void *__libc_realloc(void *block, size_t size) ALIAS("realloc");
