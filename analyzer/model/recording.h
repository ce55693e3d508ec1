/* SPDX-License-Identifier: MIT */
/* recording.h: all that a segment or a capture says, as plain structs. */
#ifndef POOLMEM_MODEL_RECORDING_H
#define POOLMEM_MODEL_RECORDING_H

#include "model/process.h"
#include "source/directory.h"
#include "source/source.h"
#include "symbol/packed.h"

struct recorded_segment {
	struct pm_header header;
	struct layout layout;
	struct pm_process leader; /* zero when its record is not there */
	struct frames frames;
};

struct recording {
	enum source_kind kind;
	char *path; /* of its file; NULL: not known */
	struct recorded_segment **segments;
	struct process *processes; /* by age of segment, then in its order; departed children behind their parent */
	size_t segment_count, process_count;
	struct outside outside;
	struct packed *names; /* of code, from the capture; NULL: it was not packed */
	bool is_cut_short;    /* a capture without an end */
	uint32_t orphans;     /* chunks of no process: caught in the middle of a change */
	uint64_t read_at_ns;  /* CLOCK_MONOTONIC */
	bool shows_surveys; /* of `moment`, where there are such: what was published is not shown then */
	enum moment moment;
};

/* Opens `path`, reads all of it, says what became of each process.  A failure names the path. */
bool recording_read(const char *path, struct recording *ret, struct failure *why);

/* The same of a segment of a directory whose names were read already: many of them take linear time. */
bool recording_read_among(const struct directory *directory, const char *path,
			  struct recording *ret, struct failure *why);

/* The same from an open source; `path` serves to find later segments, may be NULL. */
bool recording_read_source(struct source *source, const char *path, struct recording *ret,
			   struct failure *why);

/* recording: of this process's segment alone. */
typedef void process_visitor(const struct recording *recording, const struct process *process,
			     void *context);

/*
 * Reads a file and keeps nothing of it: `visit` sees each process once, in order of the file, without what
 * became of it.  ret_outside: freed by the caller.
 */
bool recording_pass(const char *path, process_visitor *visit, void *context,
		    struct outside *ret_outside, struct failure *why);

void recording_free(struct recording *recording);

/* Whether there are processes and the note is of each. */
bool recording_has_note(const struct recording *recording, enum pm_note note);

/* The process that has exe and argv of this one: a forked child has them from its ancestor. */
const struct process *facts_of(const struct recording *recording, const struct process *process);

/* The process that forked this one; NULL when there is none in the segment any more. */
const struct process *parent_of(const struct recording *recording, const struct process *process);

#endif
