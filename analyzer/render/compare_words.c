/* SPDX-License-Identifier: MIT */
/* compare_words.c: which allocator to pick, how sure that is, and what the figures are of. */
#define _GNU_SOURCE
#include "render/compare.h"
#include "text/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct words {
	const char *aim, *less;
};

static struct words words_of(enum compare_measure measure)
{
	return measure == COMPARE_PEAK  ? (struct words){"memory", "less"}
	       : measure == COMPARE_END ? (struct words){"memory at the end", "less"}
					: (struct words){"time", "faster"};
}

static struct number figure(const struct compare_row *row, enum compare_measure measure)
{
	uint64_t median = row->of[measure].median;
	return measure == COMPARE_PEAK || measure == COMPARE_END ? number_bytes(median)
								 : number_duration(median);
}

/* Of some that is done it is not known. */
static bool lacks(const struct comparison *comparison, enum compare_measure measure)
{
	for (size_t i = 0; i < comparison->row_count; i++)
		if (comparison->row[i].state == COMPARE_DONE &&
		    !comparison->row[i].of[measure].median)
			return true;
	return false;
}

/* Names of those that are tied, "A (1 s), B (2 s) and C (3 s)". */
static void put_ties(const struct comparison *comparison, const struct compare_verdict *verdict,
		     enum compare_measure measure, struct sink *sink)
{
	size_t left = verdict->tied_count;

	for (size_t i = 0; i < comparison->row_count; i++) {
		if (!verdict->tied[i])
			continue;
		sink_name(sink, comparison->row[i].name, 0);
		sink_print(sink, " (%s)%s", figure(&comparison->row[i], measure).text,
			   left > 2    ? ", "
			   : left == 2 ? " and "
				       : "");
		left--;
	}
}

static void put_lead(const struct comparison *comparison, const struct compare_verdict *verdict,
		     enum compare_measure measure, struct sink *sink)
{
	const struct compare_row *best = &comparison->row[verdict->best];
	const struct compare_row *next = &comparison->row[verdict->next];
	double ratio = (double)best->of[measure].median / (double)next->of[measure].median;

	sink_print(sink, "%.1f %% %s than ", (1 - ratio) * 100, words_of(measure).less);
	sink_name(sink, next->name, 0);
	sink_print(sink, " (%s)", figure(next, measure).text);
}

/* Runs of each that were finished; where some have one more than others, the fewer. */
static size_t runs_of_each(const struct comparison *comparison)
{
	return comparison->interrupted && comparison->rounds ? comparison->rounds
	       : comparison->interrupted                     ? 1
							     : comparison->runs;
}

static void put_sureness(const struct comparison *comparison, const struct compare_verdict *verdict,
			 struct sink *sink)
{
	if (verdict->sureness == COMPARE_SURE)
		sink_print(sink, ": sure, by chance runs come out like that %.1f times in 100.",
			   verdict->p * 100);
	else
		sink_print(sink,
			   ": likely, not sure, by chance runs come out like that %.1f times in "
			   "100; --runs %zu tells more.",
			   verdict->p * 100, runs_of_each(comparison) + 3);
}

/* Nobody is behind the best one and those that are as good. */
static void put_doubt(const struct comparison *comparison, struct sink *sink)
{
	size_t runs = runs_of_each(comparison);

	size_t needed = compare_runs_min(comparison);

	if (runs < needed)
		sink_print(sink, " Not sure at all: %s of each prove%s nothing; --runs %zu may.",
			   number_of(runs, "run").text, runs == 1 ? "s" : "", needed);
	else
		sink_print(sink, " Nobody is behind them for sure: any will do.");
}

void compare_sentence(const struct comparison *comparison, enum compare_measure measure,
		      struct sink *sink)
{
	const struct compare_verdict *verdict = measure == COMPARE_PEAK  ? &comparison->memory
						: measure == COMPARE_END ? &comparison->end
									 : &comparison->time;
	const struct compare_row *best = &comparison->row[verdict->best];

	if (!verdict->is_known) {
		sink_print(sink, "For %s: %s.\n", words_of(measure).aim,
			   lacks(comparison, measure)
				   ? "of some too small and too short to be looked at it is not known"
				   : "fewer than two could be compared");
		return;
	}
	sink_print(sink, "For %s pick ", words_of(measure).aim);
	sink_name(sink, best->name, 0);
	sink_print(sink, " (%s%s)", figure(best, measure).text,
		   measure == COMPARE_PEAK ? " at the peak" : "");
	if (verdict->tied_count) {
		sink_print(sink, "; not told apart from it: ");
		put_ties(comparison, verdict, measure, sink);
		sink_print(sink, ".");
	}
	if (verdict->sureness == COMPARE_UNSURE) {
		put_doubt(comparison, sink);
	} else {
		sink_print(sink, verdict->tied_count ? " It is " : ", ");
		put_lead(comparison, verdict, measure, sink);
		put_sureness(comparison, verdict, sink);
	}
	sink_print(sink, "\n");
}

