/* SPDX-License-Identifier: MIT */
/* survival_words.c: what the figures of survival say of a program. */
#include "model/saturate.h"
#include "render/survival.h"
#include "render/words.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <stdio.h>

/* "blocks of 48 bytes" */
static struct phrase blocks_of(const struct class_row *row)
{
	struct phrase phrase;

	if (row->kind != PM_CLASS_POOL)
		return (struct phrase){"large blocks"};
	if (!row->request_max)
		return (struct phrase){"blocks of no byte"};
	snprintf(phrase.text, sizeof phrase.text, "blocks of %s bytes",
		 number_count(row->block_bytes).text);
	return phrase;
}

static void say_epochs(const struct generations *generations, struct sink *sink)
{
	const uint32_t *threshold = generations->threshold;
	const char *clock = words_clock(generations);

	paragraph_begin_indented(sink);
	if (generations->epochs)
		sink_print(sink, "%s ended, ", number_of(generations->epochs, "epoch").text);
	if (generations->clocks_differ)
		sink_print(sink, "counted by different clocks; in the first process of %s",
			   words_epoch(generations).text);
	else
		sink_print(sink, "%s %s",
			   generations->epochs ? "each of at least" : "An epoch is of",
			   words_epoch(generations).text);
	if (generations->epoch_length > threshold[0] && !generations->clocks_differ)
		sink_print(sink, ", longer as time went by");
	sink_print(sink, " (gen.clock=%s, gen.threshold=%u:%u:%u).\n", clock ? clock : "?",
		   threshold[0], threshold[1], threshold[2]);
}

static void say_young(const struct figures *figures, struct sink *sink)
{
	const struct generations *generations = &figures->generations;
	const struct class_row *youngest = &figures->classes.youngest;

	paragraph_begin_indented(sink);
	sink_print(sink,
		   "%s of all blocks, and %s of their bytes, died in the epoch they were "
		   "born in",
		   number_share(generations->died_young, generations->born).text,
		   number_share(generations->died_young_bytes, generations->born_bytes).text);
	if (youngest->died_young)
		sink_print(sink, "; counted in blocks, %s of these are %s",
			   number_share(youngest->died_young, figures->classes.all.died_young).text,
			   blocks_of(youngest).text);
	sink_print(sink, ".\n");
	if (!metric(&figures->metrics, METRIC_INHERITED_BLOCKS))
		return;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "Of all blocks, %s are what forked children inherited, counted in the child, "
		   "too.\n",
		   number_count(metric(&figures->metrics, METRIC_INHERITED_BLOCKS)).text);
}

static void say_old(const struct figures *figures, struct sink *sink)
{
	const struct flow *blocks = &figures->generations.survival.blocks;
	const struct class_row *oldest = &figures->classes.oldest;

	paragraph_begin_indented(sink);
	if (!blocks->entered[2]) {
		sink_print(sink, "None became old: no block came to generation 2.\n");
		return;
	}
	sink_print(sink, "%s of the blocks became old, that is came to generation 2",
		   number_share(blocks->entered[2], figures->generations.born).text);
	if (oldest->flow.entered[2])
		sink_print(sink, "; %s of these are %s",
			   number_share(oldest->flow.entered[2], blocks->entered[2]).text,
			   blocks_of(oldest).text);
	sink_print(sink, ".\n");
}

static void say_lasting(const struct figures *figures, struct sink *sink)
{
	const struct survival *survival = &figures->generations.survival;
	const struct class_table *classes = &figures->classes;

	paragraph_begin_indented(sink);
	if (!survival->blocks.live[2]) {
		sink_print(sink, "Nothing lives in generation 2.\n");
		return;
	}
	bool is_one = survival->blocks.live[2] == 1;
	sink_print(sink, "%s, %s, %s left in generation 2 and %s not died",
		   number_of(survival->blocks.live[2], "block").text,
		   number_bytes(survival->bytes.live[2]).text, is_one ? "is" : "are",
		   is_one ? "has" : "have");
	for (size_t i = 0; i < classes->lasting_count; i++) {
		const struct class_row *row = &classes->lasting[i];
		sink_print(sink, "%s %s in %s", i ? "," : ":",
			   number_bytes(row->flow_bytes.live[2]).text, blocks_of(row).text);
	}
	sink_print(sink, ".\n");
}

