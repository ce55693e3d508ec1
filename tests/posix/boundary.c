/* cflags: -fno-builtin */
/* link: -ldl */
/* SPDX-License-Identifier: MIT */
/* F24: boundary sizes against every entry point. Prints what a caller can observe and nothing that
   may differ between correct allocators, so that two runs can be compared with diff.
   usage: boundary FUNCTION */
#include "posix/boundary.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ERRNO_BEFORE = 1234, EDGE_BYTES = 4096, PAGE_BYTES = 4096 };

static unsigned case_count;

static const char *errno_word(int e)
{
	switch (e) {
	case ERRNO_BEFORE: return "kept";
	case ENOMEM: return "ENOMEM";
	case EINVAL: return "EINVAL";
	case 0: return "0";
	default: return "other";
	}
}

static unsigned char pattern(size_t offset)
{
	return (unsigned char)(offset * 131 + (offset >> 8) + 7);
}

/* The first and last bytes of a block, so that a gigabyte costs two pages. */
static void stamp_edges(unsigned char *p, size_t bytes)
{
	for (size_t i = 0; i < bytes && i < EDGE_BYTES; i++)
		p[i] = pattern(i);
	for (size_t i = 0; i < bytes && i < EDGE_BYTES; i++)
		p[bytes - 1 - i] = pattern(bytes - 1 - i);
}

static int edges_hold(const unsigned char *p, size_t bytes)
{
	for (size_t i = 0; i < bytes && i < EDGE_BYTES; i++)
		if (p[i] != pattern(i) || p[bytes - 1 - i] != pattern(bytes - 1 - i))
			return 0;
	return 1;
}

static int all_zero(const unsigned char *p, size_t bytes)
{
	size_t step = bytes <= 1 << 22 ? 1 : bytes / 1024 | 1; /* what soil() made dirty, wholly */
	for (size_t i = 0; i < bytes; i += step)
		if (p[i])
			return 0;
	return bytes == 0 || p[bytes - 1] == 0;
}

/* One line after the call: result, errno, and for a block alignment, usable size, contents, free. */
static void observe(void *block, size_t bytes, size_t alignment)
{
	int after = errno;
	case_count++;
	if (!block) {
		printf("NULL errno=%s\n", errno_word(after));
		return;
	}
	int aligned = (uintptr_t)block % ALIGN_MIN == 0 && (uintptr_t)block % alignment == 0;
	int usable = malloc_usable_size(block) >= bytes;
	stamp_edges(block, bytes);
	int holds = edges_hold(block, bytes);
	errno = ERRNO_BEFORE;
	free(block);
	printf("block errno=%s aligned=%d usable=%d holds=%d free:errno=%s\n", errno_word(after),
	       aligned, usable, holds, errno_word(errno));
}

static void one_argument(const char *name, void *(*call)(size_t), size_t alignment)
{
	struct list sizes = {.count = 0};
	fill_sizes(&sizes);
	for (unsigned i = 0; i < sizes.count; i++) {
		printf("%s(%#zx) ", name, sizes.v[i]);
		errno = ERRNO_BEFORE;
		observe(call(sizes.v[i]), sizes.v[i], alignment);
	}
}

