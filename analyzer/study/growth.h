/* SPDX-License-Identifier: MIT */
/* growth.h: whose live blocks became more between a survey and the end: of a process that was killed, what led there. */
#ifndef POOLMEM_STUDY_GROWTH_H
#define POOLMEM_STUDY_GROWTH_H

#include "model/process.h"

struct growth_row {
	uint32_t frame;        /* index in process->frames->list; 0: the stack is not known */
	int64_t blocks, bytes; /* live: more at the end than then; of a sample, an estimate */
	/*
	 * Bytes that the truth is off by at most, in 95 of 100 cases, if what was live then stayed; 0: a count.  Nothing that is
	 * more than all blocks of those sizes that live is taken for possible.
	 */
	int64_t bytes_off;
};

struct growth {
	struct growth_row *rows; /* those that grew, most bytes first */
	size_t count;
	int64_t bytes;      /* of all rows, those that shrank, too */
	size_t less_count;  /* rows that shrank, */
	int64_t less_bytes; /* by so much together: not above 0 */
	bool is_estimated;
};

/* Since `survey`, which says what was live by call site; else nothing. */
void growth_make(const struct process *process, const struct survey *survey, struct growth *ret);

/*
 * In the last epochs, of any process whose rows were noted as epochs began: since the earlier of the two that are.  Returns
 * when that epoch began; 0: nothing is known.
 */
uint64_t growth_of_epochs(const struct process *process, struct growth *ret);
void growth_free(struct growth *growth);

#endif
