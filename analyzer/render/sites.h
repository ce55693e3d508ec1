/* SPDX-License-Identifier: MIT */
/* sites.h: who allocates, as text and as JSON. */
#ifndef POOLMEM_RENDER_SITES_H
#define POOLMEM_RENDER_SITES_H

#include "render/view.h"
#include "render/words.h"
#include "study/site_tree.h"
#include "study/sites.h"
#include "text/sink.h"

struct site_view {
	struct view view;
	bool stacks; /* below each site its whole stack */
	bool tree;   /* instead of the table */
	enum tree_root tree_root;
	bool full_names;  /* of functions, however long */
	double share_min; /* of the tree: branches with less are left out */
};

void sites_text(const struct study *study, struct sites *sites, const struct site_view *view,
		struct sink *sink);
void sites_json(const struct study *study, struct sites *sites, const struct site_view *view,
		struct sink *sink);

/* What the figures say, and how sure they are, in sentences. */
void sites_words(struct sites *sites, struct sink *sink);

/* For a report: the first few sites.  Nothing when there are none. */
void sites_brief(struct sites *sites, struct sink *sink);

void sites_tree_text(struct sites *sites, const struct site_view *view, struct sink *sink);

/* A figure as it is shown: "1.2 MiB", "10,120". */
struct number sites_figure(const struct site_sums *sums, enum site_figure which);

/* How far the truth may lie off: "12 %"; "exact"; "-" of nothing. */
struct phrase sites_error(const struct site_sums *sums, enum site_figure which);

/* The same as a whole number. */
uint64_t sites_whole(double value);

/* "parse at load.c:12", "libx.so+0x1234", "(stack not known)".  Freed by the caller; not escaped. */
char *sites_name(const struct named_call *call);

/* The same, the function no longer than that if it can be helped; 0: as long as it is. */
char *sites_short_name(const struct named_call *call, size_t length_max);

#endif
