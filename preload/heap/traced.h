/* SPDX-License-Identifier: MIT */
/* traced.h: calls that are traced.  For heap/ alone. */
#ifndef HEAP_TRACED_H
#define HEAP_TRACED_H

#include <poolmem/trace.h>
#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

/* Each serves the call of a thread that is traced, and tells of it.  false: the caller is to serve it, untold. */
bool traced_alloc(enum pm_trace_kind kind, size_t alignment, size_t size, void **ret_block);
bool traced_free(void *block);
bool traced_resize(void *block, size_t size, void **ret_block);

#pragma GCC visibility pop

#endif
