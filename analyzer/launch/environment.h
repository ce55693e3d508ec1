/* SPDX-License-Identifier: MIT */
/* environment.h: the environment of the program: LD_PRELOAD and POOLMEM extended, the rest as it was. */
#ifndef POOLMEM_LAUNCH_ENVIRONMENT_H
#define POOLMEM_LAUNCH_ENVIRONMENT_H

#include <stdbool.h>
#include <stdint.h>

/* True when the user's settings tell the library to stand aside: POOLMEM=off. */
bool environment_is_off(void);

/* The user's `dir=`, or NULL.  Freed by the caller. */
char *environment_directory(void);

/* A copy of the environment in which `library` is preloaded and writes to `directory`. */
char **environment_make(const char *library, const char *directory, uint64_t run_id);
void environment_free(char **environment);

#endif
