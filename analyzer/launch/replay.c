/* SPDX-License-Identifier: MIT */
/* replay.c: see replay.h. */
#define _GNU_SOURCE
#include "launch/replay.h"

#include "launch/rounds.h"

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

/* In the child. */
static _Noreturn void become(const struct allocator *allocator, const char *replayer,
			     const char *script, const char *mode, int result)
{
	const char *const argv[] = {REPLAYER_NAME, mode, script, NULL};

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive who reads the result */
	if (dup2(result, SCRIPT_RESULT_FD) < 0)
		_exit(126);
	if (allocator->kind == ALLOCATOR_GLIBC) /* poolmem-replay is linked with no other */
		unsetenv("LD_PRELOAD");
	else
		setenv("LD_PRELOAD", allocator->path, 1);
	if (allocator->variable)
		putenv((char *)allocator->variable);
	execv(replayer, (char *const *)argv);
	_exit(127);
}

static bool take_result(int fd, pid_t pid, struct script_result *ret)
{
	ssize_t got;
	int status;

	do
		got = read(fd, ret, sizeof *ret);
	while (got < 0 && errno == EINTR);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return got == sizeof *ret && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool run_once(const struct allocator *allocator, const char *replayer,
		     const struct replay_plan *plan, struct script_result *ret, struct failure *why)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(why, FAILURE_NOTHING, "pipe: %s", strerror(errno));
	pid_t pid = fork();

	if (pid == 0)
		become(allocator, replayer, plan->script, plan->mode, ends[1]);
	close(ends[1]);
	bool done = pid > 0 && take_result(ends[0], pid, ret);

	close(ends[0]);
	return done || fail(why, FAILURE_NOTHING, "the replay did not come to its end");
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

static void run_row(const struct replay_plan *plan, const char *replayer,
		    const struct allocator *allocator, struct compare_row *row)
{
	struct script_result result = {.steps = 0};
	struct failure why;

	if (row->state != COMPARE_DONE && row->state != COMPARE_UNTRIED)
		return;
	if (run_once(allocator, replayer, plan, &result, &why)) {
		note(row, &result);
	} else {
		row->state = COMPARE_FAILED;
		snprintf(row->why, sizeof row->why, "%s", why.text);
	}
}

static bool has_one(const struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->row_count; i++)
		if (comparison->row[i].state == COMPARE_DONE)
			return true;
	return false;
}

bool replay_run(const struct replay_plan *plan, const struct allocators *allocators,
		struct comparison *ret, struct failure *why)
{
	char replayer[PATH_MAX];
	size_t count = allocators->count;

	*ret = (struct comparison){.replay = plan->facts, .runs = plan->runs, .row_count = count};
	if (!find_replayer(replayer, why))
		return false;
	for (size_t i = 0; i < count; i++)
		rounds_begin_row(&ret->row[i], &allocators->list[i]);
	for (size_t round = 0; round < plan->runs; round++, ret->rounds++)
		for (size_t i = 0, done = round * count; i < count; i++) {
			size_t which = (i + round) % count;
			progress_step(plan->progress, done + i, plan->runs * count);
			run_row(plan, replayer, &allocators->list[which], &ret->row[which]);
		}
	progress_end(plan->progress);
	compare_conclude(ret);
	return has_one(ret) ||
	       fail(why, FAILURE_NOTHING, "%s: %.300s", ret->row_count ? ret->row[0].name : "none",
		    ret->row_count ? ret->row[0].why : "no allocator to replay with");
}