static void put_method_of_replay(const struct comparison *comparison, struct sink *sink)
{
	bool touches = comparison->replay->touches;

	sink_print(sink, "%s%s; time is from the first call to the last%s.\n",
		   "CPU is processor time in the calls",
		   touches ? " and in touching what they gave" : "",
		   touches ? ", resident memory less what the replay itself had" : "");
}

static void put_method_of_programs(const struct comparison *comparison, struct sink *sink)
{
	sink_print(sink, "Nothing of poolmem was in them but in its row.%s%s%s",
		   compare_has_heaps(comparison)
			   ? " Live bytes are of one more run of each, whose calls were counted."
			   : "",
		   comparison->is_server
			   ? " Time is that of the load, the end is when it was through."
			   : "",
		   lacks(comparison, COMPARE_END)
			   ? " Where the end or the mean is not told, too few looks fell into the "
			     "run, or none near its end."
			   : "");
	if (comparison->exit_code)
		sink_print(sink, " It ended with exit code %d, in these runs as by itself.",
			   comparison->exit_code);
	sink_print(sink, "\n");
}

void compare_method(const struct comparison *comparison, struct sink *sink)
{
	size_t runs = runs_of_each(comparison);

	if (runs > 1)
		sink_print(sink,
			   "Middle of %s of each, in turn; +- is half of the way from the least "
			   "to the most. ",
			   number_of(runs, "run").text);
	else
		sink_print(sink, "One run of each: one has no spread, and tells nothing of the "
				 "next. ");
	if (comparison->replay)
		put_method_of_replay(comparison, sink);
	else
		put_method_of_programs(comparison, sink);
}

void compare_interruption(const struct comparison *comparison, struct sink *sink)
{
	sink_print(sink,
		   "Interrupted (SIG%s) after %zu of %s: ", sigabbrev_np(comparison->interrupted),
		   comparison->rounds, number_of(comparison->runs, "round").text);
	sink_print(sink, "these are the runs that were finished.\n");
}

/* --- notes ------------------------------------------------------------------------------------------- */

struct notebook {
	struct compare_note *note;
	size_t count;
};

static void put_note(struct notebook *book, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put_note(struct notebook *book, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(book->note[book->count].text, sizeof book->note->text, format, arguments);
	va_end(arguments);
	book->count++;
}

/* At least so many: those that came and went between two looks were seen in the run that was counted, if at all. */
static uint64_t programs_of(const struct comparison *comparison)
{
	uint64_t programs = comparison->processes;

	for (size_t i = 0; i < comparison->row_count; i++)
		if (comparison->row[i].heap.programs > programs)
			programs = comparison->row[i].heap.programs;
	return programs;
}

static void note_programs(const struct comparison *comparison, struct notebook *book)
{
	uint64_t programs = programs_of(comparison);

	if (comparison->is_script)
		put_note(book, "The command is a script: it is its interpreter that was measured.");
	if (programs > 1)
		put_note(book,
			 "More than one program ran (%s, forks counted): resident memory is the sum "
			 "of all at a time, live bytes are those of the largest.",
			 number_count(programs).text);
}

static void note_gaps(const struct compare_replay *replay, struct notebook *book)
{
	if (replay->unknown)
		put_note(book,
			 "Left out: %s of blocks that came before the recording, or were inherited.",
			 number_of(replay->unknown, "call").text);
	if (replay->implied)
		put_note(book, "Not in the trace, and told by what came to their place: %s.",
			 number_of(replay->implied, "free").text);
	if (replay->missed)
		put_note(book,
			 "Not recorded: %s of signal handlers inside malloc, or of threads past "
			 "their end.",
			 number_of(replay->missed, "call").text);
	if (replay->is_full)
		put_note(book, "Recording ended before the program did: there was no room.");
}

static void note_refusals(const struct comparison *comparison, struct notebook *book)
{
	uint64_t refused = 0, rows = 0, worse = 0;
	const char *name = "";

	for (size_t i = 0; i < comparison->row_count; i++) {
		if (!comparison->row[i].refused)
			continue;
		refused += comparison->row[i].refused;
		name = comparison->row[i].name;
		rows++;
		worse += compare_has_refused(comparison, i);
	}
	if (rows == 1)
		put_note(book, "%s refused %s%s.", name, number_of(refused, "request").text,
			 worse ? ", and is not ranked: it did less than the others" : "");
	else if (rows)
		put_note(book, "%s refused %s in all%s.", number_of(rows, "allocator").text,
			 number_of(refused, "request").text,
			 worse ? "; those that refused more than another are not ranked" : "");
}

size_t compare_notes(const struct comparison *comparison, struct compare_note ret[COMPARE_NOTES_MAX])
{
	struct notebook book = {.note = ret};

	if (comparison->replay)
		note_gaps(comparison->replay, &book);
	else
		note_programs(comparison, &book);
	note_refusals(comparison, &book);
	return book.count;
}
