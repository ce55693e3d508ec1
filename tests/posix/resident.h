/* SPDX-License-Identifier: MIT */
/* resident.h: what a program that runs sees of its own memory. */
#ifndef TESTS_RESIDENT_H
#define TESTS_RESIDENT_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Bytes of the resident set. */
static inline long resident(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		abort();
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

#endif
