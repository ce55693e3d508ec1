/* SPDX-License-Identifier: MIT */
/* frag_words.c: what the figures of frag say: what dominates, why it stays, what to do, what that would bring. */
#include "model/saturate.h"
#include "render/frag.h"
#include "render/words.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <stdio.h>
#include <stdlib.h>

static void say_live(const struct waterfall *waterfall, struct sink *sink)
{
	uint64_t whole = waterfall_whole(waterfall);
	uint64_t live = sum(waterfall->part[WATERFALL_REQUESTED], waterfall->part[WATERFALL_SLACK]);

	paragraph_begin_indented(sink);
	sink_print(sink, "Of %s %s, %s (%s) are in live blocks", number_bytes(whole).text,
		   waterfall->knows_rss ? "resident" : "of the heap", number_bytes(live).text,
		   number_share(live, whole).text);
	if (waterfall->knows_rss)
		sink_print(sink, " (poolmem sites says whose) and %s are not heap (%s)",
			   number_bytes(waterfall->part[WATERFALL_OTHER]).text,
			   number_share(waterfall->part[WATERFALL_OTHER], whole).text);
	sink_print(sink, ".\n");
}

/* The part besides live blocks and other mappings that is largest. */
static enum waterfall_part dominant(const struct waterfall *waterfall)
{
	enum waterfall_part most = WATERFALL_SLACK;

	for (unsigned part = WATERFALL_SLACK; part < WATERFALL_OTHER; part++)
		if (waterfall->part[part] > waterfall->part[most])
			most = part;
	return most;
}

static const char *reason_of(enum waterfall_part part)
{
	switch (part) {
	case WATERFALL_SLACK:
		return "blocks are longer than what was asked for; poolmem sites --sort slack says "
		       "whose";
	case WATERFALL_PINNED: return "free blocks in pools that also hold live ones";
	case WATERFALL_RETAINED:
		return "free, and kept for a moment: purge.ms says how long, malloc_trim() gives "
		       "it back at once";
	case WATERFALL_CACHED:
		return "large blocks that were freed and wait for the next of the size";
	case WATERFALL_TAIL: return "ends of large blocks, which begin and end at pages";
	case WATERFALL_META: return "what the allocator needs for itself";
	case WATERFALL_TELEMETRY:
		return "what recording needs: less with sites=sample, least with sites=off";
	default: return "";
	}
}

static void say_dominant(const struct waterfall *waterfall, struct sink *sink)
{
	enum waterfall_part most = dominant(waterfall);
	uint64_t whole = waterfall_whole(waterfall);

	if (!waterfall->part[most])
		return;
	paragraph_begin_indented(sink);
	sink_print(sink, "The most besides is %s, %s (%s): %s.\n", waterfall_name(most),
		   number_bytes(waterfall->part[most]).text,
		   number_share(waterfall->part[most], whole).text, reason_of(most));
}

/* Pages of such pools without a live block are free to go. */
static void say_idle(const struct frag_process *one, struct sink *sink)
{
	const struct pins *pins = &one->pins;

	if (!pins->pinned[PIN_POOL])
		return;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "Of the pinned bytes %s are on pages without a live block, which go back with "
		   "malloc_trim(), or with time as far as they are more than what is in use and 32 MiB; %s are "
		   "on pages with live blocks, and stay.\n",
		   number_bytes(pins->idle_bytes).text, number_bytes(pins->pinned[PIN_PAGE]).text);
}

static bool is_worth_words(const struct frag_process *one)
{
	enum { WORTH = 50 };
	const struct waterfall *waterfall = &one->waterfall;
	uint64_t whole = waterfall_whole(waterfall);

	return one->pins.pinned[PIN_PAGE] > whole / WORTH;
}

static struct phrase holders_of(size_t count, const struct pins *pins)
{
	struct phrase phrase;

	snprintf(phrase.text, sizeof phrase.text, "%s %s%s", number_count(count).text,
		 pins->has_sites ? "call site" : "size class",
		 count == 1        ? ""
		 : pins->has_sites ? "s"
				   : "es");
	return phrase;
}

static void say_holders(struct frag *frag, struct frag_process *one, struct sink *sink)
{
	const struct pins *pins = &one->pins;
	uint64_t few_bytes;
	size_t few = frag_few(pins, &few_bytes);

	if (!few || !is_worth_words(one))
		return;
	const struct holder *first = &pins->holders[0];
	const struct pinned *at = &first->at[PIN_PAGE];
	char *name = frag_holder_name(frag, one, first, true);
	paragraph_begin_indented(sink);
	sink_print(sink, "%s of what stays lies beside blocks of %s. First is ",
		   number_share(few_bytes, pins->pinned[PIN_PAGE]).text, holders_of(few, pins).text);
	sink_name(sink, name, 0);
	sink_print(sink, ": %s live keep %s from going back.\n",
		   number_bytes(first->live_bytes).text,
		   number_bytes(sum(at->sole, at->shared)).text);
	free(name);
}

