/* SPDX-License-Identifier: MIT */
/*
 * collect.h: the segments of a run and the RUN section, into one capture.
 *
 * Finished segments are moved there while the run lasts, once there are more than a few: then many short
 * programs neither fill shared memory nor reach the limit at which the library removes the oldest.
 */
#ifndef POOLMEM_LAUNCH_COLLECT_H
#define POOLMEM_LAUNCH_COLLECT_H

#include "launch/roster.h"
#include "launch/save.h"

struct peak;

struct collect {
	struct roster roster;
	struct save *save;       /* begun with the first segment */
	const char *directory;   /* of the segments, for messages */
	const char *only;        /* pattern of executables, or NULL: all */
	const struct peak *peak; /* what is saved with them */
	size_t saved;            /* segments in the capture */
	size_t left_out;         /* not wanted by `only` */
	size_t moved;            /* of those saved: in the capture alone */
	struct failure stop;     /* why nothing is moved any more; told already */
};

/* Moves some finished segments when there are many.  True when it did: there may be more. */
bool collect_some(struct collect *collect);

/*
 * Saves what is there and names the capture, unless there is no segment that is wanted.  Finished segments
 * are removed once it is safe.  When that fails after some were moved, the capture is named without an
 * END section: *ret_part.
 */
bool collect_rest(struct collect *collect, const char *run_json, bool *ret_part,
		  struct failure *why);

/* Whether processes of that executable are wanted in the capture.  exe: NULL: not known. */
bool collect_wants(const struct collect *collect, const char *exe);

/* Segments of this run that are in the directory. */
size_t collect_staying(const struct collect *collect);

#endif
