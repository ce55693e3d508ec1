/* SPDX-License-Identifier: MIT */
/* words.c: see words.h. */
#define _GNU_SOURCE 1

#include "render/words.h"

#include "model/saturate.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINDING_INDENT = 2, NOTE_INDENT = 4 };

struct phrase words_blocks(const struct metrics *metrics, enum metric which)
{
	const struct metric_bound *bound = &metrics->bound[which];
	uint64_t least = metric(metrics, which);
	struct phrase phrase;

	if (bound->is_known && (uint64_t)bound->at_most != least)
		snprintf(phrase.text, sizeof phrase.text, "%s to %s", number_count(least).text,
			 number_of((uint64_t)bound->at_most, "block").text);
	else
		snprintf(phrase.text, sizeof phrase.text, "%s", number_of(least, "block").text);
	return phrase;
}

struct phrase words_bytes_within(uint64_t bytes, const struct metric_bound *bound)
{
	struct number least = number_bytes(bytes);
	struct number most = number_bytes((uint64_t)bound->at_most);
	bool differs = bound->is_known && strcmp(least.text, most.text) != 0;
	struct phrase phrase;

	snprintf(phrase.text, sizeof phrase.text, "%s%s%s", least.text, differs ? ", at most " : "",
		 differs ? most.text : "");
	return phrase;
}

struct phrase words_bytes(const struct metrics *metrics, enum metric which)
{
	return words_bytes_within(metric(metrics, which), &metrics->bound[which]);
}

static void say_class(const struct finding *finding, struct sink *sink)
{
	struct number share = number_share(finding->part, finding->whole);

	if (strcmp(finding->name, "large") == 0)
		sink_print(sink, "%s of all allocations were large blocks.", share.text);
	else if (strcmp(finding->name, "0") == 0)
		sink_print(sink, "%s of all allocations asked for no byte at all.", share.text);
	else
		sink_print(sink, "%s of all allocations were blocks of %s bytes.", share.text,
			   number_count(strtoull(finding->name, NULL, 10)).text);
}

const char *words_clock(const struct generations *generations)
{
#define CLOCK_KEY(name, key, length, help) key,
	static const char *const keys[] = {PM_CLOCKS(CLOCK_KEY)};
#undef CLOCK_KEY
	return generations->clock < PM_CLOCK_COUNT ? keys[generations->clock] : NULL;
}

static struct number clock_figure(uint32_t clock, uint64_t units)
{
	if (clock == PM_CLOCK_BYTES)
		return number_bytes(units);
	if (clock == PM_CLOCK_MS)
		return number_duration(product(units, 1000000));
	return number_count(units);
}

static const char *clock_unit(uint32_t clock)
{
	switch (clock) {
	case PM_CLOCK_ALLOCS: return " allocations";
	case PM_CLOCK_BYTES: return " of allocations";
	case PM_CLOCK_NET: return " allocations net of frees";
	case PM_CLOCK_MS: return "";
	default: return " units of a clock unknown here";
	}
}

struct phrase words_epoch(const struct generations *generations)
{
	uint64_t first = generations->threshold[0], now = generations->epoch_length;
	struct number from = clock_figure(generations->clock, first);
	struct number to = clock_figure(generations->clock, now);
	bool grew = now > first && strcmp(from.text, to.text) != 0;
	struct phrase phrase;

	snprintf(phrase.text, sizeof phrase.text, "%.20s%s%.26s%s", from.text, grew ? " to " : "",
		 grew ? to.text : "", clock_unit(generations->clock));
	return phrase;
}

static void say_ages(const struct finding *finding, const struct generations *generations,
		     struct sink *sink)
{
	sink_print(sink, "%s%s of the freed blocks died in the epoch they were born in",
		   finding->kind == FINDING_LIVED_LONG ? "Only " : "",
		   number_share(finding->part, finding->whole).text);
	if (generations->clocks_differ)
		sink_print(sink, ".");
	else
		sink_print(sink, " (%s long).", words_epoch(generations).text);
}

static void say(const struct finding *finding, const struct generations *generations,
		struct sink *sink)
{
	struct number share = number_share(finding->part, finding->whole);

	switch (finding->kind) {
	case FINDING_IDLE: sink_print(sink, "Nothing was allocated."); return;
	case FINDING_ONE_CLASS: say_class(finding, sink); return;
	case FINDING_DIED_YOUNG:
	case FINDING_LIVED_LONG: say_ages(finding, generations, sink); return;
	case FINDING_HEAP_EMPTY:
		sink_print(sink, "Live blocks fill only %s of the %s of pools that were written to.",
			   share.text, number_bytes(finding->whole).text);
		return;
	case FINDING_HEAP_FULL:
		sink_print(sink, "The pools are tight: live blocks fill %s of the %s written to.",
			   share.text, number_bytes(finding->whole).text);
		return;
	case FINDING_REMOTE:
		sink_print(sink, "%s of the frees came from a thread that does not own the block.",
			   share.text);
		return;
	case FINDING_GROWS:
		sink_print(sink, "%s of the allocated blocks were not freed.", share.text);
		return;
	case FINDING_REALLOC_MOVES:
		sink_print(sink, "%s of the reallocs had to move the block.", share.text);
		return;
	}
}

