/* SPDX-License-Identifier: MIT */
/* notes.h: what was not recorded and why, and what else a reader of the figures must know. */
#ifndef POOLMEM_STUDY_NOTES_H
#define POOLMEM_STUDY_NOTES_H

#include "model/recording.h"

#include <stdbool.h>

struct note_unit {
	const char *one, *many;
};

struct note {
	const char *key;              /* stable; for machines */
	const char *text;             /* a sentence without its capital and its full stop */
	uint64_t count;               /* of what the text names; 0: no number */
	const struct note_unit *unit; /* of the count */
	char detail[160];             /* what the text does not say; "" mostly */
	bool lists;                   /* the details of several processes make one list */
	bool is_for_machines;         /* what a text says elsewhere, or not at all */
};

struct notes {
	struct note *notes;
	size_t count, room;
};

/* Of one process. */
void notes_of_process(struct notes *notes, const struct process *process,
		      const struct recording *recording);

/*
 * Of the recording as a whole, then those of its processes, each kind once with its counts summed.
 */
void notes_of_recording(struct notes *notes, const struct recording *recording);

/* What was never freed has what libc and the loader keep in it. */
#define NOTE_LEAK_WHOLE "leak_whole"
void notes_add_leak_whole(struct notes *notes);
void notes_remove(struct notes *notes, const char *key);
void notes_merge(struct notes *notes, const struct notes *process);
void notes_free(struct notes *notes);

#endif
