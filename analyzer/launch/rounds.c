/* SPDX-License-Identifier: MIT */
/* rounds.c: see rounds.h. */
#define _GNU_SOURCE
#include "launch/rounds.h"

#include "launch/counted.h"
#include "launch/environment.h"
#include "launch/library.h"
#include "launch/say.h"
#include "text/allocate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { NS_PER_S = 1000000000, HINT_SECONDS = 60 };

/* Of the runs of one allocator, beside its row. */
struct kept {
	struct compare_point *of[COMPARE_RUNS_MAX];
	size_t count[COMPARE_RUNS_MAX];
};

struct rounds {
	const struct rounds_plan *plan;
	const struct allocators *allocators;
	struct comparison *comparison;
	struct kept kept[COMPARE_ROWS_MAX];
	struct counted counted;
	int expected; /* wait status of the first run */
	uint64_t done, total;
	const char *runs_now; /* whose allocator's run it is; NULL: the one before all */
	bool hinted;
};

_Static_assert((int)ALLOCATOR_MAX <= (int)COMPARE_ROWS_MAX, "a row for each");

/* --- one run ---------------------------------------------------------------------------------------------- */

static bool brings_an_allocator(const struct target *target)
{
	for (size_t i = 0; i < target->finding_count; i++)
		if (target->finding[i].kind == TARGET_FINDING_ALLOCATOR)
			return true;
	return false;
}

/* glibc's is there anyhow, unless the program is linked with another that comes first. */
static const char *library_of(const struct rounds *rounds, const struct allocator *allocator)
{
	bool is_needed = allocator->kind != ALLOCATOR_GLIBC ||
			 brings_an_allocator(rounds->plan->bare.target);
	return is_needed ? allocator->path : "";
}

/* Somebody waits: for what, and what can be done. */
static void tell(void *context, const char *what, uint64_t waited_ns)
{
	struct rounds *rounds = context;
	uint64_t seconds = waited_ns / NS_PER_S;
	char note[256];

	snprintf(note, sizeof note, "%s: %s, %llu s",
		 rounds->runs_now ? rounds->runs_now : "first run", what,
		 (unsigned long long)seconds);
	progress_note(rounds->plan->progress, note);
	if (rounds->hinted || rounds->runs_now || rounds->plan->bare.timeout_ns ||
	    seconds < HINT_SECONDS)
		return;
	rounds->hinted = true;
	progress_end(rounds->plan->progress);
	say("the first of %llu runs has waited a minute for %s;", (unsigned long long)rounds->total,
	    what);
	say("--timeout TIME bounds each, --runs and --only make them fewer");
}

static bool run_once(struct rounds *rounds, const struct allocator *allocator, bool counts,
		     struct bare_run *ret, struct failure *why)
{
	const char *library = library_of(rounds, allocator);
	bool is_ours = allocator->kind == ALLOCATOR_POOLMEM;
	char ours[2 * PATH_MAX], libraries[3 * PATH_MAX + 2], settings[PATH_MAX + 64];
	struct bare_plan plan = rounds->plan->bare;

	rounds->runs_now = allocator->name;
	plan.tell = tell;
	plan.context = rounds;
	library_with_operators(rounds->plan->library, ours);
	snprintf(libraries, sizeof libraries, "%s%s%s",
		 !counts   ? ""
		 : is_ours ? rounds->plan->library
			   : ours,
		 counts && !is_ours ? ":" : "", counts && is_ours ? "" : library);
	snprintf(settings, sizeof settings, "POOLMEM=sites=never,gen=off,heap=%s,dir=%s",
		 is_ours ? "own" : "next", rounds->counted.scratch.directory);
	const char *const variables[] = {allocator->variable, counts || is_ours ? settings : NULL};
	char **environment = environment_under(libraries, variables, 2);

	plan.environment = environment;
	bool done = bare_run(&plan, ret, why);
	environment_free(environment);
	rounds->comparison->interrupted = ret->interrupted;
	if (ret->processes > rounds->comparison->processes)
		rounds->comparison->processes = ret->processes;
	return done && !ret->interrupted;
}

