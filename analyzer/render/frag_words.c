/* SPDX-License-Identifier: MIT */
/* frag_words.c: what the figures of frag say: what dominates, why it stays, what to do, what that would bring. */
#include "model/saturate.h"
#include "render/frag.h"
#include "render/words.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <stdio.h>
#include <stdlib.h>

/* What is in live blocks: both parts of it. */
static uint64_t live_of(const struct waterfall *waterfall)
{
	return sum(waterfall->part[WATERFALL_REQUESTED], waterfall->part[WATERFALL_SLACK]);
}

/* The part that is largest, live blocks as one: REQUESTED. */
static enum waterfall_part dominant(const struct waterfall *waterfall)
{
	enum waterfall_part most = WATERFALL_REQUESTED;
	uint64_t bytes = live_of(waterfall);

	for (unsigned part = WATERFALL_PINNED; part < WATERFALL_COUNT; part++)
		if (waterfall->part[part] > bytes) {
			most = part;
			bytes = waterfall->part[part];
		}
	return most;
}

/* What it is, and why it does not go. */
static const char *reason_of(enum waterfall_part part)
{
	switch (part) {
	case WATERFALL_REQUESTED:
		return "in live blocks: they stay until the program frees them, and poolmem sites "
		       "says whose they are";
	case WATERFALL_PINNED:
		return "pinned free: free blocks in pools that also hold live ones, where blocks of "
		       "that size alone can use them";
	case WATERFALL_RETAINED:
		return "retained: free pools and pages, kept for what is allocated next";
	case WATERFALL_CACHED:
		return "in thread caches: large blocks that were freed and wait for the next of the "
		       "size";
	case WATERFALL_TAIL: return "tails: ends of pools and large blocks that no block covers";
	case WATERFALL_META: return "metadata: what the allocator needs for itself";
	case WATERFALL_TELEMETRY: return "telemetry: what recording needs";
	case WATERFALL_OTHER:
		return "not heap: program, libraries, stacks and what else was mapped, which no "
		       "allocator changes";
	default: return "";
	}
}

/* Why what lives by the counts is more than what the parts have of it. */
static void say_absent(const struct waterfall *waterfall, struct sink *sink)
{
	uint64_t live = sum(live_of(waterfall), waterfall->absent);

	if (!waterfall->knows_rss || waterfall->absent <= live / 100)
		return;
	sink_print(sink,
		   " Of the %s that live %s are not resident, and in no part: pages of blocks that "
		   "were never written to, or that went to swap or back to the kernel.",
		   number_bytes(live).text, number_bytes(waterfall->absent).text);
}

static void say_dominant(const struct frag_process *one, struct sink *sink)
{
	const struct waterfall *waterfall = &one->waterfall;
	bool is_older = waterfall->basis == WATERFALL_MAP && one->publication.is_older;
	enum waterfall_part most = dominant(waterfall);
	uint64_t whole = waterfall_whole(waterfall), live = live_of(waterfall);
	uint64_t bytes = most == WATERFALL_REQUESTED ? live : waterfall->part[most];

	paragraph_begin_indented(sink);
	sink_print(sink, "Of %s %s the most, %s (%s), %s %s.", number_bytes(whole).text,
		   waterfall->knows_rss ? "resident" : "that the heap ever touched",
		   number_bytes(bytes).text, number_share(bytes, whole).text,
		   is_older ? "was then" : "is", reason_of(most));
	if (most != WATERFALL_REQUESTED)
		sink_print(sink, " %s (%s) %s in live blocks.", number_bytes(live).text,
			   number_share(live, whole).text, is_older ? "were" : "are");
	say_absent(waterfall, sink);
	sink_print(sink, "\n");
}

/* Of a survey: which of the pinned bytes could go. */
static void say_idle(const struct frag_process *one, struct sink *sink)
{
	const struct pins *pins = &one->pins;
	uint64_t stuck = pins->pinned[PIN_PAGE], idle = pins->idle_bytes;

	if (!pins->pinned[PIN_POOL])
		return;
	paragraph_begin_indented(sink);
	if (dominant(&one->waterfall) != WATERFALL_PINNED)
		sink_print(sink, "%s are pinned: free, in pools that also hold live blocks. ",
			   number_bytes(one->waterfall.part[WATERFALL_PINNED]).text);
	sink_print(sink,
		   "Of the pinned bytes %s are on pages with live blocks, and stay as long as these "
		   "live",
		   number_bytes(stuck).text);
	if (idle)
		sink_print(sink, "; %s are on pages without one, and could go",
			   number_bytes(idle).text);
	sink_print(sink, ".\n");
}

