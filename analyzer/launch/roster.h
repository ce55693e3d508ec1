/* SPDX-License-Identifier: MIT */
/*
 * roster.h: which segments in the user's directory are of this run, and which of these are finished.
 *
 * A look costs little where nothing happens: the directory is read when it has changed, a file is opened
 * to see whose it is, and once more in each look while its programs run.
 */
#ifndef POOLMEM_LAUNCH_ROSTER_H
#define POOLMEM_LAUNCH_ROSTER_H

#include "source/directory.h"

#include <time.h>

enum roster_state {
	ROSTER_NEW,      /* not known yet whose: its header is not written */
	ROSTER_FOREIGN,  /* not of this run */
	ROSTER_RUNNING,  /* of this run, and as far as is known in use */
	ROSTER_FINISHED, /* the kernel granted a read lease: nobody writes to it any more */
	ROSTER_SPOILT,   /* finished, and could not be read: left to the end */
	ROSTER_SAVED,    /* finished, and in the capture or not wanted there */
	ROSTER_REMOVED,  /* saved, and its file is gone */
};

struct roster_entry {
	struct segment_name name;
	enum roster_state state;
	uint64_t allocated_bytes; /* of a finished one */
};

struct roster {
	int directory_fd; /* borrowed */
	uint64_t run_id;
	struct timespec changed;      /* the directory, when it was read */
	struct roster_entry *entries; /* newest first */
	size_t count;
	size_t finished_count; /* in state FINISHED */
	uint64_t finished_bytes;
	uint64_t lost_count; /* of this run and taken away by others before they were saved */
};

void roster_open(int directory_fd, uint64_t run_id, struct roster *ret);
void roster_close(struct roster *roster);

/* anew: reads the directory again whatever its time of change says. */
void roster_look(struct roster *roster, bool anew);

/* Removes the file of a saved one. */
void roster_remove(const struct roster *roster, struct roster_entry *entry);

#endif
