/* SPDX-License-Identifier: MIT */
/* collect.h: the segments of a run and the RUN section, into one capture. */
#ifndef POOLMEM_LAUNCH_COLLECT_H
#define POOLMEM_LAUNCH_COLLECT_H

#include "launch/rundir.h"
#include "launch/save.h"

struct collect {
	const struct rundir *rundir;
	const char *only; /* pattern of executables, or NULL: all */
	size_t saved;     /* segments in the capture */
	size_t left_out;  /* not wanted by `only` */
	size_t damaged;   /* could not be read: said on stderr, and kept */
};

/*
 * Writes a capture of the segments there, unless there are none that are wanted.  Segments whose
 * programs have ended are removed once the capture is safe.
 */
bool collect_save(struct collect *collect, struct save *save, const char *run_json,
		  struct failure *why);

#endif