/* A server is ended by a signal, and may well say so. */
static bool ended_well(const struct rounds *rounds, const struct bare_run *run, struct failure *why)
{
	int status = run->wait_status;

	if (rounds->plan->bare.load || status == rounds->expected)
		return true;
	if (WIFSIGNALED(status))
		return fail(why, FAILURE_NOTHING, "killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	return fail(why, FAILURE_NOTHING, "exit code %d, and not %d as by itself",
		    WEXITSTATUS(status), WEXITSTATUS(rounds->expected));
}

static void step(struct rounds *rounds)
{
	progress_step(rounds->plan->progress, ++rounds->done, rounds->total);
}

/* --- rows --------------------------------------------------------------------------------------------------- */

/* No more than there are: a program that is run begins as a copy of this process, and its peak is seen when it is above. */
static void keep_points(const struct timeline *timeline, struct kept *kept, size_t at)
{
	kept->count[at] = timeline->count;
	kept->of[at] = allocate(timeline->count + 1, sizeof *kept->of[at]);
	for (size_t i = 0; i < timeline->count; i++)
		kept->of[at][i] = (struct compare_point){timeline->point[i].at_ms,
							 timeline->point[i].bytes};
}

static void note(struct compare_row *row, const struct bare_run *run, struct kept *kept)
{
	size_t at = row->runs++;

	row->of[COMPARE_TIME].run[at] = run->elapsed_ns;
	row->of[COMPARE_CPU].run[at] = run->cpu_ns;
	row->of[COMPARE_PEAK].run[at] = run->rss_peak;
	row->of[COMPARE_END].run[at] = run->rss_end;
	row->of[COMPARE_MEAN].run[at] = run->rss_mean;
	row->of[COMPARE_FAULTS].run[at] = run->faults;
	keep_points(&run->timeline, kept, at);
}

static bool is_wanted(const struct rounds *rounds, const struct compare_row *row)
{
	return !rounds->comparison->interrupted &&
	       (row->state == COMPARE_DONE || row->state == COMPARE_UNTRIED);
}

static void run_row(struct rounds *rounds, size_t index)
{
	struct compare_row *row = &rounds->comparison->row[index];
	static struct bare_run run; /* too large for a stack */
	struct failure why;

	if (!is_wanted(rounds, row))
		return step(rounds);
	bool done = run_once(rounds, &rounds->allocators->list[index], false, &run, &why) &&
		    ended_well(rounds, &run, &why);

	if (done) {
		row->state = COMPARE_DONE;
		note(row, &run, &rounds->kept[index]);
	} else if (!rounds->comparison->interrupted) {
		row->state = COMPARE_FAILED;
		snprintf(row->why, sizeof row->why, "%s", why.text);
	}
	step(rounds);
}

static void count_row(struct rounds *rounds, size_t index)
{
	const struct allocator *allocator = &rounds->allocators->list[index];
	struct compare_row *row = &rounds->comparison->row[index];
	static struct bare_run run;
	struct failure why;

	counted_clear(&rounds->counted); /* of what poolmem's own row has left */
	bool is_counted = !is_wanted(rounds, row) ||
			  (run_once(rounds, allocator, true, &run, &why) &&
			   ended_well(rounds, &run, &why) &&
			   counted_take(&rounds->counted, &run,
					allocator->kind != ALLOCATOR_POOLMEM, &row->heap, &why));

	if (!is_counted && !rounds->comparison->interrupted)
		snprintf(row->heap_why, sizeof row->heap_why, "%s", why.text);
	step(rounds);
}

void rounds_begin_row(struct compare_row *row, const struct allocator *allocator)
{
	*row = (struct compare_row){
		.name = allocator->name,
		.path = allocator->path[0] ? allocator->path : NULL,
		.package = allocator->package,
		.variable = allocator->variable,
		.state = allocator->path[0] ? COMPARE_UNTRIED : COMPARE_MISSING,
	};
	if (!allocator->path[0])
		snprintf(row->why, sizeof row->why, "%s", allocator->missing.text);
}

