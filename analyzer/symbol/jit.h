/* SPDX-License-Identifier: MIT */
/*
 * jit.h: names of code made at run time, from the file that the run-time compiler wrote for perf:
 * lines of `START BYTES name`, in hexadecimal.  Of lines for one address the last counts: code moves.
 */
#ifndef POOLMEM_SYMBOL_JIT_H
#define POOLMEM_SYMBOL_JIT_H

#include "symbol/spans.h"

struct jit {
	struct spans spans;
	char *text;
	const char **names; /* into the text */
	size_t count, room;
};

/* False: there is no such file, it is somebody else's, or too large. */
bool jit_read(struct jit *jit, const char *path);

const char *jit_at(const struct jit *jit, uint64_t address);
void jit_free(struct jit *jit);

#endif
