/* SPDX-License-Identifier: MIT */
/* environment.h: the environment of the program: LD_PRELOAD and POOLMEM extended, the rest as it was. */
#ifndef POOLMEM_LAUNCH_ENVIRONMENT_H
#define POOLMEM_LAUNCH_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when the user's settings tell the library to stand aside: POOLMEM=off. */
bool environment_is_off(void);

/* True when they leave the memory to another allocator: heap=next. */
bool environment_is_next(void);

/* The user's `dir=`, or NULL.  Freed by the caller. */
char *environment_directory(void);

struct environment_plan {
	const char *library;   /* to preload */
	const char *directory; /* of the segments */
	uint64_t run_id;
	uint64_t max_bytes; /* of all segments */
	bool surveys;       /* each process, at its end: frag=exit */
	const char *trace;  /* pattern of its file, absolute, without a comma; NULL: none */
};

/* A number for a run that is not zero and no other's. */
uint64_t environment_run_id(void);

/*
 * What a process is told that is to be the same in each run: `base`, NULL at the end, and the library with these settings alone, behind what `base` preloads,
 * in texts of the same length each time.  Freed as a copy.
 */
char **environment_fixed(const struct environment_plan *plan, char *const *base,
			 const char *settings);

/* A copy of the environment, extended. */
char **environment_make(const struct environment_plan *plan);

/* What the user preloads that serves malloc itself, with colons between; freed by the caller.  "": nothing. */
char *environment_allocators(void);

/*
 * A copy without the user's settings for libpoolmem.so and those allocators.  libraries: to be preloaded before what the user
 * preloads besides; variables: NAME=VALUE, each NULL or set instead of the one of that name.
 */
char **environment_under(const char *libraries, const char *const *variables, size_t variable_count);
void environment_free(char **environment);

#endif
