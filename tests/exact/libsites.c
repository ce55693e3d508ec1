/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 */
/* libsites.c: a library that is opened while the program runs, see sites.c. */
#include <stdlib.h>

void *site_library(size_t size);

__attribute__((noinline)) void *site_library(size_t size)
{
	void *block = malloc(size);
	__asm__ volatile("" : "+r"(block));
	return block;
}
