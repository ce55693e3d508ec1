/* SPDX-License-Identifier: MIT */
/* sites_words.c: what the figures of sites say of a program, and how sure they are. */
#include "render/gaps.h"
#include "render/sites.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <math.h>
#include <stdlib.h>

enum { FIRST_LENGTH = 60 };

static struct number share(double part, double whole)
{
	const double parts = 1e6;
	return whole > 0 ? number_share((uint64_t)llround(fmin(part / whole, 1e6) * parts),
					(uint64_t)parts)
			 : number_share(0, 0);
}

static const char *words_of(const struct sites *sites)
{
	return site_order_words[sites->order];
}

static void say_first(struct sites *sites, struct sink *sink)
{
	char *name = sites_short_name(site_location(sites, &sites->list[0]), FIRST_LENGTH);

	sink_name(sink, name, 0);
	free(name);
}

static void say_few(struct sites *sites, struct sink *sink)
{
	double part;
	size_t count = sites_few(sites, &part);
	double all = site_value(&sites->all, site_order_figures[sites->order]);

	if (part <= 0)
		return;
	paragraph_begin_indented(sink);
	if (sites->period_max > 1)
		sink_print(sink, "By the sample ");
	if (count == 1)
		sink_print(sink, "%s of %zu sites holds %s of the %s: ",
			   sites->period_max > 1 ? "one" : "One", sites->used_count,
			   share(part, 1).text, words_of(sites));
	else
		sink_print(sink, "%zu of %zu sites hold %s of the %s; the first has %s: ", count,
			   sites->used_count, share(part, 1).text, words_of(sites),
			   share(sites->list[0].rank, all).text);
	say_first(sites, sink);
	sink_print(sink, ".\n");
}

void sites_words_mode(const struct sites *sites, struct sink *sink)
{
	paragraph_begin_indented(sink);
	if (sites->period_max <= 1) {
		sink_print(sink, "Each block was recorded (sites=all)%s.\n",
			   sites->dropped_blocks || sites->dropped_stacks
				   ? " for which there was room: see below"
				   : ": the figures are counts");
		return;
	}
	sink_print(sink, "A sample was recorded, one block in %s allocated",
		   number_bytes(sites->period_max).text);
	if (sites->period_min == 1)
		sink_print(sink, ", or, some of the time, each block");
	else if (sites->period_min < sites->period_max)
		sink_print(sink, " or, some of the time, in %s",
			   number_bytes(sites->period_min).text);
	sink_print(sink,
		   " (sites=sample): the figures are estimates, and what lies below a few times "
		   "that may be missing.\n");
}

/* What was counted, of which the sites explain a part. */
static void say_explained(const struct sites *sites, struct sink *sink)
{
	sink_print(sink, "Of the %s that were allocated the sites explain %s",
		   number_bytes(sites->counted_bytes).text,
		   share(sites_bytes(sites), (double)sites->counted_bytes).text);
	if (sites->counted_live_bytes)
		sink_print(sink, ", of the %s that live %s",
			   number_bytes(sites->counted_live_bytes).text,
			   share(site_value(&sites->all, SITE_LIVE_BYTES),
				 (double)sites->counted_live_bytes)
				   .text);
	sink_print(sink, ".\n");
}

static void say_range(const struct site_sums *sums, enum site_figure which, struct sink *sink)
{
	struct interval interval = site_interval(sums, which);

	sink_print(sink, "%s (%s to %s)", sites_figure(sums, which).text,
		   number_bytes(sites_whole(interval.low)).text,
		   number_bytes(sites_whole(interval.high)).text);
}

/* What was counted, beside what a sample makes of it: no part of it, for it may be more. */
static void say_estimates(const struct sites *sites, struct sink *sink)
{
	bool lives = sites->counted_live_bytes || site_value(&sites->all, SITE_LIVE_BYTES) > 0;

	sink_print(sink, "Counted: %s allocated", number_bytes(sites->counted_bytes).text);
	if (lives)
		sink_print(sink, ", %s live", number_bytes(sites->counted_live_bytes).text);
	sink_print(sink, ". By the sample, with what it lies between in 95 of 100 cases: ");
	say_range(&sites->all, SITE_ALLOCATED_BYTES, sink);
	sink_print(sink, " allocated");
	if (lives) {
		sink_print(sink, ", ");
		say_range(&sites->all, SITE_LIVE_BYTES, sink);
		sink_print(sink, " live");
	}
	sink_print(sink, ".\n");
}

static void say_how_much(const struct sites *sites, struct sink *sink)
{
	if (sites->by_thread) {
		paragraph_begin_indented(sink);
		sink_print(sink,
			   "Of what such threads held last, others perhaps before them: live is what "
			   "they allocated less what they freed themselves.\n");
		return;
	}
	if (!sites->counted_bytes)
		return;
	paragraph_begin_indented(sink);
	if (sites->period_max > 1)
		say_estimates(sites, sink);
	else
		say_explained(sites, sink);
}

static void say_ends(const struct sites *sites, struct sink *sink)
{
#define END_WORDS(name, key, help) [PM_STACK_##name] = help,
	static const char *const words[] = {PM_STACK_ENDS(END_WORDS)};
#undef END_WORDS
	double all = site_value(&sites->all, SITE_ALLOCATED);

	for (int end = PM_STACK_CUT; end < PM_STACK_END_COUNT; end++) {
		double blocks = estimate_value(&sites->ended[end]);
		if (blocks <= 0)
			continue;
		paragraph_begin_indented(sink);
		sink_print(sink, "Stacks of %s of the blocks are %s.\n", share(blocks, all).text,
			   words[end]);
	}
}

static void say_silent(const struct sites *sites, struct sink *sink)
{
	if (!sites->silent_count)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink, "%s of %zu processes recorded no sites.\n",
		   number_count(sites->silent_count).text, sites->process_count);
}

static void say_departed(const struct sites *sites, struct sink *sink)
{
	if (!sites->departed_count)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "The sites of %zu dead process%s are lost, whose areas were reused: what they "
		   "allocated is among what is not explained.\n",
		   sites->departed_count, sites->departed_count == 1 ? "" : "es");
}

void sites_words_missing(const struct sites *sites, struct sink *sink)
{
	say_ends(sites, sink);
	say_silent(sites, sink);
	say_departed(sites, sink);
	gaps_text(sites->stacks.naming, sink);
}

static void say_suppressed(const struct sites *sites, struct sink *sink)
{
	if (!sites->suppressed_count)
		return;
	paragraph_begin_indented(sink);
	sink_print(
		sink,
		"Suppressed, and not counted as never freed: %s in %s by %s; `poolmem leaks` says which.\n",
		sites_figure(&sites->suppressed, SITE_LEAKED_BYTES).text,
		number_of(sites_whole(site_value(&sites->suppressed, SITE_LEAKED)), "block").text,
		number_of(sites->suppressed_count, "call site").text);
}

/* The first two of a sample, of which the other may have more. */
static void say_order(const struct sites *sites, struct sink *sink)
{
	if (sites_first_is_certain(sites))
		return;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "Which site is first is not certain: the second may hold more, as far as the "
		   "sample tells.\n");
}

void sites_words(struct sites *sites, struct sink *sink)
{
	sink_print(sink, "\n");
	say_few(sites, sink);
	say_order(sites, sink);
	sites_words_mode(sites, sink);
	say_how_much(sites, sink);
	say_suppressed(sites, sink);
	sites_words_missing(sites, sink);
}
