/* SPDX-License-Identifier: MIT */
/* sites_words.c: what the figures of sites say of a program, and how sure they are. */
#include "render/sites.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <math.h>
#include <stdlib.h>

enum { INDENT = 2, FEW = 10 };

static void begin(struct sink *sink)
{
	paragraph_begin(sink, INDENT);
	sink_print(sink, "  ");
}

static struct number share(double part, double whole)
{
	const double parts = 1e6;
	return whole > 0 ? number_share((uint64_t)llround(fmin(part / whole, 1e6) * parts),
					(uint64_t)parts)
			 : number_share(0, 0);
}

static void say_few(struct sites *sites, struct sink *sink)
{
	double part;
	size_t count = sites_few(sites, &part);

	if (part <= 0)
		return;
	begin(sink);
	if (count > FEW) {
		sink_print(sink, "It takes %zu sites to hold %s of what there is in %s.\n", count,
			   share(part, 1).text, site_order_words[sites->order]);
		return;
	}
	char *name = sites_name(site_location(sites, &sites->list[0]));
	sink_print(sink, "%zu of %zu sites hold%s %s of what there is in %s; the first, ", count,
		   sites->used_count, count == 1 ? "s" : "", share(part, 1).text,
		   site_order_words[sites->order]);
	sink_name(sink, name, 0);
	sink_print(sink, ", %s.\n",
		   share(sites->list[0].rank,
			 site_value(&sites->all, site_order_figures[sites->order]))
			   .text);
	free(name);
}

static void say_mode(const struct sites *sites, struct sink *sink)
{
	begin(sink);
	if (sites->period_max <= 1) {
		sink_print(sink, "Each block was recorded (sites=all): the figures are counts.\n");
		return;
	}
	sink_print(sink, "A sample was recorded, one block in %s allocated",
		   number_bytes(sites->period_max).text);
	if (sites->period_min < sites->period_max)
		sink_print(sink, " or, some of the time, in %s",
			   number_bytes(sites->period_min).text);
	sink_print(sink,
		   " (sites=sample): the figures are estimates, and what lies below a few times "
		   "that may be missing.\n");
}

static void say_how_much(const struct sites *sites, struct sink *sink)
{
	if (sites->by_thread) {
		begin(sink);
		sink_print(sink, "Of one thread: live is what it allocated less what it freed "
				 "itself.\n");
		return;
	}
	if (!sites->counted_bytes)
		return;
	begin(sink);
	sink_print(sink, "Of the %s that were allocated the sites explain %s",
		   number_bytes(sites->counted_bytes).text,
		   share(site_value(&sites->all, SITE_ALLOCATED_BYTES), (double)sites->counted_bytes)
			   .text);
	if (sites->counted_live_bytes)
		sink_print(sink, ", of the %s that live %s",
			   number_bytes(sites->counted_live_bytes).text,
			   share(site_value(&sites->all, SITE_LIVE_BYTES),
				 (double)sites->counted_live_bytes)
				   .text);
	sink_print(sink, "%s.\n",
		   sites->period_max > 1 ? " (an estimate may exceed the count)" : "");
}

static void say_ends(const struct sites *sites, struct sink *sink)
{
	static const char *const words[STACK_END_COUNT] = {
		[PM_STACK_CUT] = "are deeper than is kept: their outer frames are missing",
		[PM_STACK_LOST] = "end in code without unwinding information",
		[PM_STACK_NONE] = "were not taken, for want of room or time",
	};
	double all = site_value(&sites->all, SITE_ALLOCATED);

	for (int end = PM_STACK_CUT; end < STACK_END_COUNT; end++) {
		double blocks = estimate_value(&sites->ended[end]);
		if (blocks <= 0)
			continue;
		begin(sink);
		sink_print(sink, "The stacks of %s of the blocks %s.\n", share(blocks, all).text,
			   words[end]);
	}
}

static void say_lost(const struct sites *sites, struct sink *sink)
{
	if (sites->dropped_blocks || sites->dropped_stacks) {
		begin(sink);
		sink_print(sink,
			   "The segment was full (max=, segment.max=): %s without their stack, and "
			   "%s are missing.\n",
			   number_of(sites->dropped_stacks, "recorded block").text,
			   number_of(sites->dropped_blocks, "recorded block").text);
	}
	if (sites->torn) {
		begin(sink);
		sink_print(sink, "%s made no sense and were left out.\n",
			   number_of(sites->torn, "row").text);
	}
	if (sites->silent_count) {
		begin(sink);
		sink_print(sink, "%s of %s recorded no sites.\n",
			   number_count(sites->silent_count).text,
			   number_of(sites->process_count, "process").text);
	}
}

void sites_words(struct sites *sites, struct sink *sink)
{
	sink_print(sink, "\n");
	say_few(sites, sink);
	say_mode(sites, sink);
	say_how_much(sites, sink);
	say_ends(sites, sink);
	say_lost(sites, sink);
}
