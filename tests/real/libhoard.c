/* cflags: -fno-builtin */
/* link: -ldl */
/* SPDX-License-Identifier: MIT */
/* libhoard.c: a malloc that never gives back what is freed, and takes four times as much: the worst by peak. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

void *malloc(size_t size)
{
	static void *(*next)(size_t);
	if (!next)
		next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	size_t bytes = (size + 16) * 4;
	char *block = next(bytes);
	return block ? memset(block, 1, bytes) : NULL;
}

void free(void *block)
{
	(void)block;
}
