/* SPDX-License-Identifier: MIT */
/*
 * progress.h: how far a long piece of work has come, on stderr: on a terminal alone, and from half a second on.
 * The line is gone when the work is done.
 */
#ifndef POOLMEM_TEXT_PROGRESS_H
#define POOLMEM_TEXT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what; /* "names of code" */
	uint64_t began_ns, shown_ns;
	uint64_t done, total; /* of the last step */
	bool is_wanted, is_shown;
};

struct progress progress_begin(const char *what);

/* progress NULL: nobody watches. */
void progress_step(struct progress *progress, uint64_t done, uint64_t total);

/* The same bar, and behind it what is being waited for: 34 columns of it.  Often called, it is shown each tenth of a second. */
void progress_note(struct progress *progress, const char *note);
void progress_end(struct progress *progress);

#endif