/* An old block among young neighbours is the cause. */
static void say_ages(const struct pins *pins, struct sink *sink)
{
	if (!pins->pool_count)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink, "%s of the %s with live blocks mix generations",
		   number_share(pins->mixed_count, pins->pool_count).text,
		   number_of(pins->pool_count, "pool").text);
	if (pins->mixed_bytes)
		sink_print(sink, ", and hold %s of the pinned bytes",
			   number_share(pins->mixed_bytes, pins->pinned[PIN_POOL]).text);
	sink_print(sink, ".\n");
}

static void say_choice(struct frag_process *one, struct sink *sink)
{
	const struct pin_choice *choice = &one->choice;

	if (!choice->count || !choice->bytes || !is_worth_words(one))
		return;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "If the blocks of %s were freed, or lay together elsewhere, %s would go back: "
		   "see To get %s back. Blocks lie together that are allocated one after the "
		   "other, so make the ones that stay before or after those that go.\n",
		   holders_of(choice->count, &one->pins).text, number_bytes(choice->bytes).text,
		   number_bytes(one->wished_bytes).text);
}

static void say_basis(const struct frag_process *one, struct sink *sink)
{
	const struct survey *survey = one->survey;

	paragraph_begin_indented(sink);
	if (survey && !survey->is_whole)
		sink_print(sink, "The survey of the heap was cut short: the segment was full "
				 "(segment.max) or the process was killed. The figures are those "
				 "of pools as they were published last.\n");
	else if (!survey && one->process->at_peak)
		sink_print(sink,
			   "It was surveyed when much was resident, and not at its end, which it "
			   "met without exit(): --at peak tells of that. Here the figures are "
			   "those of pools as they were published last.\n");
	else if (!survey && one->process->survey)
		sink_print(sink, "At the peak one process alone is surveyed, the largest: --at end "
				 "tells of the end of this one. Here the figures are those of pools "
				 "as they were published last.\n");
	else if (!survey)
		sink_print(sink,
			   "No survey was made of this process: the figures are those of "
			   "pools as they were published last, and pages that were ever "
			   "written to. For each block and page, and who pins them, record "
			   "with poolmem run --frag (and POOLMEM=sites=all for call sites).\n");
	else if (!survey->knows_pages)
		sink_print(sink, "Resident pages are not known, as the process ran under a "
				 "seccomp filter: all pages of pools are taken for resident.\n");
	else if (!one->pins.has_sites && one->pins.pinned[PIN_PAGE])
		sink_print(sink, "Call sites instead of size classes: record with "
				 "POOLMEM=sites=all.\n");
	else if (survey->torn)
		sink_print(sink, "%s of the survey contradict themselves and are left out.\n",
			   number_of(survey->torn, "record").text);
	else
		sink_print(sink, "Each block and each page is known.\n");
}

static void say_moment(const struct frag_process *one, struct sink *sink)
{
	bool has_both = one->process->survey && one->process->at_peak;
	bool is_peak = one->moment == FRAG_PEAK;

	if (!one->survey || (!has_both && !is_peak))
		return;
	paragraph_begin_indented(sink);
	if (is_peak && one->peak.then && one->peak.highest)
		sink_print(sink, "This was when %s were resident in all; most was %s.",
			   number_bytes(one->peak.then).text, number_bytes(one->peak.highest).text);
	else
		sink_print(sink, is_peak ? "This was when about most was resident."
					 : "This was at the end.");
	if (is_peak && !one->process->survey)
		sink_print(sink, " How it was at its end is not known so well: of what came after, "
				 "see What became more.");
	if (has_both)
		sink_print(sink, is_peak ? " --at end tells of the end."
					 : " --at peak tells of when most was resident.");
	sink_print(sink, "\n");
}

static void say_drift(const struct frag_process *one, struct sink *sink)
{
	const struct survey *survey = one->survey;

	if (!one->waterfall.knows_rss || !survey->drift_bytes)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "The process went on while it was looked at, and its resident memory changed by "
		   "%s (%s): the parts may be wrong by as much.\n",
		   number_bytes(survey->drift_bytes).text,
		   number_share(survey->drift_bytes, one->waterfall.rss).text);
}

void frag_words(struct frag *frag, struct frag_process *one, struct sink *sink)
{
	sink_print(sink, "\n");
	say_moment(one, sink);
	say_live(&one->waterfall, sink);
	say_dominant(&one->waterfall, sink);
	if (one->has_pins) {
		say_idle(one, sink);
		say_holders(frag, one, sink);
		say_ages(&one->pins, sink);
		say_choice(one, sink);
	}
	say_basis(one, sink);
	say_drift(one, sink);
	sink_print(sink, "\n");
}
