/* SPDX-License-Identifier: MIT */
/*
 * site_path.h: the calls by which a site is told: from its location, behind the functions that only pass an allocation on,
 * to main or what a thread began with.  What libc runs these by is left out.
 */
#ifndef POOLMEM_STUDY_SITE_PATH_H
#define POOLMEM_STUDY_SITE_PATH_H

#include "study/sites.h"

struct step {
	const struct named_call *call; /* NULL: the stack is not known; then there is no other */
	uint32_t place;
};

/* Innermost first, at least one.  Begin with zero; each that is found replaces the one before. */
struct site_path {
	struct step *list;
	size_t count, room;
};

void site_path_find(struct sites *sites, const struct site *site, struct site_path *ret);
void site_path_free(struct site_path *path);

#endif