static void say_frozen(const struct survival *survival, struct sink *sink)
{
	if (!flow_frozen(&survival->blocks))
		return;
	bool is_one = flow_frozen(&survival->blocks) == 1;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "%s, %s, %s frozen by the program and %s left out of generation 2; %s of them "
		   "died since.\n",
		   number_of(flow_frozen(&survival->blocks), "block").text,
		   number_bytes(flow_frozen(&survival->bytes)).text, is_one ? "was" : "were",
		   is_one ? "is" : "are", number_count(survival->blocks.frozen_died).text);
}

static void say_uncertain(const struct survival *survival, struct sink *sink)
{
	if (!survival->uncertain)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "At most %s may stand in the wrong generation: other threads may have "
		   "allocated while sweeps were taken%s.\n",
		   number_of(survival->uncertain, "block").text,
		   survival->served_elsewhere
			   ? ", or a realloc made blocks larger or smaller in place"
			   : "");
}

static void say_unrecorded(const struct survival *survival, struct sink *sink)
{
	if (!survival->not_known)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink, "Sweeps were not recorded");
	if (survival->processes > 1)
		sink_print(sink, " of %s of %s processes", number_count(survival->not_known).text,
			   number_count(survival->processes).text);
	sink_print(sink, ": what came to a generation, survived or lives there is %s.\n",
		   survival_says_anything(survival) ? "of the others alone" : "not known");
}

/* Why nothing can be said; NULL: something can. */
static const char *silence_of(const struct figures *figures)
{
	if (!metric(&figures->metrics, METRIC_ALLOC_COUNT) && !figures->generations.died_in_all)
		return "Nothing was allocated: of survival nothing can be said.";
	if (figures->generations.has_epochs && !figures->generations.epochs)
		return "No epoch ended: all blocks are of one age, and of survival nothing can be "
		       "said.";
	return NULL;
}

void survival_words(const struct study *study, const struct figures *figures, struct sink *sink)
{
	const struct survival *survival = &figures->generations.survival;
	const char *silence = silence_of(figures);

	sink_print(sink, "\n");
	if (study->recording->process_count)
		say_epochs(&figures->generations, sink);
	if (silence) {
		paragraph_begin_indented(sink);
		sink_print(sink, "%s\n", silence);
		return;
	}
	say_young(figures, sink);
	say_unrecorded(survival, sink);
	if (!survival_says_anything(survival))
		return;
	say_old(figures, sink);
	say_lasting(figures, sink);
	say_frozen(survival, sink);
	say_uncertain(survival, sink);
}

static void say_reasons(const struct what_if *what_if, struct sink *sink)
{
	for (int i = 0; i < WHAT_IF_REASON_COUNT; i++) {
		if (!what_if->left_out[i])
			continue;
		paragraph_begin_indented(sink);
		sink_print(sink, "Left out: %zu process%s (%s).\n", what_if->left_out[i],
			   what_if->left_out[i] == 1 ? "" : "es", what_if_reasons[i]);
	}
}

void survival_words_what_if(const struct what_if *what_if, struct sink *sink)
{
	say_reasons(what_if, sink);
	if (!what_if->processes)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "What is expected lies between the two numbers if births and deaths are spread "
		   "evenly over the longer epochs; frozen blocks are left out.\n");
	if (!what_if->doubling)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "Epochs became twice as long after each %s of them: it is assumed that the "
		   "longer ones do so too, later.\n",
		   number_count(what_if->doubling).text);
}
