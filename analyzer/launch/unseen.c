/* SPDX-License-Identifier: MIT */
/* unseen.c: see unseen.h. */
#include "launch/unseen.h"

#include "launch/target.h"
#include "study/site_name.h"
#include "text/quote.h"

#include <fnmatch.h>
#include <string.h>

static bool is_accepted(const struct budget_test *test, const struct check_unrecorded *program)
{
	for (size_t i = 0; i < test->unrecorded_count; i++)
		if (fnmatch(test->unrecorded[i], site_file_name(program->path), 0) == 0 ||
		    fnmatch(test->unrecorded[i], program->path, 0) == 0)
			return true;
	return false;
}

/* Why it left none, and what to do about it. */
static const char *why_unrecorded(struct keep *keep, const struct check_unrecorded *program)
{
	static struct target target;
	char text[PATH_MAX + 2 * TARGET_DETAIL_MAX];

	if (program->has_library)
		return keep_text(keep,
				 "%s loaded libpoolmem.so and left no record: POOLMEM=off was set for "
				 "it, or it cannot write where segments go",
				 program->path);
	if (!strchr(program->path, '/'))
		return keep_text(keep, "%s left no record: the loader may ignore preloads for it",
				 program->path);
	target_inspect(program->path, "", &target);
	for (size_t i = 0; i < target.finding_count; i++) {
		if (target_finding_weight(target.finding[i].kind) == TARGET_PARTLY)
			continue;
		target_finding_text(&target.finding[i], text, sizeof text);
		return keep_text(keep, "%s%s", text,
				 target.finding[i].kind == TARGET_FINDING_STATIC
					 ? "; link it dynamically"
					 : "");
	}
	return keep_text(
		keep,
		"%s ran without libpoolmem.so: leave LD_PRELOAD and POOLMEM in its environment",
		program->path);
}

/* The names that are wanted, in a list; NULL: there is none. */
static const char *list_unrecorded(struct trial *trial, const struct measured *run, bool is_wanted)
{
	struct keep *keep = &trial->keep;
	const char *list = NULL;

	for (size_t i = 0; i < run->unrecorded_count; i++)
		if (is_accepted(trial->test, &run->unrecorded[i]) == is_wanted)
			list = keep_text(keep, "%.300s%s%s", list ? list : "", list ? ", " : "",
					 site_file_name(run->unrecorded[i].path));
	return list;
}

void unseen_note(struct trial *trial, const struct record *record, const struct measured *run)
{
	struct keep *keep = &trial->keep;

	if (run->kernel_error && (record->watch->has_forked || record->watch->family.count > 1))
		trial_note(
			trial,
			keep_text(keep,
				  "the kernel does not tell which programs a test starts (%s): "
				  "one without a record that ended between two looks was not seen; "
				  "kernel.perf_event_paranoid=2 or less, or CAP_PERFMON, mends that",
				  run->kernel_error));
	if (record->draws_addresses)
		trial_note(trial, "addresses are drawn at random here, as personality(2) "
				  "is not allowed: figures may differ from run to run");
}

/* As `unrecorded` takes it: what is a letter of the name is none of a pattern. */
static const char *pattern_of(struct keep *keep, const char *name)
{
	char *pattern = keep_items(keep, 2 * strlen(name) + 1, 1), *out = pattern;

	for (; *name; *out++ = *name++)
		if (strchr("*?[\\", *name))
			*out++ = '\\';
	return keep_taken(keep, quote_word(pattern));
}

/* A program of that name, elsewhere, stands before it. */
static bool is_named(const struct measured *run, size_t index)
{
	const char *name = site_file_name(run->unrecorded[index].path);

	for (size_t i = 0; i < index; i++)
		if (strcmp(site_file_name(run->unrecorded[i].path), name) == 0)
			return true;
	return false;
}

/* What to write so that these programs are accepted, each once. */
static const char *way_out(struct trial *trial, const struct measured *run)
{
	struct keep *keep = &trial->keep;
	bool has_budget = trial->test->line != 0;
	const char *list = NULL;
	size_t count = 0;

	for (size_t i = 0; i < run->unrecorded_count; i++) {
		const struct check_unrecorded *program = &run->unrecorded[i];
		if (is_accepted(trial->test, program) || is_named(run, i))
			continue;
		list = keep_text(keep, has_budget ? "%s%s'unrecorded = %s'" : "%s%s--unrecorded %s",
				 list ? list : "",
				 !list        ? ""
				 : has_budget ? " and "
					      : " ",
				 pattern_of(keep, site_file_name(program->path)));
		count++;
	}
	return has_budget ? keep_text(keep, "%s %s in the budget",
				      count > 1 ? "the lines" : "the line", list)
			  : list;
}

const char *unseen_judge(struct trial *trial, const struct measured *run)
{
	struct keep *keep = &trial->keep;
	const char *accepted = list_unrecorded(trial, run, true);
	const char *others = list_unrecorded(trial, run, false);

	if (accepted)
		trial_note(trial,
			   keep_text(keep, "in no figure are, as the budget allows: %s", accepted));
	for (size_t i = 0; others && i < run->unrecorded_count; i++) {
		const struct check_unrecorded *program = &run->unrecorded[i];
		if (is_accepted(trial->test, program))
			continue;
		return keep_text(keep,
				 "programs that it started were not recorded: %s (%s); where their "
				 "memory is of no interest, accept that with %s",
				 others, why_unrecorded(keep, program), way_out(trial, run));
	}
	return NULL;
}
