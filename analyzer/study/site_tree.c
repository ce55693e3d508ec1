/* SPDX-License-Identifier: MIT */
/* site_tree.c: see site_tree.h. */
#include "study/site_tree.h"

#include "study/site_path.h"
#include "text/allocate.h"
#include "text/hash.h"

#include <stdlib.h>
#include <string.h>

/* What a tree grows by. */
struct growing {
	struct site_tree *tree;
	struct site_path path;   /* of one site */
	struct hash_index index; /* of branches by name and what is above, but the root */
};

static const char *label_of(const struct named_call *call)
{
	return call ? call->label : "";
}

struct wanted_branch {
	const struct site_tree *tree;
	const char *label;
	uint32_t above;
};

static bool is_branch(const void *wanted, uint32_t item)
{
	const struct wanted_branch *of = wanted;
	const struct branch *branch = &of->tree->branches[item];
	return branch->above == of->above && strcmp(label_of(branch->call), of->label) == 0;
}

static uint32_t branch_below(struct growing *growing, uint32_t above, const struct step *step)
{
	struct site_tree *tree = growing->tree;
	struct wanted_branch wanted = {tree, label_of(step->call), above};
	uint64_t hash = hash_text(hash_word(0, above), wanted.label);
	uint32_t item;

	if (hash_find(&growing->index, hash, is_branch, &wanted, &item))
		return item;
	tree->branches = allocate_more(tree->branches, tree->count, &tree->room,
				       sizeof *tree->branches);
	tree->branches[tree->count] = (struct branch){
		.call = step->call,
		.place = step->place,
		.above = above,
		.depth = tree->branches[above].depth + 1,
	};
	hash_add(&growing->index, hash, (uint32_t)tree->count);
	return (uint32_t)tree->count++;
}

static void add_site(struct growing *growing, enum tree_root root, double value)
{
	size_t count = growing->path.count;
	uint32_t at = 0;

	growing->tree->branches[0].value += value;
	for (size_t i = 0; i < count; i++) {
		size_t which = root == TREE_OF_ALLOCATORS ? i : count - 1 - i;
		at = branch_below(growing, at, &growing->path.list[which]);
		growing->tree->branches[at].value += value;
	}
}

struct rank {
	uint32_t above, branch;
	double value;
};

static int lowest_last(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;
	if (a->above != b->above)
		return a->above < b->above ? -1 : 1;
	if (a->value != b->value)
		return a->value < b->value ? 1 : -1;
	return (a->branch > b->branch) - (a->branch < b->branch);
}

static void link_branches(struct site_tree *tree)
{
	struct rank *ranks = allocate(tree->count, sizeof *ranks);

	for (uint32_t i = 1; i < tree->count; i++)
		ranks[i] = (struct rank){tree->branches[i].above, i, tree->branches[i].value};
	if (tree->count > 1)
		qsort(ranks + 1, tree->count - 1, sizeof *ranks, lowest_last);
	for (size_t i = tree->count - 1; i > 0; i--) {
		struct branch *above = &tree->branches[ranks[i].above];
		tree->branches[ranks[i].branch].next = above->first;
		above->first = ranks[i].branch;
	}
	free(ranks);
}

void site_tree_make(struct sites *sites, enum tree_root root, enum site_figure value,
		    struct site_tree *ret)
{
	struct site_tree tree = {.count = 1};
	struct growing growing = {.tree = &tree};

	sites_resolve(sites, sites->count);
	tree.branches = allocate_more(NULL, 0, &tree.room, sizeof *tree.branches);
	for (size_t i = 0; i < sites->count; i++) {
		site_path_find(sites, &sites->list[i], &growing.path);
		add_site(&growing, root, site_value(&sites->list[i].sums, value));
	}
	link_branches(&tree);
	site_path_free(&growing.path);
	hash_index_free(&growing.index);
	*ret = tree;
}

void site_tree_free(struct site_tree *tree)
{
	free(tree->branches);
}

/* Beside one another the values fall: behind one that is too low all are. */
uint32_t site_tree_next(const struct site_tree *tree, uint32_t branch, double least)
{
	const struct branch *list = tree->branches;
	uint32_t next = list[branch].first;

	while (branch && (!next || list[next].value < least)) {
		next = list[branch].next;
		branch = list[branch].above;
	}
	return next && list[next].value >= least ? next : 0;
}
