/* SPDX-License-Identifier: MIT */
/*
 * failure.h: why something did not work, handed up to the command that says so and picks the exit
 * code.
 */
#ifndef POOLMEM_TEXT_FAILURE_H
#define POOLMEM_TEXT_FAILURE_H

#include <stdbool.h>

enum failure_kind {
	FAILURE_NONE,
	FAILURE_NOTHING,    /* there is nothing to show */
	FAILURE_USAGE,      /* the command line asks for something impossible */
	FAILURE_UNREADABLE, /* damaged, newer than this program, or refused by the system */
	FAILURE_WRITE,      /* the output could not be written */
	FAILURE_CLOSED,     /* nobody reads the output any more: no message */
};

struct failure {
	enum failure_kind kind;
	char text[400]; /* one line, no full stop; may hold bytes of a file: escape before printing */
};

/* Fills in `why` and returns false, so that `return fail(why, ...)` is the whole way out. */
bool fail(struct failure *why, enum failure_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Says "poolmem: " and the escaped text on stderr, and returns the exit code that goes with it. */
int failure_report(const struct failure *why);

#endif
