/* SPDX-License-Identifier: MIT */
/* machine.h: what of this machine poolmem depends on, asked of the machine itself where that is possible. */
#ifndef POOLMEM_LAUNCH_MACHINE_H
#define POOLMEM_LAUNCH_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

enum check_verdict {
	CHECK_GOOD,
	CHECK_NOTE, /* works, but something is less, or worth knowing */
	CHECK_FAIL, /* will not work */
};

enum { CHECK_TEXT_MAX = 512, CHECK_COUNT_MAX = 32 };

struct check {
	const char *name;
	enum check_verdict verdict;
	char text[CHECK_TEXT_MAX];
	const char *advice; /* what to do; NULL: nothing */
};

struct checks {
	size_t count;
	struct check check[CHECK_COUNT_MAX];
};

void checks_add(struct checks *checks, const char *name, enum check_verdict verdict,
		const char *advice, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Kernel, glibc, limits and what stands in the environment. */
void machine_check(struct checks *checks);

#endif
