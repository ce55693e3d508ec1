/* SPDX-License-Identifier: MIT */
/* entry.h: what the exported functions share. */
#ifndef ENTRY_ENTRY_H
#define ENTRY_ENTRY_H

#include "heap/heap.h"

#include <errno.h>

#define EXPORT __attribute__((visibility("default")))
#define ALIAS(of) __attribute__((visibility("default"), alias(of)))

#ifndef __clang__ /* aliases need none of the attributes that libc's headers give to the originals */
#pragma GCC diagnostic ignored "-Wmissing-attributes"
#endif

#endif
