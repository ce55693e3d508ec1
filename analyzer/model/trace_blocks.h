/* SPDX-License-Identifier: MIT */
/* trace_blocks.h: the blocks that live at a moment of a trace, by address.  Memory: for as many as live at a time. */
#ifndef POOLMEM_MODEL_TRACE_BLOCKS_H
#define POOLMEM_MODEL_TRACE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

struct traced_block {
	uint64_t address; /* in grains; 0: no block */
	uint64_t size;
	uint64_t slot;
	uint64_t noted;     /* of the caller: where its last request stands */
	uint64_t last_step; /* of the caller: by whom and when it was last dealt with */
	uint32_t last_thread;
};

struct trace_blocks {
	struct traced_block *place; /* a power of two of them */
	size_t places, count;
};

void trace_blocks_free(struct trace_blocks *blocks);

/* NULL: none lives there.  Valid until the next put or take. */
struct traced_block *trace_blocks_find(struct trace_blocks *blocks, uint64_t address);

/* None lives at its address. */
struct traced_block *trace_blocks_put(struct trace_blocks *blocks, const struct traced_block *block);
void trace_blocks_take(struct trace_blocks *blocks, struct traced_block *block);

#endif
