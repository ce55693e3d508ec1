/* SPDX-License-Identifier: MIT */
/* sites.c: the text of sites: what it says in words, then a table, stacks or a tree. */
#include "render/sites.h"

#include "render/advice.h"
#include "render/glance.h"
#include "render/tables.h"
#include "text/allocate.h"
#include "text/number.h"
#include "text/shorten.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN_MAX = 6, BRIEF_ROWS = 5 };

/* Of functions, so that a line of 80 columns holds them with what stands beside. */
enum { LOCATION_LENGTH = 28, CALLER_LENGTH = 20, CALL_LENGTH = 48 };

/* --- figures and names ----------------------------------------------------------------------------------- */

uint64_t sites_whole(double value)
{
	return value <= 0 ? 0 : value < 0x1p63 ? (uint64_t)llround(value) : INT64_MAX;
}

struct number sites_figure(const struct site_sums *sums, enum site_figure which)
{
	uint64_t value = sites_whole(site_value(sums, which));
	return site_figure_is_bytes(which) ? number_bytes(value) : number_count(value);
}

struct phrase sites_error(const struct site_sums *sums, enum site_figure which)
{
	double value = site_value(sums, which);
	struct interval interval = site_interval(sums, which);
	double off = fmax(interval.high - value, value - interval.low);
	struct phrase phrase = {"-"};

	if (value > 0 && site_is_estimated(sums, which))
		snprintf(phrase.text, sizeof phrase.text, "%.0f %%", ceil(100 * off / value));
	else if (value > 0)
		return (struct phrase){"exact"};
	else if (site_is_estimated(sums, which))
		snprintf(phrase.text, sizeof phrase.text, "< %s",
			 site_figure_is_bytes(which)
				 ? number_bytes(sites_whole(interval.high)).text
				 : number_count(sites_whole(interval.high)).text);
	return phrase;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

char *sites_short_name(const struct named_call *call, size_t length_max)
{
	static const char unknown[] = "(stack not known)";

	if (!call)
		return allocate_text(unknown, strlen(unknown));
	char *label = shorten_function(call->label, length_max);
	size_t bytes = strlen(label) + (call->call.file ? strlen(call->call.file) : 0) + 32;
	char *name = allocate(bytes, 1);
	if (call->call.file && call->call.line)
		snprintf(name, bytes, "%s at %s:%u", label, base_of(call->call.file),
			 call->call.line);
	else if (call->call.file)
		snprintf(name, bytes, "%s in %s", label, base_of(call->call.file));
	else
		snprintf(name, bytes, "%s", label);
	free(label);
	return name;
}

char *sites_name(const struct named_call *call)
{
	return sites_short_name(call, 0);
}

/* --- table ----------------------------------------------------------------------------------------------- */

struct column_of_sites {
	struct column column;
	enum site_figure figure;
};

/* What the sites are ordered by comes first, with how far it may lie off. */
static size_t choose_columns(enum site_order order, struct column_of_sites *ret)
{
	static const struct column_of_sites usual[] = {
		{{"live", COLUMN_NUMBER, 0}, SITE_LIVE_BYTES},
		{{"blocks", COLUMN_NUMBER, 0}, SITE_LIVE},
		{{"allocated", COLUMN_NUMBER, 0}, SITE_ALLOCATED_BYTES},
	};
	size_t count = 0;

	if (order != SITE_ORDER_LIVE && order != SITE_ORDER_ALLOCATED)
		ret[count++] = (struct column_of_sites){{site_order_keys[order], COLUMN_NUMBER, 0},
							site_order_figures[order]};
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		ret[count++] = usual[i];
	return count;
}

char *sites_place(struct sites *sites, const struct site *site, bool full_names)
{
	char *name = sites_short_name(site_location(sites, site), full_names ? 0 : LOCATION_LENGTH);
	const struct named_call *call = site_caller(sites, site);
	char *caller = shorten_function(call ? call->label : "", full_names ? 0 : CALLER_LENGTH);
	size_t bytes = strlen(name) + strlen(caller) + sizeof " < ";
	char *place = allocate(bytes, 1);

	snprintf(place, bytes, "%s%s%s", name, call ? " < " : "", caller);
	free(caller);
	free(name);
	return place;
}

static void put_location(struct table *table, struct sites *sites, const struct site *site,
			 bool full_names)
{
	char *place = sites_place(sites, site, full_names);

	table_cell(table, place);
	free(place);
}

static void put_sums(struct table *table, const struct column_of_sites *columns, size_t count,
		     const struct sites *sites, const struct site_sums *sums)
{
	for (size_t i = 0; i < count; i++)
		table_cell(table, sites_figure(sums, columns[i].figure).text);
	if (sites->period_max > 1)
		table_cell(table, sites_error(sums, site_order_figures[sites->order]).text);
}

static void put_rows(struct sites *sites, size_t rows, bool full_names, struct sink *sink)
{
	struct column_of_sites chosen[COLUMN_MAX];
	struct column columns[COLUMN_MAX + 3];
	size_t figures = choose_columns(sites->order, chosen), count = 0;
	struct table table;

	for (; count < figures; count++)
		columns[count] = chosen[count].column;
	if (sites->period_max > 1)
		columns[count++] = (struct column){"+-", COLUMN_NUMBER, 0};
	if (!sites->by_thread)
		columns[count++] = (struct column){"dies", COLUMN_TEXT, 0};
	columns[count++] = (struct column){"allocated by < called by", COLUMN_TEXT, 0};
	table_begin(&table, columns, count);
	for (size_t i = 0; i < rows; i++) {
		put_sums(&table, chosen, figures, sites, &sites->list[i].sums);
		if (!sites->by_thread)
			table_cell(&table, verdict_words[sites->list[i].verdict]);
		put_location(&table, sites, &sites->list[i], full_names);
	}
	if (sites->used_count > 1) {
		put_sums(&table, chosen, figures, sites, &sites->all);
		if (!sites->by_thread)
			table_cell(&table, "");
		table_cell(&table, "all");
	}
	table_end(&table, sink);
}

static void put_title(const struct sites *sites, size_t rows, struct sink *sink)
{
	char text[160];

	if (sites->count < sites->used_count)
		snprintf(text, sizeof text,
			 "Call sites by %s: %zu of %zu match the filter, 'all' counts every one",
			 site_order_words[sites->order], sites->count, sites->used_count);
	else
		snprintf(text, sizeof text, "Call sites by %s", site_order_words[sites->order]);
	table_title(sink, text, rows, sites->count);
}

static void put_legend(const struct sites *sites, struct sink *sink)
{
	table_legend(sink,
		     sites->period_max > 1
			     ? "+-: of the first column, in 95 of 100 cases; dies: when most do"
			     : "live: usable bytes now or at the end, in so many blocks; dies: when "
			       "most do");
}

static void put_table(struct sites *sites, const struct site_view *view, struct sink *sink)
{
	size_t rows = view_rows(&view->view, sites->count);

	put_title(sites, rows, sink);
	put_legend(sites, sink);
	put_rows(sites, rows, view->full_names, sink);
}

/* --- stacks ---------------------------------------------------------------------------------------------- */

/* Of several the first that is not the whole stack. */
static const char *end_of_stack(uint32_t ends)
{
#define END_WORDS(name, key, help) [PM_STACK_##name] = "(" help ")",
	static const char *const words[] = {PM_STACK_ENDS(END_WORDS)};
#undef END_WORDS

	for (int end = PM_STACK_CUT; end < PM_STACK_END_COUNT; end++)
		if (ends >> end & 1)
			return words[end];
	return NULL;
}

static void put_call(const struct named_call *call, bool full_names, struct sink *sink)
{
	char *name = sites_short_name(call, full_names ? 0 : CALL_LENGTH);

	sink_print(sink, "      ");
	sink_name(sink, name, 0);
	sink_print(sink, "%s\n", call->call.is_inlined ? " (inlined)" : "");
	free(name);
}

void sites_stack(struct sites *sites, const struct site *site, struct walk walk, bool full_names,
		 struct sink *sink)
{
	const struct named_call *call;
	const char *end = end_of_stack(site->ends);

