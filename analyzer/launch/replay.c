/* SPDX-License-Identifier: MIT */
/* replay.c: see replay.h. */
#define _GNU_SOURCE
#include "launch/replay.h"

#include "launch/environment.h"
#include "launch/rounds.h"
#include "launch/scratch.h"
#include "launch/signals.h"
#include "text/clock.h"
#include "text/number.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPLAYER_NAME "poolmem-replay"

enum { NS_PER_S = 1000000000 };

static const uint64_t LOOK_NS = NS_PER_S; /* a child whose end nobody tells is looked at so often */

/* Beside this program, or in ../libexec/poolmem. */
static bool find_replayer(char ret_path[PATH_MAX], struct failure *why)
{
	char own[PATH_MAX];
	ssize_t bytes = readlink("/proc/self/exe", own, sizeof own - 1);

	own[bytes > 0 ? bytes : 0] = 0;
	char *slash = strrchr(own, '/');

	if (slash)
		slash[1] = 0;
	static const char *const places[] = {"", "../libexec/poolmem/"};

	for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++)
		if (snprintf(ret_path, PATH_MAX, "%s%s" REPLAYER_NAME, own, places[i]) < PATH_MAX &&
		    access(ret_path, X_OK) == 0)
			return true;
	return fail(why, FAILURE_NOTHING,
		    REPLAYER_NAME " is neither beside poolmem nor in ../libexec/poolmem");
}

/* What is at work. */
struct replaying {
	const struct replay_plan *plan;
	const char *replayer;
	struct scratch scratch; /* for what libpoolmem.so writes */
	struct signals signals;
	struct comparison *comparison;
};

/*
 * The user's settings, and those of the allocator, which begin with them; but it serves, and what it writes goes with the
 * replay.
 */
static void set_settings(const struct allocator *allocator, const char *directory)
{
	static const char name[] = "POOLMEM=";
	const char *variable = allocator->variable;
	const char *users = environment_is_off() ? NULL : getenv("POOLMEM");
	bool is_ours = variable && strncmp(variable, name, sizeof name - 1) == 0;
	const char *before = is_ours ? variable + sizeof name - 1 : users;
	char *settings;

	if (variable && !is_ours)
		putenv((char *)variable);
	if (asprintf(&settings, "%s%sheap=own,dir=%s", before ? before : "",
		     before && *before ? "," : "", directory) < 0)
		_exit(126);
	setenv("POOLMEM", settings, 1);
}

/* In the child. */
static _Noreturn void become(const struct replaying *replaying, const struct allocator *allocator,
			     int result)
{
	const struct replay_plan *plan = replaying->plan;
	const char *const argv[] = {REPLAYER_NAME, plan->mode, plan->script, NULL};

	signals_give_back(&replaying->signals);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive who reads the result */
	if (dup2(result, SCRIPT_RESULT_FD) < 0)
		_exit(126);
	if (allocator->kind == ALLOCATOR_GLIBC) /* poolmem-replay is linked with no other */
		unsetenv("LD_PRELOAD");
	else
		setenv("LD_PRELOAD", allocator->path, 1);
	set_settings(allocator, replaying->scratch.directory);
	execv(replaying->replayer, (char *const *)argv);
	_exit(127);
}

static void end(pid_t pid, int *ret_status)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
}

/* false: somebody wants an end, or the time is over; the replayer is then ended. */
static bool wait_for(const struct replaying *replaying, pid_t pid, int *ret_status,
		     struct failure *why)
{
	const uint64_t timeout_ns = replaying->plan->timeout_ns;
	uint64_t began = monotonic_ns(), passed = 0;

	while (waitpid(pid, ret_status, WNOHANG) != pid) {
		uint64_t left = timeout_ns ? timeout_ns - passed : LOOK_NS;
		int number = signals_wait(&replaying->signals, left < LOOK_NS ? left : LOOK_NS);

		passed = monotonic_ns() - began;
		if (!number && (!timeout_ns || passed < timeout_ns))
			continue;
		end(pid, ret_status);
		replaying->comparison->interrupted = number;
		if (number)
			return fail(why, FAILURE_NOTHING, "interrupted");
		return fail(why, FAILURE_NOTHING, "it did not end within %s (--timeout)",
			    number_seconds(timeout_ns).text);
	}
	return true;
}

static bool take_result(const struct replaying *replaying, int fd, pid_t pid,
			struct script_result *ret, struct failure *why)
{
	int status = 0;

	if (!wait_for(replaying, pid, &status, why))
		return false;
	if (WIFSIGNALED(status))
		return fail(why, FAILURE_NOTHING, "killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	return (WEXITSTATUS(status) == 0 && read(fd, ret, sizeof *ret) == sizeof *ret) ||
	       fail(why, FAILURE_NOTHING, "the replay did not come to its end");
}

static bool run_once(const struct replaying *replaying, const struct allocator *allocator,
		     struct script_result *ret, struct failure *why)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(why, FAILURE_NOTHING, "pipe: %s", strerror(errno));
	pid_t pid = fork();