/* The run whose peak is in the middle stands for all. */
static size_t middle_of(const struct compare_row *row)
{
	const struct compare_figure *peak = &row->of[COMPARE_PEAK];
	uint64_t nearest = UINT64_MAX;
	size_t middle = 0;

	for (size_t i = 0; i < row->runs; i++) {
		uint64_t run = peak->run[i], median = peak->median;
		uint64_t distance = run > median ? run - median : median - run;
		if (distance < nearest)
			middle = i;
		nearest = distance < nearest ? distance : nearest;
	}
	return middle;
}

static void end_row(struct compare_row *row, struct kept *kept)
{
	size_t middle = middle_of(row);

	if (row->state == COMPARE_DONE && row->runs) {
		row->points = kept->of[middle];
		row->point_count = kept->count[middle];
		kept->of[middle] = NULL;
	}
	for (size_t i = 0; i < row->runs; i++)
		free(kept->of[i]);
}

/* --- all ----------------------------------------------------------------------------------------------------- */

static bool run_first(struct rounds *rounds, struct failure *why)
{
	static struct bare_run run;
	struct allocator plain = {.kind = ALLOCATOR_GLIBC};
	struct failure own;

	if (!run_once(rounds, &plain, false, &run, &own))
		return fail(why, FAILURE_NOTHING, "%s: %s", rounds->plan->bare.argv[0], own.text);
	rounds->expected = run.wait_status;
	if (!rounds->plan->bare.load && WIFEXITED(run.wait_status))
		rounds->comparison->exit_code = WEXITSTATUS(run.wait_status);
	step(rounds);
	if (!rounds->plan->bare.load && WIFSIGNALED(run.wait_status))
		return fail(why, FAILURE_NOTHING, "%s: killed by SIG%s without any of them",
			    rounds->plan->bare.argv[0], sigabbrev_np(WTERMSIG(run.wait_status)));
	return true;
}

static void run_all(struct rounds *rounds)
{
	size_t count = rounds->comparison->row_count;

	for (size_t round = 0; round < rounds->plan->runs; round++) {
		for (size_t i = 0; i < count; i++)
			run_row(rounds, (i + round) % count);
		rounds->comparison->rounds += !rounds->comparison->interrupted;
	}
	for (size_t i = 0; i < count; i++)
		count_row(rounds, i);
}

static bool has_runs(const struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->row_count; i++)
		if (comparison->row[i].runs)
			return true;
	return false;
}

bool rounds_run(const struct rounds_plan *plan, const struct allocators *allocators,
		struct comparison *ret, struct failure *why)
{
	struct rounds *rounds = allocate(1, sizeof *rounds);

	*rounds = (struct rounds){.plan = plan, .allocators = allocators, .comparison = ret};
	*ret = (struct comparison){.argv = plan->bare.argv,
				   .runs = plan->runs,
				   .is_server = plan->bare.load,
				   .is_script = !plan->bare.target->is_elf,
				   .row_count = allocators->count};
	for (size_t i = 0; i < ret->row_count; i++)
		rounds_begin_row(&ret->row[i], &allocators->list[i]);
	rounds->total = 1 + (plan->runs + 1) * ret->row_count;
	bool done = counted_open(&rounds->counted, why);
	if (done) {
		done = run_first(rounds, why);
		if (done)
			run_all(rounds);
		counted_close(&rounds->counted);
	}
	if (done && ret->interrupted && !has_runs(ret))
		done = fail(why, FAILURE_NOTHING, "interrupted before the first run ended");
	if (done)
		compare_conclude(ret);
	for (size_t i = 0; i < ret->row_count; i++)
		end_row(&ret->row[i], &rounds->kept[i]);
	free(rounds);
	return done;
}

void rounds_free(struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->row_count; i++)
		free(comparison->row[i].points);
}
