/* link: -ldl */
/* cflags: -O2 -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * librealloc.c: in front of heaptrack, whose record has a free and an allocation for a realloc.  A frame of this library on a
 * stack says that it was one.  A realloc that allocates is a jump to malloc, and leaves no frame.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <stdlib.h>

typedef void *resize(void *, size_t);

void *realloc(void *block, size_t size)
{
	static resize *next;
	if (!block)
		return malloc(size);
	if (!next)
		next = (resize *)dlsym(RTLD_NEXT, "realloc");
	void *result = next(block, size);
	__asm__ volatile(""); /* a call that is not the last thing done keeps its frame */
	return result;
}
