/* SPDX-License-Identifier: MIT */
/* sites.h: who allocates, as text and as JSON. */
#ifndef POOLMEM_RENDER_SITES_H
#define POOLMEM_RENDER_SITES_H

#include "render/json.h"
#include "render/view.h"
#include "render/words.h"
#include "study/advice.h"
#include "study/site_tree.h"
#include "study/sites.h"
#include "text/sink.h"

#include <jansson.h>

struct site_view {
	struct view view;
	bool stacks; /* below each site its whole stack */
	bool tree;   /* instead of the table */
	enum tree_root tree_root;
	bool full_names;                  /* of functions, however long */
	double share_min;                 /* of the tree: branches with less are left out */
	const struct advice_list *advice; /* in JSON; of the text instead of the table; NULL: none */
};

void sites_text(const struct study *study, struct sites *sites, const struct site_view *view,
		struct sink *sink);
void sites_json(const struct study *study, struct sites *sites, const struct site_view *view,
		struct sink *sink);

/* The calls of a site from `walk` on, a line each, and why there are no more. */
void sites_stack(struct sites *sites, const struct site *site, struct walk walk, bool full_names,
		 struct sink *sink);

/* What the figures say, and how sure they are, in sentences. */
void sites_words(struct sites *sites, struct sink *sink);

/* Of that, how they were recorded; what is missing; of that, names. */
void sites_words_mode(const struct sites *sites, struct sink *sink);
void sites_words_missing(const struct sites *sites, struct sink *sink);

/* For a report: the first few sites.  Nothing when there are none. */
void sites_brief(struct sites *sites, struct sink *sink);

/* Puts the sites as members: how they were recorded, their sum, so many of them, their frames. */
void sites_put_json(struct json_stream *stream, struct sites *sites, size_t rows);

/* The stack of a site as an array of frames, innermost first. */
json_t *sites_stack_json(struct sites *sites, const struct site *site);

/* The same for machines, a few more of them; null when there are none. */
json_t *sites_brief_json(struct sites *sites, const struct view *view);

void sites_tree_text(struct sites *sites, const struct site_view *view, struct sink *sink);

/* A figure as it is shown: "1.2 MiB", "10,120". */
struct number sites_figure(const struct site_sums *sums, enum site_figure which);

/* How far the truth may lie off: "12 %"; "exact"; "-" of nothing. */
struct phrase sites_error(const struct site_sums *sums, enum site_figure which);

/* The same as a whole number. */
uint64_t sites_whole(double value);

/* "parse at load.c:12 < main": where a site is, and who called that.  Freed by the caller; not escaped. */
char *sites_place(struct sites *sites, const struct site *site, bool full_names);

/* "parse at load.c:12", "libx.so+0x1234", "(stack not known)".  Freed by the caller; not escaped. */
char *sites_name(const struct named_call *call);

/* The same, the function no longer than that if it can be helped; 0: as long as it is. */
char *sites_short_name(const struct named_call *call, size_t length_max);

#endif
