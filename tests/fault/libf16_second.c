/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-builtin -fomit-frame-pointer */
/* libf16_second.c: comes to the place of the first; see f16_reopen.c */
#include <stdlib.h>

void *entry(size_t size);

/* The call lies at the same distance from the library's start in both, and leaves frames of another size. */
__attribute__((noinline, aligned(4096))) static void *site_second(size_t size)
{
	char room[1024];
	__asm__ volatile("" : : "r"(room) : "memory");
	char *block = malloc(size);
	__asm__ volatile("" : "+r"(block) : "r"(room) : "memory");
	return block;
}

void *entry(size_t size)
{
	char *block = site_second(size);
	__asm__ volatile("" : "+r"(block));
	return block;
}