	while ((call = walk_next(&sites->stacks, &walk)))
		put_call(call, full_names, sink);
	if (end)
		sink_print(sink, "      %s\n", end);
	else if (!site->place)
		sink_print(sink, "      (not known)\n");
}

static void put_amount(const char *word, const struct site_sums *sums, enum site_figure blocks,
		       enum site_figure bytes, struct sink *sink)
{
	sink_print(sink, "; %s %s, %s", word,
		   number_of(sites_whole(site_value(sums, blocks)), "block").text,
		   sites_figure(sums, bytes).text);
}

static void put_stacks(struct sites *sites, const struct site_view *view, struct sink *sink)
{
	size_t rows = view_rows(&view->view, sites->count);

	put_title(sites, rows, sink);
	for (size_t i = 0; i < rows; i++) {
		const struct site *site = &sites->list[i];
		enum site_figure figure = site_order_figures[sites->order];
		sink_print(sink, "\n  %s %s", sites_figure(&site->sums, figure).text,
			   site_order_keys[sites->order]);
		if (site_is_estimated(&site->sums, figure))
			sink_print(sink, " (+- %s)", sites_error(&site->sums, figure).text);
		put_amount("live", &site->sums, SITE_LIVE, SITE_LIVE_BYTES, sink);
		put_amount("allocated", &site->sums, SITE_ALLOCATED, SITE_ALLOCATED_BYTES, sink);
		if (!sites->by_thread)
			sink_print(sink, "; dies: %s", verdict_words[site->verdict]);
		sink_print(sink, "\n");
		sites_stack(sites, site, (struct walk){site->place, 0}, view->full_names, sink);
	}
}

/* --- the whole ------------------------------------------------------------------------------------------- */

void sites_text(const struct study *study, struct sites *sites, const struct site_view *view,
		struct sink *sink)
{
	glance_heading(study, sink);
	sites_resolve(sites, view->tree ? sites->count : view_rows(&view->view, sites->count));
	sites_words(sites, sink);
	if (view->tree)
		sites_tree_text(sites, view, sink);
	else if (view->advice)
		advice_text(view->advice, view->view.row_max, sink);
	else if (view->stacks)
		put_stacks(sites, view, sink);
	else
		put_table(sites, view, sink);
	words_notes(&study->total.notes, sink);
}

void sites_brief(struct sites *sites, struct sink *sink)
{
	size_t rows = sites->count < BRIEF_ROWS ? sites->count : BRIEF_ROWS;
	char text[160];

	if (!rows)
		return;
	sites_resolve(sites, rows);
	snprintf(text, sizeof text, "Call sites by %s (%zu of %zu; `poolmem sites` shows all)",
		 site_order_words[sites->order], rows, sites->count);
	table_title(sink, text, 0, 0);
	put_legend(sites, sink);
	put_rows(sites, rows, false, sink);
}