static size_t page_rounded(size_t bytes)
{
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

static void try_pvalloc(void)
{
	struct list sizes = {.count = 0};
	fill_sizes(&sizes);
	for (unsigned i = 0; i < sizes.count; i++) {
		printf("pvalloc(%#zx) ", sizes.v[i]);
		errno = ERRNO_BEFORE;
		void *p = pvalloc(sizes.v[i]);
		observe(p, p ? page_rounded(sizes.v[i]) : 0, PAGE_BYTES);
	}
}

/* Leaves dirty memory of this size behind, which a careless calloc would hand out. */
static void soil(size_t bytes)
{
	if (bytes > 1 << 22)
		return;
	void *p = malloc(bytes);
	if (p)
		memset(p, 0xa5, malloc_usable_size(p));
	free(p);
}

static void calloc_case(size_t n, size_t size)
{
	size_t bytes;
	int overflow = __builtin_mul_overflow(n, size, &bytes);
	if (!overflow && machine_decides(bytes))
		return;
	printf("calloc(%#zx, %#zx) ", n, size);
	if (!overflow)
		soil(bytes);
	errno = ERRNO_BEFORE;
	unsigned char *p = calloc(n, size);
	int after = errno;
	if (p)
		printf("zero=%d ", all_zero(p, bytes));
	errno = after;
	observe(p, bytes, ALIGN_MIN);
}

static void try_calloc(void)
{
	struct list sizes = {.count = 0}, factors = {.count = 0};
	fill_sizes(&sizes);
	fill_factors(&factors);
	for (unsigned i = 0; i < sizes.count; i++) {
		calloc_case(1, sizes.v[i]);
		calloc_case(sizes.v[i], 1);
	}
	for (unsigned i = 0; i < factors.count; i++)
		for (unsigned k = 0; k < factors.count; k++)
			calloc_case(factors.v[i], factors.v[k]);
}

static void stamp(unsigned char *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		p[i] = pattern(i);
}

static int holds_stamp(const unsigned char *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (p[i] != pattern(i))
			return 0;
	return 1;
}

/* After a resize of a stamped block: what came back, what was copied, what a refusal left behind. */
static void observe_resize(void *was, size_t bytes_was, unsigned char *block, size_t bytes,
			   int freed)
{
	int after = errno;
	if (block) {
		printf("copied=%d ", holds_stamp(block, !was                ? 0
							: bytes_was < bytes ? bytes_was
									    : bytes));
		errno = after;
		observe(block, bytes, ALIGN_MIN);
		return;
	}
	case_count++;
	int kept = !was || freed ||
		   (holds_stamp(was, bytes_was) && malloc_usable_size(was) >= bytes_was);
	printf("NULL errno=%s old=%s\n", errno_word(after),
	       freed  ? "freed"
	       : kept ? "kept"
		      : "LOST");
	if (!freed)
		free(was);
}

static const size_t starts[] = {0, 1, 24, 1000, 5000, 70000, 200000, 3 << 20};

static void *stamped(size_t bytes)
{
	void *p = malloc(bytes);
	if (p)
		stamp(p, bytes);
	return p;
}

static void try_realloc(void)
{
	struct list sizes = {.count = 0};
	fill_sizes(&sizes);
	for (unsigned i = 0; i < sizes.count; i++) {
		printf("realloc(NULL, %#zx) ", sizes.v[i]);
		errno = ERRNO_BEFORE;
		observe_resize(NULL, 0, realloc(NULL, sizes.v[i]), sizes.v[i], 0);
		for (unsigned k = 0; k < sizeof starts / sizeof *starts; k++) {
			void *volatile was = stamped(starts[k]);
			printf("realloc(block of %zu, %#zx) ", starts[k], sizes.v[i]);
			errno = ERRNO_BEFORE;
			void *now = realloc(was, sizes.v[i]);
			observe_resize(was, starts[k], now, sizes.v[i], sizes.v[i] == 0);
		}
	}
}

static void reallocarray_case(size_t start, size_t n, size_t size)
{
	size_t bytes;
	int overflow = __builtin_mul_overflow(n, size, &bytes);
	if (!overflow && machine_decides(bytes))
		return;
	void *volatile was = start == SIZE_MAX ? NULL : stamped(start);
	printf("reallocarray(%zd, %#zx, %#zx) ", (ssize_t)start, n, size);
	errno = ERRNO_BEFORE;
	void *now = reallocarray(was, n, size);
	observe_resize(was, start, now, bytes, was && !overflow && bytes == 0);
}

static void try_reallocarray(void)
{
	struct list factors = {.count = 0};
	fill_factors(&factors);
	for (unsigned i = 0; i < factors.count; i++)
		for (unsigned k = 0; k < factors.count; k++) {
			reallocarray_case(SIZE_MAX, factors.v[i], factors.v[k]);
			reallocarray_case(100, factors.v[i], factors.v[k]);
		}
	for (unsigned i = 0; i < factors.count; i++)
		reallocarray_case(200000, factors.v[i], 8);
}

static void two_arguments(const char *name, void *(*call)(size_t, size_t))
{
	struct list alignments = {.count = 0};
	fill_alignments(&alignments);
	for (unsigned i = 0; i < alignments.count; i++) {
		struct list sizes = {.count = 0};
		fill_aligned_sizes(&sizes, alignments.v[i]);
		for (unsigned k = 0; k < sizes.count; k++) {
			printf("%s(%#zx, %#zx) ", name, alignments.v[i], sizes.v[k]);
			errno = ERRNO_BEFORE;
			observe(call(alignments.v[i], sizes.v[k]), sizes.v[k],
				power_above(alignments.v[i]));
		}
	}
}

static void *call_posix_memalign(size_t alignment, size_t bytes)
{
	void *const untouched = &case_count;
	void *p = untouched;
	int e = posix_memalign(&p, alignment, bytes);
	int after = errno;
	printf("= %s %s ", e == 0 ? "0" : errno_word(e), p == untouched ? "untouched" : "set");
	errno = after;
	return e == 0 ? p : NULL;
}

static void *call_malloc(size_t bytes)
{
	return malloc(bytes);
}

int main(int argc, char **argv)
{
	const char *f = argc > 1 ? argv[1] : "";
	if (!strcmp(f, "malloc"))
		one_argument(f, call_malloc, ALIGN_MIN);
	else if (!strcmp(f, "valloc"))
		one_argument(f, valloc, PAGE_BYTES);
	else if (!strcmp(f, "pvalloc"))
		try_pvalloc();
	else if (!strcmp(f, "calloc"))
		try_calloc();
	else if (!strcmp(f, "realloc"))
		try_realloc();
	else if (!strcmp(f, "reallocarray"))
		try_reallocarray();
	else if (!strcmp(f, "aligned_alloc"))
		two_arguments(f, aligned_alloc);
	else if (!strcmp(f, "memalign"))
		two_arguments(f, memalign);
	else if (!strcmp(f, "posix_memalign"))
		two_arguments(f, call_posix_memalign);
	else
		return 2;
	printf("%u cases\n", case_count);
	return 0;
}
