/* SPDX-License-Identifier: MIT */
/* study.h: all that is shown of a recording, computed. */
#ifndef POOLMEM_STUDY_STUDY_H
#define POOLMEM_STUDY_STUDY_H

#include "study/classes.h"
#include "study/findings.h"
#include "study/generations.h"
#include "study/metrics.h"
#include "study/notes.h"
#include "study/phases.h"
#include "study/pools.h"

/* Of one process, or of all together. */
struct figures {
	struct metrics metrics;
	struct class_table classes;
	struct pool_table pools;
	struct generations generations;
	struct curve curve;
	struct phases phases; /* of all together: those of the only process that set marks */
	struct notes notes;
	struct findings findings;
};

struct process_study {
	const struct process *process;
	struct figures figures;
	const struct slot **slots; /* those that counted anything, busiest first */
	size_t slot_count;
};

struct study {
	const struct recording *recording;
	struct figures total;
	struct process_study *processes;     /* those the query wants, in order of the recording */
	const struct process_study **ranked; /* the same in the order that the query wants */
	size_t process_count;
	size_t skipped_count; /* those it does not want */
	size_t fork_count, exec_count;
	size_t marked_count; /* processes that set marks */
};

/* The recording must stay until the study goes. */
void study_make(const struct recording *recording, const struct query *query, struct study *ret);

/* false: the query left nothing of what there is. */
bool study_found(const struct study *study, struct failure *why);
void study_free(struct study *study);

const char *process_kind_key(enum process_kind kind);
const char *process_state_key(enum process_state state);
const char *slot_use_key(uint32_t use);

#endif
