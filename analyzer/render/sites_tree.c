/* SPDX-License-Identifier: MIT */
/* sites_tree.c: the stacks of sites as an indented tree. */
#include "render/sites.h"
#include "render/tables.h"
#include "text/number.h"

#include <stdio.h>

enum { DEPTH_SHOWN_MAX = 40, NAME_INDENT = 2 };

static struct number share_of(double part, double whole)
{
	struct number number;
	snprintf(number.text, sizeof number.text, "%.1f %%", whole > 0 ? 100 * part / whole : 0);
	return number;
}

static void put_branch(const struct branch *branch, double whole, bool is_bytes, struct sink *sink)
{
	uint64_t value = branch->value < 0x1p63 ? (uint64_t)branch->value : INT64_MAX;
	size_t indent = branch->depth < DEPTH_SHOWN_MAX ? branch->depth : DEPTH_SHOWN_MAX;

	sink_print(sink, "  %7s  %10s  %*s", share_of(branch->value, whole).text,
		   (is_bytes ? number_bytes(value) : number_count(value)).text,
		   (int)(NAME_INDENT * (indent - 1)), "");
	sink_name(sink, branch->call ? branch->call->label : "(stack not known)", 0);
	sink_print(sink, "\n");
}

void sites_tree_text(struct sites *sites, const struct site_view *view, struct sink *sink)
{
	enum site_figure figure = site_order_figures[sites->order];
	struct site_tree tree;
	char text[160];

	site_tree_make(sites, view->tree_root, figure, &tree);
	double whole = tree.branches[0].value, least = whole * view->share_min;
	snprintf(text, sizeof text, "%s, by %s",
		 view->tree_root == TREE_OF_ALLOCATORS
			 ? "From what allocates to its callers"
			 : "From the outermost callers to what allocates",
		 site_order_words[sites->order]);
	table_title(sink, text, 0, 0);
	snprintf(text, sizeof text, "branches below %.3g %% are left out", 100 * view->share_min);
	table_legend(sink, text);
	for (uint32_t at = 0; (at = site_tree_next(&tree, at, least));)
		put_branch(&tree.branches[at], whole, site_figure_is_bytes(figure), sink);
	site_tree_free(&tree);
}
