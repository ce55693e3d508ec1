/* SPDX-License-Identifier: MIT */
/* growth.h: whose live blocks became more between a survey and the end: of a process that was killed, what led there. */
#ifndef POOLMEM_STUDY_GROWTH_H
#define POOLMEM_STUDY_GROWTH_H

#include "model/process.h"

struct growth_row {
	uint32_t frame;        /* index in process->frames->list; 0: the stack is not known */
	int64_t blocks, bytes; /* live: more at the end than then; of a sample, an estimate */
};

struct growth {
	struct growth_row *rows; /* those that grew, most bytes first */
	size_t count;
	int64_t bytes; /* of all rows, those that shrank, too */
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