void words_findings(const struct figures *figures, struct sink *sink)
{
	const struct findings *findings = &figures->findings;

	for (size_t i = 0; i < findings->count; i++) {
		paragraph_begin(sink, FINDING_INDENT);
		sink_print(sink, "  ");
		say(&findings->list[i], &figures->generations, sink);
		sink_print(sink, "\n");
	}
}

struct phrase words_signal(int64_t signal)
{
	struct phrase phrase;
	const char *name = signal < 65 ? sigabbrev_np((int)signal) : NULL;

	if (name)
		snprintf(phrase.text, sizeof phrase.text, "killed by SIG%s", name);
	else
		snprintf(phrase.text, sizeof phrase.text, "killed by signal %lld",
			 (long long)signal);
	return phrase;
}

struct phrase words_state(const struct process *process)
{
	struct phrase phrase;

	switch (process->state) {
	case STATE_KILLED: return words_signal(process->signal);
	case STATE_EXITED:
		snprintf(phrase.text, sizeof phrase.text, "exited %lld",
			 (long long)process->exit_status);
		return phrase;
	case STATE_ENDED: return (struct phrase){"ended without exit() (killed or _exit)"};
	case STATE_UNKNOWN: return (struct phrase){"running, or ended without exit()"};
	default:
		snprintf(phrase.text, sizeof phrase.text, "%s", process_state_key(process->state));
		return phrase;
	}
}

struct phrase words_state_brief(const struct process *process)
{
	struct phrase phrase;

	if (process->state == STATE_KILLED || process->state == STATE_EXITED)
		return words_state(process);
	snprintf(phrase.text, sizeof phrase.text, "%s", process_state_key(process->state));
	return phrase;
}

static void say_when(const struct publication *publication, bool is_running, struct sink *sink)
{
	if (!publication->is_published) {
		sink_print(sink, "Its pools were never published");
		return;
	}
	sink_print(sink, "These are the pools as they were published last: ");
	if (publication->knows_age)
		sink_print(sink, "%s ago, ", number_duration(publication->age_ns).text);
	sink_print(sink, "in epoch %s of %s", number_count(publication->epoch).text,
		   number_count(publication->epochs).text);
	if (publication->knows_allocations)
		sink_print(sink, ", at most %s %s",
			   number_of(publication->allocations, "allocation").text,
			   is_running ? "ago" : "before the end");
}

void words_publication(const struct publication *publication, bool is_running, struct sink *sink)
{
	if (!publication->is_older)
		return;
	paragraph_begin_indented(sink);
	say_when(publication, is_running, sink);
	if (publication->knows_live)
		sink_print(sink, ". By the counts, which are not old, %s in %s %s",
			   number_bytes(publication->live_bytes).text,
			   number_of(publication->live_blocks, "block").text,
			   is_running ? "live now" : "lived at the end");
	sink_print(sink, ".\n");
}

static void say_remark(const struct note *note, struct sink *sink)
{
	bool has_unit = note->count && note->unit;

	if (!has_unit && !*note->detail)
		return;
	sink_print(sink, " (");
	if (has_unit)
		sink_print(sink, "%s %s", number_count(note->count).text,
			   note->count == 1 ? note->unit->one : note->unit->many);
	sink_print(sink, "%s%s)", has_unit && *note->detail ? "; " : "", note->detail);
}

static void say_note(const struct note *note, struct sink *sink)
{
	paragraph_begin(sink, NOTE_INDENT);
	sink_print(sink, "  - %c%s", toupper((unsigned char)note->text[0]), note->text + 1);
	say_remark(note, sink);
	sink_print(sink, ".\n");
}

bool words_has_notes(const struct notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		if (!notes->notes[i].is_for_machines)
			return true;
	return false;
}

void words_notes(const struct notes *notes, struct sink *sink)
{
	if (!words_has_notes(notes))
		return;
	sink_print(sink, "\n");
	sink_style(sink, STYLE_WARN);
	sink_print(sink, "What to know about these figures");
	sink_style(sink, STYLE_PLAIN);
	sink_print(sink, "\n");
	for (size_t i = 0; i < notes->count; i++)
		if (!notes->notes[i].is_for_machines)
			say_note(&notes->notes[i], sink);
}
