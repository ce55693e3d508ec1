/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* libaborts.c: a malloc under which nothing runs. */
#include <stdlib.h>

void *malloc(size_t size)
{
	(void)size;
	abort();
}
