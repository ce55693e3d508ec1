/* SPDX-License-Identifier: MIT */
/*
 * site_tree.h: the stacks of sites as one tree of functions: from the outermost callers in, or from the allocating
 * functions out.  Calls of one name are one, wherever in it they are.  What runs main, or a thread, is left out.
 */
#ifndef POOLMEM_STUDY_SITE_TREE_H
#define POOLMEM_STUDY_SITE_TREE_H

#include "study/sites.h"

enum tree_root {
	TREE_OF_CALLERS,    /* root: main and its like; below them what they called */
	TREE_OF_ALLOCATORS, /* root: the location of each site; below them their callers */
};

/* Names are indices in tree.branches; 0 is the root, and none. */
struct branch {
	const struct named_call *call; /* NULL: stacks that are not known, or the root */
	uint32_t place;                /* of the call */
	uint32_t above, first, next; /* first: below it, the highest value first; next: beside it */
	uint32_t depth;              /* of the root: 0 */
	double value;                /* with all below it */
};

struct site_tree {
	struct branch *branches;
	size_t count, room;
};

/* value: what is added up.  The sites must stay until the tree goes. */
void site_tree_make(struct sites *sites, enum tree_root root, enum site_figure value,
		    struct site_tree *ret);
void site_tree_free(struct site_tree *tree);

/* The branch behind `branch`, as a tree is shown; those below `least` are left out.  0: that was the last. */
uint32_t site_tree_next(const struct site_tree *tree, uint32_t branch, double least);

#endif
