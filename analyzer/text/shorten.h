/* SPDX-License-Identifier: MIT */
/*
 * shorten.h: long names of functions, of C++ and Rust above all, so that the outer name stays and a line holds them.
 *
 * What others say of the arguments goes first: std::allocator and its like, then "<...>" for arguments of arguments,
 * for arguments, at last "(...)" for parameters.  No further than it takes.
 */
#ifndef POOLMEM_TEXT_SHORTEN_H
#define POOLMEM_TEXT_SHORTEN_H

#include <stddef.h>

/* Freed by the caller.  May be longer than that still: a name as such is not cut.  0: as it is. */
char *shorten_function(const char *name, size_t length_max);

#endif
