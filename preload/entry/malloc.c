/* SPDX-License-Identifier: MIT */
/* malloc.c: malloc, calloc, free and the names glibc has for them. */
#include "entry/entry.h"

EXPORT void *malloc(size_t size)
{
	return heap_alloc(size);
}

EXPORT void free(void *block)
{
	heap_free(block);
}

EXPORT void *calloc(size_t count, size_t size)
{
	size_t bytes;
	if (unlikely(__builtin_mul_overflow(count, size, &bytes)))
		return heap_refuse(ENOMEM);
	return heap_alloc_zeroed(bytes);
}

/* C23: the sizes are hints that we do not need. */
EXPORT void free_sized(void *block, size_t size);
EXPORT void free_sized(void *block, size_t size)
{
	(void)size;
	heap_free(block);
}

EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size);
EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size)
{
	(void)alignment;
	(void)size;
	heap_free(block);
}

void cfree(void *block) ALIAS("free");
void *__libc_malloc(size_t size) ALIAS("malloc");
void *__libc_calloc(size_t count, size_t size) ALIAS("calloc");
void __libc_free(void *block) ALIAS("free");