/* --- who --------------------------------------------------------------------------------------------------- */

enum { WORTH = 50 }; /* a part of the whole that is worth words */

static bool is_worth(const struct frag_process *one, uint64_t bytes)
{
	return bytes > waterfall_whole(&one->waterfall) / WORTH;
}

/* "1 call site", "2 size classes", "3 call sites and size classes": of those that `holders` (NULL: the first) names. */
static struct phrase holders_of(const struct frag_process *one, const uint32_t *holders,
				size_t count)
{
	static const char *const names[] = {"size class", "size classes", "call site", "call sites"};
	struct phrase phrase;
	size_t sites = 0;

	for (size_t i = 0; i < count; i++)
		sites += one->pins.holders[holders ? holders[i] : i].is_site;
	snprintf(phrase.text, sizeof phrase.text, "%s %s%s", number_count(count).text,
		 sites && sites < count ? "call sites and size classes"
					: names[2 * (sites > 0) + (count > 1)],
		 sites < count && one->process->slot_count > 1 ? " of threads" : "");
	return phrase;
}

static void say_holders(struct frag *frag, struct frag_process *one, struct sink *sink)
{
	const struct pins *pins = &one->pins;
	uint64_t few_bytes;
	size_t few = frag_few(pins, &few_bytes);

	if (!few || !is_worth(one, pins->pinned[PIN_PAGE]))
		return;
	const struct holder *first = &pins->holders[0];
	const struct pinned *at = &first->at[PIN_PAGE];
	char *name = frag_holder_name(frag, one, first, true);
	paragraph_begin_indented(sink);
	sink_print(sink, "%s of what stays lies beside blocks of %s. First is ",
		   number_share(few_bytes, pins->pinned[PIN_PAGE]).text,
		   holders_of(one, NULL, few).text);
	sink_name(sink, name, 0);
	sink_print(sink, ": %s live keep %s from going back.\n",
		   number_bytes(first->live_bytes).text,
		   number_bytes(sum(at->sole, at->shared)).text);
	free(name);
}

/* An old block among young neighbours is the cause. */
static void say_ages(const struct pins *pins, struct sink *sink)
{
	if (!pins->mixed_count)
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

/* --- what would bring how much ------------------------------------------------------------------------------ */

/* What malloc_trim() gives back of the heap that free pools and threads keep, and of idle pages. */
static uint64_t trimmed_of(const struct frag_process *one)
{
	const uint64_t *part = one->waterfall.part;
	return sum(sum(part[WATERFALL_RETAINED], part[WATERFALL_CACHED]),
		   one->has_pins ? one->pins.idle_bytes : 0);
}

static bool say_trim(const struct frag_process *one, struct sink *sink)
{
	uint64_t bytes = trimmed_of(one);

	if (!is_worth(one, bytes))
		return false;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "malloc_trim(0) gives back up to %s at once; of pages inside pools with live "
		   "blocks those of the thread that calls it. Without it free memory goes back after "
		   "purge.ms while its threads go on allocating. While they sleep, such pages stay, "
		   "and of all else that is free as much as is in use and 32 MiB.\n",
		   number_bytes(bytes).text);
	return true;
}

/* More is wished than these give back. */
static void say_most(const struct frag_process *one, struct sink *sink)
{
	const struct pin_choice *choice = &one->choice;

	paragraph_begin_indented(sink);
	if (choice->is_cut)
		sink_print(sink, "The first %s would give back %s of %s: no more are named.\n",
			   holders_of(one, choice->holders, choice->count).text,
			   number_bytes(choice->bytes).text, number_bytes(one->wished_bytes).text);
	else
		sink_print(sink,
			   "%s cannot be had by freeing or moving blocks beside free memory: the most "
			   "is %s, if those of %s go, all that are beside any.\n",
			   number_bytes(one->wished_bytes).text, number_bytes(choice->bytes).text,
			   holders_of(one, choice->holders, choice->count).text);
}

/* Of what was wished where no survey or no free memory tells of any: there is nothing to name. */
static bool say_no_choice(const struct frag_process *one, struct sink *sink)
{
	if (!one->wished_bytes)
		return false;
	paragraph_begin_indented(sink);
	sink_print(sink, "Whose blocks to free to get %s back: %s.\n",
		   number_bytes(one->wished_bytes).text,
		   one->has_pins ? "nobody's, no free memory is beside live blocks"
				 : "that takes a survey, which there is not");
	return true;
}

