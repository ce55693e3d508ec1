/* SPDX-License-Identifier: MIT */
/* settings.h: what of a POOLMEM value the library will not take, by the list PM_SETTINGS. */
#ifndef POOLMEM_LAUNCH_SETTINGS_H
#define POOLMEM_LAUNCH_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A key=value that will be ignored. */
struct settings_fault {
	const char *key;    /* of the list; NULL: there is none such */
	char text[320];     /* what is wrong; may hold bytes of the environment */
	const char *advice; /* what to write instead */
};

/* The faults of `text`, "key=value,key=value", in its order; returns how many, fills in `room` at most. */
size_t settings_faults(const char *text, struct settings_fault *ret, size_t room);

/* "512K" */
bool settings_bytes(const char *text, uint64_t *ret);

/* There is a setting of that name. */
bool settings_have(const char *key, size_t bytes);

/*
 * Takes out of POOLMEM in our own environment what the library does not take, so that we look where it
 * does, and what we start hears of it once from us and not from each process.
 */
void settings_adopt(void);

#endif
