/* SPDX-License-Identifier: MIT */
/*
 * suppression.h: stacks whose blocks are nobody's fault, in LeakSanitizer's words: lines `leak:PATTERN`.
 *
 * A pattern is a part of the name of a function, a file or a module of any frame.  `*` stands for anything; `^` at its
 * beginning and `$` at its end bind it to those of the name.
 */
#ifndef POOLMEM_STUDY_SUPPRESSION_H
#define POOLMEM_STUDY_SUPPRESSION_H

#include "study/sites.h"

struct suppression {
	char *pattern; /* of functions, when `module` is given */
	const char *module; /* NULL: as a user gives them; else what the module of the same frame begins with */
	const char *why;  /* of those that are known here; else NULL */
	bool is_of_first; /* only the call that a site is named by */
	struct site_sums used;
	size_t site_count;
};

struct suppressions {
	struct suppression *list; /* what a user gives stands before what is known */
	size_t count, room;
};

/* Lines of a file, which `name` names in a message. */
bool suppressions_parse(struct suppressions *suppressions, const char *text, const char *name,
			struct failure *why);

/* What libc, the loader and libstdc++ keep to the end of every program. */
void suppressions_add_known(struct suppressions *suppressions);
void suppressions_free(struct suppressions *suppressions);

/* The first that the innermost frame meets, or the next frame; NULL: none. */
struct suppression *suppression_of(const struct suppressions *suppressions, struct sites *sites,
				   const struct site *site);

/* As LeakSanitizer does it: the first place where a part of a pattern fits is taken, and no other tried. */
bool suppression_matches(const char *pattern, const char *name);

#endif
