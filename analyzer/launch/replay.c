/* SPDX-License-Identifier: MIT */
/* replay.c: see replay.h. */
#define _GNU_SOURCE
#include "launch/replay.h"

#include "launch/library.h"
#include "text/allocate.h"

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

static bool is_here(const struct allocator *allocator)
{
	return allocator->path[0];
}

static void put(const struct allocator *allocator, const struct allocator **here, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		if (here[i] == allocator)
			return;
	here[(*count)++] = allocator;
}

static bool put_asked(const char *name, struct allocators *all, const struct allocator **here,
		      size_t *count, struct failure *why)
{
	char alone[PATH_MAX];

	if (strchr(name, '=') && !allocators_add(all, name, why))
		return false;
	snprintf(alone, sizeof alone, "%.*s", (int)strcspn(name, "="), name);
	const struct allocator *allocator = allocators_named(all, alone);

	if (!allocator)
		return fail(why, FAILURE_USAGE, "no allocator is known as '%.100s'", alone);
	if (!is_here(allocator))
		return fail(why, FAILURE_NOTHING, "%s: %.300s", allocator->name,
			    allocator->missing.text);
	put(allocator, here, count);
	return true;
}

static bool put_list(const char *list, struct allocators *all, const struct allocator **here,
		     size_t *count, struct failure *why)
{
	char *copy = allocate_text(list, strlen(list)), *rest = copy, *name;
	bool found = true;

	while (found && (name = strsep(&rest, ",")))
		found = !*name || (*count < ALLOCATOR_MAX && put_asked(name, all, here, count, why));
	free(copy);
	return found && (*count || fail(why, FAILURE_USAGE, "under which allocators?"));
}

bool replay_find(const char *list, const char *library, struct allocators *ret,
		 const struct allocator *ret_here[ALLOCATOR_MAX], size_t *ret_count,
		 struct failure *why)
{
	char libpoolmem[PATH_MAX];

	*ret_count = 0;
	if (!library_find(library, libpoolmem, why))
		return false;
	allocators_find(libpoolmem, ret);
	if (list) {
		if (put_list(list, ret, ret_here, ret_count, why))
			return true;
		allocators_free(ret);
		return false;
	}
	put(allocators_named(ret, "poolmem"), ret_here, ret_count);
	for (size_t i = 0; i < ret->count; i++)
		if (is_here(&ret->list[i]))
			put(&ret->list[i], ret_here, ret_count);
	return true;
}

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

static bool run_once(const struct allocator *allocator, const struct replay_plan *plan,
		     struct script_result *ret, struct failure *why)
{
	char replayer[PATH_MAX];
	int ends[2];

	if (!find_replayer(replayer, why))
		return false;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(why, FAILURE_NOTHING, "pipe: %s", strerror(errno));
	pid_t pid = fork();

	if (pid == 0)
		become(allocator, replayer, plan->script, plan->mode, ends[1]);
	close(ends[1]);
	bool done = pid > 0 && take_result(ends[0], pid, ret);

	close(ends[0]);
	return done || fail(why, FAILURE_NOTHING, "the replay under %s did not come to its end",
			    allocator->name);
}

bool replay_run_all(const struct replay_plan *plan, const struct allocator *const *allocator,
		    struct replay_row *rows, size_t count, struct failure *why)
{
	for (size_t run = 0; run < plan->runs; run++)
		for (size_t i = 0; i < count; i++) {
			struct replay_row *row = &rows[i];

			progress_step(plan->progress, run * count + i, plan->runs * count);
			row->name = allocator[i]->name;
			if (!run_once(allocator[i], plan, &row->run[run], why))
				return false;
			row->run_count++;
		}
	for (size_t i = 0; i < count; i++)
		replay_row_sum_up(&rows[i]);
	return true;
}
