/* SPDX-License-Identifier: MIT */
/* flamegraph.c: see flamegraph.h. */
#include "render/flamegraph.h"

#include "render/command.h"
#include "render/sites.h"
#include "render/xml.h"
#include "text/allocate.h"
#include "text/escape.h"
#include "text/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 1200, TOP = 84, ROW = 18, BOTTOM = 24, TITLE_COLUMNS = 120, HUES = 360 };

static const char unknown[] = "(stack not known)";

static const char *name_of(const struct branch *branch)
{
	return branch->call ? branch->call->label : unknown;
}

/* Where each branch begins, as a share of the whole; used: by those below it that were placed. */
struct layout_of_tree {
	double *begin, *used;
	uint32_t depth;
};

static void lay_out(const struct site_tree *tree, double least, struct layout_of_tree *ret)
{
	struct layout_of_tree layout = {.depth = 0};

	layout.begin = allocate(tree->count, sizeof *layout.begin);
	layout.used = allocate(tree->count, sizeof *layout.used);
	for (uint32_t at = 0; (at = site_tree_next(tree, at, least));) {
		const struct branch *branch = &tree->branches[at];
		layout.begin[at] = layout.begin[branch->above] + layout.used[branch->above];
		layout.used[branch->above] += branch->value / tree->branches[0].value;
		if (branch->depth > layout.depth)
			layout.depth = branch->depth;
	}
	*ret = layout;
}

static unsigned hue_of(const char *text)
{
	uint32_t hash = 2166136261;

	for (; text && *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619;
	return hash % HUES;
}

static void put_amount(double value, double whole, bool is_bytes, struct sink *sink)
{
	uint64_t rounded = sites_whole(value);

	sink_print(sink, "%s, %.1f %%",
		   (is_bytes ? number_bytes(rounded) : number_count(rounded)).text,
		   whole > 0 ? 100 * value / whole : 0);
}

/* What the mouse brings up: "load (example), 1.2 MiB, 40.1 %". */
static void put_tip(const struct sites *sites, const struct branch *branch, double whole,
		    struct sink *sink)
{
	const char *module = branch->call ? stacks_module(&sites->stacks, branch->place) : NULL;

	sink_print(sink, "<title>");
	xml_put(name_of(branch), 0, sink);
	if (branch->call && branch->call->call.function && module) {
		sink_print(sink, " (");
		xml_put(module, 0, sink);
		sink_print(sink, ")");
	}
	sink_print(sink, ", ");
	put_amount(branch->value, whole, site_figure_is_bytes(site_order_figures[sites->order]),
		   sink);
	sink_print(sink, "</title>");
}

static void put_frame(const struct sites *sites, const struct branch *branch, double begin,
		      double whole, struct sink *sink)
{
	const char *module = branch->call ? stacks_module(&sites->stacks, branch->place) : NULL;
	double share = whole > 0 ? branch->value / whole : 1;

	sink_print(sink,
		   "<svg class=\"f\" x=\"%.4f%%\" y=\"%u\" width=\"%.4f%%\" height=\"%d\" "
		   "data-x=\"%.8f\" data-w=\"%.8f\" data-d=\"%u\" style=\"--h:%u\">",
		   100 * begin, TOP + ROW * branch->depth, 100 * share, ROW - 1, begin, share,
		   branch->depth, hue_of(module));
	put_tip(sites, branch, whole, sink);
	sink_print(
		sink,
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#e8b070\"/><text x=\"3\" y=\"13\">");
	xml_put(name_of(branch), 0, sink);
	sink_print(sink, "</text></svg>\n");
}

static void put_heading(const struct study *study, const struct sites *sites, uint32_t depth,
			struct sink *sink)
{
	char *command = command_of_all(study);
	unsigned height = TOP + ROW * (depth + 1) + BOTTOM;

	sink_print(sink,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100%%\" height=\"%u\" "
		   "font-family=\"sans-serif\" font-size=\"12\">\n",
		   height);
	sink_bytes(sink, flamegraph_style, strlen(flamegraph_style));
	sink_print(sink, "<rect class=\"back\" width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
			 "<text class=\"title\" x=\"10\" y=\"26\">");
	xml_put(command, TITLE_COLUMNS, sink);
	sink_print(sink,
		   ": %s</text>\n<text class=\"soft detail\" x=\"10\" y=\"%u\">Callers above, what "
		   "they call below%s. Click: zoom; Esc: back.</text>\n",
		   site_order_words[sites->order], height - 8,
		   sites->period_max > 1 ? "; estimates from a sample" : "");
	sink_print(sink, "<foreignObject x=\"10\" y=\"40\" width=\"240\" height=\"26\"><input "
			 "xmlns=\"http://www.w3.org/1999/xhtml\" type=\"text\" "
			 "placeholder=\"search (regular expression)\"/></foreignObject>\n"
			 "<text class=\"soft share\" x=\"262\" y=\"57\"></text>\n");
	free(command);
}

void flamegraph_svg(const struct study *study, struct sites *sites, double share_min,
		    struct sink *sink)
{
	static const struct call everything = {.function = "all"};
	struct named_call all = {everything, "all"};
	struct layout_of_tree layout;
	struct site_tree tree;

	site_tree_make(sites, TREE_OF_CALLERS, site_order_figures[sites->order], &tree);
	double whole = tree.branches[0].value, least = whole * share_min;
	tree.branches[0].call = &all;
	lay_out(&tree, least, &layout);
	put_heading(study, sites, layout.depth, sink);
	put_frame(sites, &tree.branches[0], 0, whole, sink);
	for (uint32_t at = 0; (at = site_tree_next(&tree, at, least));)
		put_frame(sites, &tree.branches[at], layout.begin[at], whole, sink);
	sink_bytes(sink, flamegraph_script, strlen(flamegraph_script));
	sink_print(sink, "</svg>\n");
	free(layout.begin);
	free(layout.used);
	site_tree_free(&tree);
}

/* --- collapsed ------------------------------------------------------------------------------------------- */

static void put_name(const char *name, struct sink *sink)
{
	char *shown = escape_text(name);

	for (char *at = shown; *at; at++)
		if (*at == ';')
			*at = ':';
	sink_bytes(sink, shown, strlen(shown));
	free(shown);
}

static void put_path(const struct site_tree *tree, uint32_t at, uint32_t *path, struct sink *sink)
{
	uint32_t count = 0;

	for (; at; at = tree->branches[at].above)
		path[count++] = at;
	while (count) {
		put_name(name_of(&tree->branches[path[--count]]), sink);
		sink_print(sink, "%s", count ? ";" : " ");
	}
}

void flamegraph_collapsed(struct sites *sites, struct sink *sink)
{
	struct site_tree tree;

	site_tree_make(sites, TREE_OF_CALLERS, site_order_figures[sites->order], &tree);
	uint32_t *path = allocate(tree.count, sizeof *path);
	for (uint32_t at = 0; (at = site_tree_next(&tree, at, 0));) {
		double own = tree.branches[at].value;
		for (uint32_t i = tree.branches[at].first; i; i = tree.branches[i].next)
			own -= tree.branches[i].value;
		if (own < 0.5)
			continue;
		put_path(&tree, at, path, sink);
		sink_print(sink, "%llu\n", (unsigned long long)sites_whole(own));
	}
	free(path);
	site_tree_free(&tree);
}
