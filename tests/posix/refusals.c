/* SPDX-License-Identifier: MIT */
/* refusals.c: what calls of malloc's family answer that cannot be served, and what they leave in errno.  A line each. */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BEFORE = 77 };

static volatile size_t half = SIZE_MAX / 2, most = SIZE_MAX, many = (size_t)1 << 60,
		       huge = PTRDIFF_MAX - 4096;
static char nothing;

static void say(const char *call, const void *block, int code)
{
	printf("%s: %s, code %d, errno %d\n", call, block ? "a block" : "none", code, errno);
}

#define TRY(call)                                                                                  \
	do {                                                                                       \
		errno = BEFORE;                                                                    \
		void *block_ = (call);                                                             \
		say(#call, block_, 0);                                                             \
	} while (0)

#define TRY_CODE(call)                                                                             \
	do {                                                                                       \
		void *at = &nothing;                                                               \
		errno = BEFORE;                                                                    \
		int code_ = (call);                                                                \
		say(#call, at == &nothing ? NULL : at, code_);                                     \
	} while (0)

static void refuse_all(void *kept)
{
	TRY(malloc(half));
	TRY(malloc(most));
	TRY(malloc(many));
	TRY(malloc(huge));
	TRY(calloc(1, half));
	TRY(calloc(half, 4));
	TRY(calloc(many, 1));
	TRY(calloc(most, most));
	TRY(realloc(kept, half));
	TRY(realloc(kept, many));
	TRY(realloc(NULL, half));
	TRY(reallocarray(kept, half, 4));
	TRY(reallocarray(kept, many, 1));
	TRY(reallocarray(NULL, many, 2));
	TRY(memalign(64, half));
	TRY(memalign(64, many));
	TRY(memalign(most, 1));
	TRY(memalign(many, many));
	TRY(aligned_alloc(4096, half));
	TRY(aligned_alloc(64, most));
	TRY(valloc(half));
	TRY(valloc(most));
	TRY(pvalloc(most));
	TRY(pvalloc(many));
	TRY_CODE(posix_memalign(&at, 64, half));
	TRY_CODE(posix_memalign(&at, 64, many));
	TRY_CODE(posix_memalign(&at, 3, 1));
	TRY_CODE(posix_memalign(&at, 24, 1));
}

int main(void)
{
	char *small = malloc(100), *large = malloc(1000000);
	small[0] = large[0] = 'k';
	refuse_all(small);
	refuse_all(large);
	TRY(malloc(100));
	TRY(realloc(small, 200));
	return large[0] != 'k';
}
