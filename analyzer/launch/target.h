/* SPDX-License-Identifier: MIT */
/*
 * target.h: the program to run, before it runs: which file it is, and what poolmem cannot see of it.
 * Follows scripts to their interpreters and `env NAME` to NAME.
 */
#ifndef POOLMEM_LAUNCH_TARGET_H
#define POOLMEM_LAUNCH_TARGET_H

#include "launch/elf.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * BLOCKS: nothing is recorded.  STANDS_ASIDE: the program would not even start with a preload, so it
 * gets none.  PARTLY: something is missing or different.     X(NAME, "json key", WEIGHT, "text")
 * The text follows the name of the file; %s is the detail.
 */
#define TARGET_FINDINGS(X)                                                                          \
	X(STATIC, "static", BLOCKS,                                                                 \
	  "is linked statically%s: no loader runs in it, so nothing can be preloaded")              \
	X(STATIC_GO, "static-go", BLOCKS,                                                           \
	  "is a static Go program%s: it has no loader and never calls malloc")                      \
	X(GO, "go", PARTLY,                                                                         \
	  "is a Go program%s: its own heap is not malloc's, only C parts are seen")                 \
	X(BITS, "32-bit", BLOCKS, "is a 32-bit program%s: libpoolmem.so is 64-bit")                 \
	X(MACHINE, "machine", BLOCKS,                                                               \
	  "is for another processor (%s): libpoolmem.so here is for " ELF_NATIVE_NAME)              \
	X(MUSL, "musl", BLOCKS, "runs under musl's loader (%s): libpoolmem.so needs glibc")         \
	X(LOADER, "loader", BLOCKS, "runs under the loader %s: libpoolmem.so needs glibc's")        \
	X(NO_LOADER, "no-loader", BLOCKS, "needs the loader %s, which is not here")                 \
	X(SETUID, "setuid", BLOCKS,                                                                 \
	  "is set%s: it runs with other rights than yours, and the loader then ignores preloads")   \
	X(CAPABILITIES, "capabilities", BLOCKS,                                                     \
	  "has file capabilities%s: the loader ignores preloads for it")                            \
	X(SANITIZER, "sanitizer", STANDS_ASIDE,                                                     \
	  "brings a sanitizer (%s) that must come first: it runs without poolmem")                  \
	X(OWN_MALLOC, "own-malloc", BLOCKS,                                                         \
	  "defines malloc itself%s: its calls go there and not to poolmem")                         \
	X(ALLOCATOR, "allocator", PARTLY, "is linked with %s: poolmem takes its place in this run") \
	X(DAMAGED, "damaged", PARTLY, "is not a sound ELF file%s")                                  \
	X(UNREADABLE, "unreadable", PARTLY, "cannot be read (%s): not looked into")                 \
	X(TOO_DEEP, "too-deep", PARTLY,                                                             \
	  "is a script of a script of a script%s: not followed further")

enum target_weight { TARGET_PARTLY, TARGET_BLOCKS, TARGET_STANDS_ASIDE };

#define TARGET_NAME_OF_FINDING(name, key, weight, text) TARGET_FINDING_##name,
enum target_finding_kind { TARGET_FINDINGS(TARGET_NAME_OF_FINDING) TARGET_FINDING_COUNT };

enum { TARGET_FINDING_MAX = 16, TARGET_DETAIL_MAX = 256 };

struct target_finding {
	enum target_finding_kind kind;
	char path[PATH_MAX]; /* the file it is about */
	char detail[TARGET_DETAIL_MAX];
};

struct target {
	int error;           /* 0, or why it cannot be run: ENOENT, EACCES, ... */
	char path[PATH_MAX]; /* what will be exec'ed */
	bool is_elf;         /* no script, with or without #! */
	size_t finding_count;
	struct target_finding finding[TARGET_FINDING_MAX];
};

/* Looks at the program that `command` names, through `search_path` (PATH) as execvp does. */
void target_inspect(const char *command, const char *search_path, struct target *ret_target);

/* The weightiest of the findings; TARGET_PARTLY when there are none. */
enum target_weight target_weight(const struct target *target);

const char *target_finding_key(enum target_finding_kind kind);
enum target_weight target_finding_weight(enum target_finding_kind kind);

/* "PATH is linked statically: ..." into a buffer. */
void target_finding_text(const struct target_finding *finding, char *ret_text, size_t text_bytes);

#endif
