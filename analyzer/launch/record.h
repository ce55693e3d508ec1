/* SPDX-License-Identifier: MIT */
/* record.h: one run from start to capture: the steps of `poolmem run`, in order. */
#ifndef POOLMEM_LAUNCH_RECORD_H
#define POOLMEM_LAUNCH_RECORD_H

#include "launch/target.h"
#include "launch/watch.h"
#include "text/failure.h"

#include <limits.h>

enum { RECORD_FAILED = 125, RECORD_NOT_EXECUTABLE = 126, RECORD_NOT_FOUND = 127 };

/* A run that is to be like any other of the same program. */
struct record_trial {
	char *const *environment; /* of the program, NULL at the end, without the library's */
	const char *settings;     /* of the library */
	const int *streams;       /* 0, 1 and 2 of the program */
	uint64_t timeout_ns;      /* then it and all below it are killed; 0: never */
};

struct record_request {
	char *const *argv; /* the program and its arguments, NULL at the end */
	const struct target *target;
	const char *library; /* NULL: run without it */
	const char *pattern; /* of the capture's name, checked */
	const char *only;    /* pattern of executables to keep, or NULL */
	bool overwrite;
	uint64_t interval_ns;
	bool surveys;                     /* the largest process at the peak, each at its end */
	const char *trace;                /* see environment.h */
	const struct record_trial *trial; /* NULL: none.  `last` stays what it was */
};

struct record {
	int exit_code;          /* for `poolmem run` to leave with */
	bool started;           /* false: the program never ran */
	char capture[PATH_MAX]; /* absolute; empty: none was written; else after a failure: a part */
	char directory[PATH_MAX]; /* of the segments */
	uint64_t run_id;
	size_t segments; /* in the capture */
	size_t left_out; /* not wanted by `only` */
	size_t staying;  /* segments of this run in `directory` */
	size_t outlived; /* processes that ran on when the first had ended; of a trial they were killed */
	bool draws_addresses; /* of a trial: the kernel would not fix them */
	bool told;            /* why it failed was said when it happened */
	struct watch *watch;  /* freed by record_free */
};

/* False when poolmem itself failed; ret is filled in and to be freed all the same. */
bool record_run(const struct record_request *request, struct record *ret, struct failure *why);

void record_free(struct record *record);

#endif
