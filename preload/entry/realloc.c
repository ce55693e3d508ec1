/* SPDX-License-Identifier: MIT */
/* realloc.c: realloc, reallocarray and malloc_usable_size. */
#include "entry/entry.h"

#include <malloc.h>
#include <stdlib.h>

/* Not a call of realloc(): that would go to whoever stands before us. */
static void *resize(void *block, size_t size)
{
	if (unlikely(host_off) && !heap_is_ours(block))
		return heap_resize(block, size);
	if (!block)
		return heap_alloc(size);
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
