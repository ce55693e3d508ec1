/* SPDX-License-Identifier: MIT */
/* intern.h: texts with a number each, from 0 in the order in which they came. */
#ifndef POOLMEM_TEXT_INTERN_H
#define POOLMEM_TEXT_INTERN_H

#include "text/hash.h"

/* Begin with zero.  list: copies, good until the next one comes. */
struct interned {
	char **list;
	size_t count, room;
	struct hash_index index;
};

/* The number of the text; the next one when it is new. */
uint32_t intern(struct interned *interned, const char *text);
void interned_free(struct interned *interned);

#endif
