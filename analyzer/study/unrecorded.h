/* SPDX-License-Identifier: MIT */
/*
 * unrecorded.h: programs that a run started and that left no record: static ones, those below `env -i`, with other rights ...
 *
 * launch/programs tells which there were.  A forked child that never allocates has no record and is no program.
 */
#ifndef POOLMEM_STUDY_UNRECORDED_H
#define POOLMEM_STUDY_UNRECORDED_H

#include "model/recording.h"

struct unrecorded_program {
	const char *path; /* of the outside; or a name of 15 letters, without a slash */
	bool has_library; /* it was loaded, and stood aside or found no place to record */
	size_t count;     /* how often it was started */
};

/* What is known of a process that left a record; DEPARTED ones have none. */
struct unrecorded_record {
	uint32_t pid;
	uint64_t began_ns;
	uint64_t pid_namespace; /* inode of that of its pid; 0: not known */
	const char *exe;        /* NULL: not known */
	bool is_fork;
	bool is_taken; /* zero */
};

struct unrecorded {
	struct unrecorded_program *programs; /* each path once, in the order of their start */
	size_t program_count;
	size_t count;           /* of all starts */
	uint64_t dropped_count; /* programs of which nothing is known */
	const char *kernel_error; /* why only those are known that lived while the tree was sampled; NULL: all are */
};

/* Borrows of the recording. */
struct unrecorded_record unrecorded_record(const struct recording *recording,
					   const struct process *process);

/* The file's name alone. */
const char *unrecorded_name(const struct unrecorded_program *program);

/* What `poolmem run` saw, less the records, whose order changes.  `outside` must stay until it is freed. */
void unrecorded_find(const struct outside *outside, struct unrecorded_record *records,
		     size_t record_count, struct unrecorded *ret);

/* The same of a recording, which must stay. */
void unrecorded_of(const struct recording *recording, struct unrecorded *ret);
void unrecorded_free(struct unrecorded *unrecorded);

#endif
