/* SPDX-License-Identifier: MIT */
/* cflags: -rdynamic */
/* ownmalloc.c: a program that brings a malloc of its own, and exports it. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static _Alignas(16) char memory[1 << 20];
static size_t used;

void *malloc(size_t size)
{
	void *block = memory + used;
	used += (size + 15) & ~(size_t)15;
	return used <= sizeof memory ? block : NULL;
}

void free(void *block)
{
	(void)block;
}

void *calloc(size_t count, size_t size)
{
	return malloc(count * size); /* memory is zero and never used twice */
}

void *realloc(void *block, size_t size)
{
	void *grown = malloc(size);
	if (grown && block)
		memmove(grown, block, size);
	return grown;
}

int main(void)
{
	puts("own");
	return 0;
}
