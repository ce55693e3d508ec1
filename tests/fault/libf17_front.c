/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* F17: an allocator of its own in front of ours: a stack of bytes, never given back. */
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 64 << 20 };

static _Alignas(64) char room[ROOM];
static atomic_size_t used;

static void *take(size_t alignment, size_t bytes)
{
	size_t whole = bytes + alignment + 16, at;
	if (bytes > ROOM || (at = atomic_fetch_add(&used, whole)) + whole > ROOM) {
		errno = ENOMEM;
		return NULL;
	}
	uintptr_t start = ((uintptr_t)room + at + 16 + alignment - 1) / alignment * alignment;
	((size_t *)start)[-1] = bytes;
	return (void *)start;
}

void *malloc(size_t bytes)
{
	return take(16, bytes);
}

void free(void *block)
{
	(void)block;
}

void *calloc(size_t count, size_t bytes)
{
	return take(16, count * bytes);
}

void *realloc(void *block, size_t bytes)
{
	void *moved = take(16, bytes);
	size_t old = block ? ((size_t *)block)[-1] : 0;
	return moved && block ? memcpy(moved, block, old < bytes ? old : bytes) : moved;
}

void *memalign(size_t alignment, size_t bytes);
void *memalign(size_t alignment, size_t bytes)
{
	return take(alignment < 16 ? 16 : alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	return memalign(alignment, bytes);
}

int posix_memalign(void **result, size_t alignment, size_t bytes)
{
	*result = memalign(alignment, bytes);
	return *result ? 0 : ENOMEM;
}
