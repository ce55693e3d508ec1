/* SPDX-License-Identifier: MIT */
/* sites_tree.c: the stacks of sites as an indented tree. */
#include "render/sites.h"
#include "render/tables.h"
#include "text/number.h"
#include "text/shorten.h"

#include <stdio.h>
#include <stdlib.h>

enum { INDENT_MAX = 30, STEP = 2, NAME_LENGTH = 50 };

static double least_of(const struct site_tree *tree, const struct site_view *view)
{
	return tree->branches[0].value * view->share_min;
}

static struct number share_of(double part, double whole)
{
	struct number number;
	snprintf(number.text, sizeof number.text, "%.1f %%", whole > 0 ? 100 * part / whole : 0);
	return number;
}

/* Whether others stand beside it, or it is one of the first. */
static bool is_one_of_many(const struct site_tree *tree, uint32_t branch, double least)
{
	const struct branch *list = tree->branches;
	uint32_t above = list[branch].above, second = list[list[above].first].next;

	return !above || (second && list[second].value >= least);
}

/* Calls that have but one caller each stand below one another; where ways part there is a step. */
static int indent_of(const struct site_tree *tree, uint32_t branch, double least)
{
	int indent = 0;

	for (; branch; branch = tree->branches[branch].above)
		indent += is_one_of_many(tree, branch, least);
	return (indent < INDENT_MAX ? indent : INDENT_MAX) - 1;
}

static void put_branch(const struct site_tree *tree, uint32_t at, const struct site_view *view,
		       bool is_bytes, struct sink *sink)
{
	const struct branch *branch = &tree->branches[at];
	uint64_t value = sites_whole(branch->value);
	double least = least_of(tree, view);
	int indent = indent_of(tree, at, least);
	char *name = shorten_function(branch->call ? branch->call->label : "(stack not known)",
				      view->full_names ? 0 : NAME_LENGTH);

	sink_print(sink, "  %7s  %10s  %*s%s", share_of(branch->value, tree->branches[0].value).text,
		   (is_bytes ? number_bytes(value) : number_count(value)).text, STEP * indent, "",
		   is_one_of_many(tree, at, least) ? "- " : "  ");
	sink_name(sink, name, 0);
	free(name);
	sink_print(sink, "\n");
}

void sites_tree_text(struct sites *sites, const struct site_view *view, struct sink *sink)
{
	enum site_figure figure = site_order_figures[sites->order];
	struct site_tree tree;
	char text[160];

	site_tree_make(sites, view->tree_root, figure, &tree);
	double least = least_of(&tree, view);
	snprintf(text, sizeof text, "%s, by %s",
		 view->tree_root == TREE_OF_ALLOCATORS
			 ? "From what allocates to its callers"
			 : "From the outermost callers to what allocates",
		 site_order_words[sites->order]);
	table_title(sink, text, 0, 0);
	snprintf(text, sizeof text, "branches below %.3g %% are left out", 100 * view->share_min);
	table_legend(sink, text);
	for (uint32_t at = 0; (at = site_tree_next(&tree, at, least));)
		put_branch(&tree, at, view, site_figure_is_bytes(figure), sink);
	site_tree_free(&tree);
}
