/* SPDX-License-Identifier: MIT */
/* leaks.c: the text of leaks: what is left in words, a stack for each site, then the suppressions. */
#include "render/leaks.h"

#include "render/glance.h"
#include "render/sites.h"
#include "render/tables.h"
#include "render/words.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <stdio.h>

/* "Never freed", "Live now" */
static const char *title_of(const struct leaks *leaks)
{
	return leaks->is_running ? "Live now" : "Never freed";
}

/* --- words ----------------------------------------------------------------------------------------------- */

static void put_amount(const struct leaks *leaks, const struct site_sums *sums, struct sink *sink)
{
	sink_print(sink, "%s in %s", sites_figure(sums, leaks->bytes).text,
		   number_of(sites_whole(site_value(sums, leaks->blocks)), "block").text);
}

/* "about 7 blocks (0 to 12)" where a sample tells what is suppressed */
static void put_left(const struct leaks *leaks, enum metric which, bool is_bytes, struct sink *sink)
{
	const struct metric_bound *bound = &leaks->metrics.bound[which];
	uint64_t value = metric(&leaks->metrics, which);

	if (leaks->sites->period_max <= 1 || !bound->is_known) {
		sink_print(sink, "%s",
			   (is_bytes ? words_bytes : words_blocks)(&leaks->metrics, which).text);
		return;
	}
	struct number (*shown)(uint64_t) = is_bytes ? number_bytes : number_count;
	sink_print(sink, "about %s (%s to %s)",
		   (is_bytes ? number_bytes(value) : number_of(value, "block")).text,
		   shown((uint64_t)bound->at_least).text, shown((uint64_t)bound->at_most).text);
}

static void say_left(const struct leaks *leaks, struct sink *sink)
{
	const struct metrics *metrics = &leaks->metrics;
	bool is_range = metrics->bound[METRIC_LEAK_BLOCKS].is_known;

	paragraph_begin_indented(sink);
	if (!is_range && !metric(metrics, METRIC_LEAK_BLOCKS)) {
		sink_print(sink, "%s.\n",
			   leaks->is_running ? "No block is live now" : "No block was left");
		return;
	}
	sink_print(sink, "%s: ", title_of(leaks));
	put_left(leaks, METRIC_LEAK_BLOCKS, false, sink);
	sink_print(sink, ", ");
	put_left(leaks, METRIC_LEAK_BYTES, true, sink);
	if (leaks->left_count)
		sink_print(sink, "%s by %s", leaks->sites->period_max > 1 ? "; in the sample" : ",",
			   number_of(leaks->left_count, "call site").text);
	sink_print(sink, ".\n");
}

static void say_suppressed(const struct leaks *leaks, struct sink *sink)
{
	if (!leaks->suppressed_count)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink, "Suppressed besides: ");
	put_amount(leaks, &leaks->suppressed, sink);
	if (site_is_estimated(&leaks->suppressed, leaks->bytes))
		sink_print(sink, " (+- %s)", sites_error(&leaks->suppressed, leaks->bytes).text);
	sink_print(sink, ".\n");
}

static void say_unrecorded(const struct leaks *leaks, struct sink *sink)
{
	if (!leaks->unrecorded_blocks)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink, "Of these %s, %s, have no call site: sites were not recorded then.\n",
		   number_of(leaks->unrecorded_blocks, "block").text,
		   number_bytes(leaks->unrecorded_bytes).text);
}

/* How processes ended that did not exit, whose blocks may have been in use to the end. */
static void say_ends(const struct leaks *leaks, struct sink *sink)
{
	static const char *const words[] = {
		[STATE_KILLED] = "was killed by a signal",
		[STATE_ENDED] = "ended without exit(), killed or by _exit()",
		[STATE_REPLACED] = "was replaced by exec",
		[STATE_UNKNOWN] = "runs, or ended without exit()",
	};

	for (int state = STATE_KILLED; state <= STATE_UNKNOWN; state++) {
		if (!leaks->states[state])
			continue;
		paragraph_begin_indented(sink);
		sink_print(sink,
			   "%s that %s: what was live of it then may have been in use, and is no "
			   "leak for that.\n",
			   number_of(leaks->states[state],
				     state == STATE_REPLACED ? "program" : "process")
				   .text,
			   words[state]);
	}
}

static void say_running(const struct leaks *leaks, struct sink *sink)
{
	size_t running = leaks->states[STATE_RUNNING];

	if (!running)
		return;
	paragraph_begin_indented(sink);
	if (leaks->is_running)
		sink_print(sink,
			   "The program runs: what lives now may be in use. What it never frees "
			   "is known when it has ended.\n");
	else
		sink_print(sink,
			   "Still running: %zu of the processes. What they hold is not counted "
			   "here.\n",
			   running);
}

