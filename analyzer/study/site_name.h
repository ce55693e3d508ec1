/* SPDX-License-Identifier: MIT */
/*
 * site_name.h: what a call site is told by in another recording: the names of its calls, files without folders.
 *
 * Copies that a compiler makes of a function are that function.  Addresses are no names: where a call has none its module
 * stands for it.
 */
#ifndef POOLMEM_STUDY_SITE_NAME_H
#define POOLMEM_STUDY_SITE_NAME_H

#include "study/sites.h"

struct site_naming {
	bool by_line; /* the same function at another line is another name */
	/* Where both have a module with the same build id, places in it without a name are told apart; NULL: nowhere. */
	const struct sites *left, *right;
	/* Its programs are told from libraries, and not by the names of their files; NULL: as any module. */
	const struct recording *recording;
};

/* A text, freed by the caller. */
char *site_name(const struct site_naming *naming, struct sites *sites, const struct site *site);

/* Whether it is the program of some process. */
bool site_is_program(const struct recording *recording, const struct module *module);

/* Without the folders. */
const char *site_file_name(const char *path);

#endif