static bool say_choice(struct frag_process *one, struct sink *sink)
{
	const struct pin_choice *choice = &one->choice;

	if (!one->has_pins || !choice->count)
		return say_no_choice(one, sink);
	if (choice->bytes < one->wished_bytes) {
		say_most(one, sink);
		return true;
	}
	if (!is_worth(one, choice->bytes))
		return false;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "If the blocks of %s were freed, or lay together elsewhere, %s would go back: "
		   "see To get %s back. Blocks lie together that are allocated one after the "
		   "other, so make the ones that stay before or after those that go.\n",
		   holders_of(one, choice->holders, choice->count).text,
		   number_bytes(choice->bytes).text, number_bytes(one->wished_bytes).text);
	return true;
}

static bool say_slack(const struct frag_process *one, struct sink *sink)
{
	uint64_t bytes = one->waterfall.part[WATERFALL_SLACK];

	if (one->waterfall.split == SPLIT_NONE || !is_worth(one, bytes))
		return false;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "Sizes that fit their class save up to %s of slack: poolmem sites --sort slack "
		   "says whose it is.\n",
		   number_bytes(bytes).text);
	return true;
}

static bool say_telemetry(const struct frag_process *one, struct sink *sink)
{
	uint64_t bytes = one->waterfall.part[WATERFALL_TELEMETRY];

	if (!is_worth(one, bytes))
		return false;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "Without a recording %s less would be resident: that is telemetry, less with "
		   "sites=sample and least with sites=never.\n",
		   number_bytes(bytes).text);
	return true;
}

static void say_what_brings(struct frag_process *one, struct sink *sink)
{
	if (frag_lacks_pools(one)) {
		say_no_choice(one, sink);
		return;
	}
	bool any = say_trim(one, sink);

	any |= say_choice(one, sink);
	any |= say_slack(one, sink);
	any |= say_telemetry(one, sink);
	if (any)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "Nothing about how the heap is laid out would bring %s, a fiftieth of that: only "
		   "fewer live blocks would, or less besides the heap.\n",
		   number_bytes(waterfall_whole(&one->waterfall) / WORTH).text);
}

/* --- what is known ------------------------------------------------------------------------------------------ */

/* Whether more of what stays is pinned by size classes than by call sites. */
static bool lacks_sites(const struct pins *pins)
{
	uint64_t by_site = 0;

	for (size_t i = 0; i < pins->count; i++)
		if (pins->holders[i].is_site)
			by_site = sum(by_site, sum(pins->holders[i].at[PIN_PAGE].sole,
						   pins->holders[i].at[PIN_PAGE].shared));
	return by_site < pins->pinned[PIN_PAGE] / 2;
}

static const char *option_of_other(const struct frag_process *one)
{
	if (one->moment != MOMENT_END && one->process->survey)
		return "--at end";
	return one->moment != MOMENT_PEAK && one->process->at_peak ? "--at peak" : "--at live-peak";
}

static bool has_other_survey(const struct frag_process *one)
{
	const struct process *process = one->process;

	return (one->moment != MOMENT_END && process->survey) ||
	       (one->moment != MOMENT_PEAK && process->at_peak) ||
	       (one->moment != MOMENT_LIVE_PEAK && process->at_live_peak);
}

static void say_basis(const struct frag_process *one, struct sink *sink)
{
	const struct survey *survey = one->survey;

	paragraph_begin_indented(sink);
	if (survey && !survey->is_whole)
		sink_print(sink, "The survey of the heap was cut short: the segment was full "
				 "(segment.max) or the process was killed. The figures are those "
				 "of pools as they were published last.\n");
	else if (!survey && one->moment != MOMENT_END && has_other_survey(one))
		sink_print(sink,
			   "No survey of this process was made at %s: surveys are of the largest "
			   "process, at looks some time apart. One of another moment is there: %s "
			   "tells of it. Here the figures are those of pools as they were published "
			   "last.\n",
			   one->moment == MOMENT_PEAK ? "the peak" : "the peak of live bytes",
			   option_of_other(one));
	else if (!survey && has_other_survey(one))
		sink_print(sink,
			   "It was surveyed when much was there, and not at its end, which it "
			   "met without exit(): %s tells of that. Here the figures are "
			   "those of pools as they were published last.\n",
			   option_of_other(one));
	else if (!survey && frag_lacks_pools(one))
		sink_print(sink,
			   "No survey was made of this process, either: what its pools hold is not "
			   "known, and the parts are what the allocator takes for itself. poolmem run "
			   "--frag makes one.\n");
	else if (!survey)
		sink_print(sink,
			   "No survey was made of this process: the figures are those of "
			   "pools as they were published last, and pages that were ever "
			   "written to. For each block and page, and who pins them, record "
			   "with poolmem run --frag (and POOLMEM=sites=all for call sites).\n");
	else if (!survey->knows_pages)
		sink_print(sink, "Resident pages are not known, as the process ran under a "
				 "seccomp filter: all pages of pools are taken for resident.\n");
	else if (lacks_sites(&one->pins))
		sink_print(sink, "Each block and each page is known, but of most not who allocated "
				 "it: POOLMEM=sites=all records that.\n");
	else if (survey->torn)
		sink_print(sink, "%s of the survey contradict themselves and are left out.\n",
			   number_of(survey->torn, "record").text);
	else
		sink_print(sink, "Each block and each page is known.\n");
}

