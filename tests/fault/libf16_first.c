/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-builtin -fomit-frame-pointer */
/* libf16_first.c: is closed, and another comes to its place; see f16_reopen.c */
#include <stdlib.h>

void *entry(size_t size);

/* The call lies at the same distance from the library's start in both, and leaves frames of another size. */
__attribute__((noinline, aligned(4096))) static void *site_first(size_t size)
{
	char room[256];
	__asm__ volatile("" : : "r"(room) : "memory");
	char *block = malloc(size);
	__asm__ volatile("" : "+r"(block) : "r"(room) : "memory");
	return block;
}

void *entry(size_t size)
{
	char *block = site_first(size);
	__asm__ volatile("" : "+r"(block));
	return block;
}