	if (pid == 0)
		become(replaying, allocator, ends[1]);
	bool done = pid > 0 ? take_result(replaying, ends[0], pid, ret, why)
			    : fail(why, FAILURE_NOTHING, "fork: %s", strerror(errno));

	close(ends[0]);
	close(ends[1]);
	scratch_clear(&replaying->scratch);
	return done;
}

/* --- in turn ---------------------------------------------------------------------------------------- */

static void note(struct compare_row *row, const struct script_result *result)
{
	size_t at = row->runs++;

	row->state = COMPARE_DONE;
	row->of[COMPARE_TIME].run[at] = result->wall_ns;
	row->of[COMPARE_CPU].run[at] = result->calls_ns;
	row->of[COMPARE_PEAK].run[at] = result->rss_peak;
	row->of[COMPARE_END].run[at] = result->rss_end;
	row->of[COMPARE_MEAN].run[at] = result->rss_mean;
	row->of[COMPARE_FAULTS].run[at] = result->faults;
	row->steps += result->steps;
	row->refused += result->failed;
}

static void run_row(const struct replaying *replaying, const struct allocator *allocator,
		    struct compare_row *row)
{
	struct script_result result = {.steps = 0};
	struct failure why;

	if (replaying->comparison->interrupted ||
	    (row->state != COMPARE_DONE && row->state != COMPARE_UNTRIED))
		return;
	if (run_once(replaying, allocator, &result, &why)) {
		note(row, &result);
	} else if (!replaying->comparison->interrupted) {
		row->state = COMPARE_FAILED;
		snprintf(row->why, sizeof row->why, "%s", why.text);
	}
}

static void run_all(const struct replaying *replaying, const struct allocators *allocators)
{
	const struct replay_plan *plan = replaying->plan;
	struct comparison *comparison = replaying->comparison;
	size_t count = allocators->count;

	for (size_t round = 0; round < plan->runs; round++) {
		for (size_t i = 0, done = round * count; i < count; i++) {
			size_t which = (i + round) % count;
			progress_step(plan->progress, done + i, plan->runs * count);
			run_row(replaying, &allocators->list[which], &comparison->row[which]);
		}
		comparison->rounds += !comparison->interrupted;
	}
	progress_end(plan->progress);
}

static bool has_one(const struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->row_count; i++)
		if (comparison->row[i].runs)
			return true;
	return false;
}

static void explain_untried(struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->row_count; i++)
		if (comparison->row[i].state == COMPARE_UNTRIED)
			snprintf(comparison->row[i].why, sizeof comparison->row[i].why,
				 "interrupted before its first replay ended");
}

/* "glibc, jemalloc": all that have the same to say as this row; false: one before it had. */
static bool name_alike(const struct comparison *comparison, size_t row, char *text, size_t room)
{
	const char *reason = comparison->row[row].why;

	*text = 0;
	for (size_t i = 0; i < comparison->row_count; i++) {
		size_t used = strlen(text);
		if (strcmp(comparison->row[i].why, reason) != 0)
			continue;
		if (i < row)
			return false;
		snprintf(text + used, room - used, "%s%.100s", used ? ", " : "",
			 comparison->row[i].name);
	}
	return true;
}

/* "glibc, jemalloc: why; poolmem: why" */
static bool fail_each(const struct comparison *comparison, struct failure *why)
{
	char all[sizeof why->text] = "", names[sizeof all];

	for (size_t i = 0; i < comparison->row_count; i++) {
		size_t used = strlen(all);
		if (name_alike(comparison, i, names, sizeof names))
			snprintf(all + used, sizeof all - used, "%s%s: %.200s", used ? "; " : "",
				 names, comparison->row[i].why);
	}
	return fail(why, FAILURE_NOTHING, "%s", all);
}

/* Why there is not a single run. */
static bool fail_whole(const struct comparison *comparison, struct failure *why)
{
	if (comparison->interrupted)
		return fail(why, FAILURE_NOTHING, "interrupted before the first replay ended");
	if (!comparison->row_count)
		return fail(why, FAILURE_NOTHING, "no allocator to replay with");
	return fail_each(comparison, why);
}

bool replay_run(const struct replay_plan *plan, const struct allocators *allocators,
		struct comparison *ret, struct failure *why)
{
	char replayer[PATH_MAX];
	struct replaying replaying = {.plan = plan, .replayer = replayer, .comparison = ret};

	*ret = (struct comparison){
		.replay = plan->facts, .runs = plan->runs, .row_count = allocators->count};
	if (!find_replayer(replayer, why) || !scratch_open("replay", &replaying.scratch, why))
		return false;
	for (size_t i = 0; i < allocators->count; i++)
		rounds_begin_row(&ret->row[i], &allocators->list[i]);
	signals_take(&replaying.signals);
	run_all(&replaying, allocators);
	explain_untried(ret);
	scratch_close(&replaying.scratch);
	signals_give_back(&replaying.signals);
	compare_conclude(ret);
	return has_one(ret) || fail_whole(ret, why);
}
