/* SPDX-License-Identifier: MIT */
/*
 * pages.h: pages of modules that can be read.
 *
 * The kernel is asked once for a page, and again when a module was closed.  What is asked for belongs to a module that libc
 * knows at this moment.
 */
#ifndef STACK_PAGES_H
#define STACK_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

/* All of the bytes; `bytes` is not zero. */
bool pages_can_read(const void *at, size_t bytes);

#pragma GCC visibility pop

#endif