/* By how much less there was than at the peak itself. */
static void say_peak(const struct frag_process *one, struct sink *sink)
{
	const struct frag_peak *peak = &one->peak;
	bool is_live = one->moment == MOMENT_LIVE_PEAK;
	const char *what = is_live ? "live" : "resident in all";

	if (!peak->then || !peak->highest)
		sink_print(sink, "This was when about most was %s.", is_live ? "live" : "resident");
	else if (peak->then >= peak->highest)
		sink_print(sink, "This was when %s were %s, at the peak.",
			   number_bytes(peak->then).text, what);
	else
		sink_print(sink, "This was when %s were %s, %s less than at the peak, %s.",
			   number_bytes(peak->then).text, what,
			   number_share(peak->highest - peak->then, peak->highest).text,
			   number_bytes(peak->highest).text);
}

static void say_moment(const struct frag_process *one, struct sink *sink)
{
	bool is_end = one->moment == MOMENT_END;

	if (!one->survey || (is_end && !has_other_survey(one)))
		return;
	paragraph_begin_indented(sink);
	if (is_end)
		sink_print(sink, "This was at the end.");
	else
		say_peak(one, sink);
	if (!is_end && !one->process->survey)
		sink_print(sink, " How it was at its end is not known so well: of what came after, "
				 "see What became more.");
	if (!is_end && one->process->survey)
		sink_print(sink, " --at end tells of the end.");
	if (one->moment != MOMENT_PEAK && one->process->at_peak)
		sink_print(sink, " --at peak tells of when most was resident.");
	if (one->moment != MOMENT_LIVE_PEAK && one->process->at_live_peak)
		sink_print(sink, " --at live-peak tells of when most was live.");
	sink_print(sink, "\n");
}

static void say_drift(const struct frag_process *one, struct sink *sink)
{
	const struct survey *survey = one->survey;

	const struct pm_survey_counts *counts = survey ? &survey->counts : NULL;

	if (!one->waterfall.knows_rss ||
	    !(survey->drift_bytes || (survey->knows_counts && counts->drift_blocks)))
		return;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "The process went on while it was looked at, and its resident memory changed by "
		   "%s (%s)",
		   number_bytes(survey->drift_bytes).text,
		   number_share(survey->drift_bytes, one->waterfall.rss).text);
	if (survey->knows_counts && counts->drift_bytes <= counts->live_bytes)
		sink_print(sink, "; blocks of %s (%s of those that live) at most came or went",
			   number_bytes(counts->drift_bytes).text,
			   number_share(counts->drift_bytes, counts->live_bytes).text);
	else if (survey->knows_counts)
		sink_print(sink,
			   "; blocks of %s at most came or went, more than the %s that lived "
			   "in the end",
			   number_bytes(counts->drift_bytes).text,
			   number_bytes(counts->live_bytes).text);
	sink_print(sink, ": the parts may be wrong by as much.\n");
}

/* Without a survey: how old the pools are. */
static void say_publication(const struct frag_process *one, struct sink *sink)
{
	if (one->waterfall.basis == WATERFALL_MAP)
		words_publication(&one->publication, one->process->state == STATE_RUNNING, sink);
}

void frag_words(struct frag *frag, struct frag_process *one, struct sink *sink)
{
	sink_print(sink, "\n");
	say_moment(one, sink);
	say_publication(one, sink);
	if (!frag_lacks_pools(one))
		say_dominant(one, sink);
	if (one->has_pins) {
		say_idle(one, sink);
		say_holders(frag, one, sink);
		say_ages(&one->pins, sink);
	}
	say_what_brings(one, sink);
	say_basis(one, sink);
	say_drift(one, sink);
}
