/* SPDX-License-Identifier: MIT */
/*
 * script.h: what `poolmem replay` hands to poolmem-replay: a trace made ready, in a file that both know for a moment.
 *
 *   struct script_header | chunk | chunk | ...      chunks at multiples of SCRIPT_CHUNK_BYTES
 *
 * Each thread has a chain of chunks with its steps.  Blocks are named by slots, which are used again.  Where a step needs
 * what another thread did before, a SCRIPT_WAIT stands before it.  Same machine, same build: no version.
 *
 * Step:  a byte, enum script_step; then numbers of 7 bits a byte, lowest first, the last below 128.
 *        MALLOC, CALLOC slot size;  ALIGNED slot size log2;  REALLOC slot size;  FREE slot;
 *        SPAWN thread, offset of its first chunk;  WAIT thread, steps that it must have done;
 *        TIME milliseconds since the beginning, 0;  END
 *        after the numbers of a request of PM_TRACE_LARGE_BYTES or more: uint32_t, pages to touch
 */
#ifndef POOLMEM_REPLAY_SCRIPT_H
#define POOLMEM_REPLAY_SCRIPT_H

#include <stdint.h>

#define SCRIPT_MAGIC UINT64_C(0x7470697263536d50)

/* poolmem-replay MODE SCRIPT: touching memory, at the program's pace or as fast as it goes; or touching none. */
#define SCRIPT_MODE_PACED "paced"
#define SCRIPT_MODE_TOUCH "touch"
#define SCRIPT_MODE_SPEED "speed"

enum { SCRIPT_CHUNK_BYTES = 16384, SCRIPT_STEP_MAX = 48, SCRIPT_RESULT_FD = 3 };

enum script_step {
	SCRIPT_END,
	SCRIPT_MALLOC,
	SCRIPT_CALLOC,
	SCRIPT_ALIGNED,
	SCRIPT_REALLOC,
	SCRIPT_FREE,
	SCRIPT_SPAWN,
	SCRIPT_WAIT,
	SCRIPT_TIME,
};

struct script_header {
	uint64_t magic;
	uint64_t first; /* offset of the first chunk of thread 0 */
	uint64_t slots; /* used at a time, at most */
	uint32_t threads;
	uint32_t at_once; /* threads but the first that lived at a time, in the order of the trace */
	uint32_t page_bytes; /* of pages to touch */
	uint32_t reserved;
};

struct script_chunk {
	uint64_t next; /* offset; 0: the last one of its thread */
	uint32_t used; /* bytes of steps */
	uint32_t reserved;
};

enum { SCRIPT_STEPS_MAX = SCRIPT_CHUNK_BYTES - sizeof(struct script_chunk) };

/* What poolmem-replay writes to SCRIPT_RESULT_FD, at its end. */
struct script_result {
	uint64_t wall_ns;       /* from the first step to the last */
	uint64_t calls_ns;      /* processor time of the steps, all threads */
	uint64_t faults;        /* minor ones in that time */
	uint64_t rss_peak;      /* bytes, less what the replayer itself has: see README.md */
	uint64_t rss_end;       /* likewise, after the last step */
	uint64_t rss_mean;      /* likewise, over time */
	uint64_t steps, failed; /* requests that got no memory */
};

#endif