static void say_how_exact(const struct leaks *leaks, struct sink *sink)
{
	if (leaks->sites->period_max)
		sites_words_mode(leaks->sites, sink);
	if (leaks->sites->period_max <= 1)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink, "With POOLMEM=sites=all each block is recorded.\n");
}

static void put_words(const struct leaks *leaks, struct sink *sink)
{
	sink_print(sink, "\n");
	say_left(leaks, sink);
	say_suppressed(leaks, sink);
	say_unrecorded(leaks, sink);
	say_running(leaks, sink);
	say_ends(leaks, sink);
	say_how_exact(leaks, sink);
	sites_words_missing(leaks->sites, sink);
}

/* --- sites ----------------------------------------------------------------------------------------------- */

/* Wrappers that the user named are not shown. */
static struct walk first_shown(struct sites *sites, const struct site *site)
{
	return sites->skipped.count ? site_origin(sites, site) : (struct walk){site->place, 0};
}

static void put_sites(const struct leaks *leaks, const struct view *view, struct sink *sink)
{
	struct sites *sites = leaks->sites;
	size_t rows = view_rows(view, sites->count);
	char text[160];
	int used = snprintf(text, sizeof text, "%s, by %s", title_of(leaks),
			    leak_order_words[leaks->order]);

	if (!leaks->left_count)
		return;
	if (sites->count < leaks->left_count)
		snprintf(text + used, sizeof text - (size_t)used,
			 ": %zu of %zu sites match the filter", sites->count, leaks->left_count);
	table_title(sink, text, rows, sites->count);
	for (size_t i = 0; i < rows; i++) {
		const struct site *site = &sites->list[i];
		sink_print(sink, "\n  ");
		put_amount(leaks, &site->sums, sink);
		if (site_is_estimated(&site->sums, leaks->bytes))
			sink_print(sink, " (+- %s)", sites_error(&site->sums, leaks->bytes).text);
		sink_print(sink, "\n");
		sites_stack(sites, site, first_shown(sites, site), true, sink);
	}
}

/* --- suppressions ---------------------------------------------------------------------------------------- */

static void put_suppression(struct table *table, const struct leaks *leaks,
			    const struct suppression *suppression)
{
	const struct site_sums *used = &suppression->used;
	char module[64] = "";

	if (suppression->module)
		snprintf(module, sizeof module, "%s*", suppression->module);
	table_cell(table, number_count(sites_whole(site_value(used, leaks->blocks))).text);
	table_cell(table, number_bytes(sites_whole(site_value(used, leaks->bytes))).text);
	table_cell(table, module);
	table_cell(table, suppression->pattern);
	table_cell(table, suppression->why ? suppression->why : "");
}

static bool is_shown(const struct suppression *suppression, bool used)
{
	return (suppression->site_count != 0) == used;
}

static void put_suppressions(const struct leaks *leaks, const struct suppressions *suppressions,
			     bool used, struct sink *sink)
{
	static const struct column columns[] = {
		{"blocks", COLUMN_NUMBER, 0}, {"bytes", COLUMN_NUMBER, 0},
		{"module", COLUMN_TEXT, 0},   {"pattern", COLUMN_TEXT, 0},
		{"known as", COLUMN_TEXT, 0},
	};
	struct table table;
	size_t count = 0;

	for (size_t i = 0; i < suppressions->count; i++)
		count += is_shown(&suppressions->list[i], used);
	if (!count)
		return;
	table_title(sink, used ? "Suppressions used" : "Suppressions not used", 0, 0);
	table_begin(&table, columns, sizeof columns / sizeof *columns);
	for (size_t i = 0; i < suppressions->count; i++)
		if (is_shown(&suppressions->list[i], used))
			put_suppression(&table, leaks, &suppressions->list[i]);
	table_end(&table, sink);
}

void leaks_text(const struct study *study, const struct leaks *leaks, const struct leaks_view *view,
		struct sink *sink)
{
	glance_heading(study, sink);
	sites_resolve(leaks->sites, view_rows(&view->view, leaks->sites->count));
	put_words(leaks, sink);
	put_sites(leaks, &view->view, sink);
	put_suppressions(leaks, view->suppressions, true, sink);
	if (view->verbose)
		put_suppressions(leaks, view->suppressions, false, sink);
	words_notes(&study->total.notes, sink);
}
