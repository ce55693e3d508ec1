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
	bool is_wanted, is_shown;
};

struct progress progress_begin(const char *what);

/* progress NULL: nobody watches. */
void progress_step(struct progress *progress, uint64_t done, uint64_t total);
void progress_end(struct progress *progress);

#endif
