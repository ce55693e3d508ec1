/* SPDX-License-Identifier: MIT */
/*
 * trace.h: the calls of a trace as lines of text: thread, call, block, size.
 *
 *   0 malloc 24 = 5          blocks by number: one that is free is used again, the last one first
 *   1 free 5                 of no block that is known: ?
 */
#ifndef POOLMEM_RENDER_TRACE_H
#define POOLMEM_RENDER_TRACE_H

#include "model/trace.h"
#include "text/sink.h"

bool trace_print(struct trace *trace, struct sink *sink, struct failure *why);

#endif
