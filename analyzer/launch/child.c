/* SPDX-License-Identifier: MIT */
/* child.c: see child.h. */
#define _GNU_SOURCE
#include "launch/child.h"

#include "launch/family.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIPE_OUT, PIPE_IN, PIPE_ENDS };
enum { DRAWS_ADDRESSES = -1 }; /* no errno */

static ssize_t read_all(int fd, void *ret_data, size_t bytes)
{
	ssize_t got;

	do
		got = read(fd, ret_data, bytes);
	while (got < 0 && errno == EINTR);
	return got;
}

/* A filter of a container may forbid it. */
static bool fix_addresses(void)
{
	int now = personality(0xffffffff);

	return now >= 0 && personality((unsigned long)now | ADDR_NO_RANDOMIZE) >= 0;
}

static bool tell(int fd, int number)
{
	return write(fd, &number, sizeof(number)) == sizeof(number);
}

/* The child's side: waits for the word, then becomes the program. */
static void become(const struct child_plan *plan, int go, int error)
{
	struct rusage usage;
	char word;

	if (read_all(go, &word, 1) != 1)
		_exit(0);
	for (int fd = 0; plan->streams && fd <= STDERR_FILENO; fd++)
		dup2(plan->streams[fd], fd);
	if (plan->has_fixed_addresses && !fix_addresses())
		tell(error, DRAWS_ADDRESSES);
	sigaction(SIGCHLD, plan->chld, NULL);
	sigprocmask(SIG_SETMASK, plan->mask, NULL);
	if (plan->shared_peak && getrusage(RUSAGE_SELF, &usage) == 0)
		*plan->shared_peak = (uint64_t)usage.ru_maxrss * 1024;
	if (plan->path)
		execve(plan->path, plan->argv, plan->environment);
	else
		execvpe(plan->argv[0], plan->argv, plan->environment);
	_exit(tell(error, errno) ? 0 : 127);
}

static void close_pipe(const int ends[PIPE_ENDS])
{
	close(ends[PIPE_OUT]);
	close(ends[PIPE_IN]);
}

bool child_fork(const struct child_plan *plan, struct child *ret, struct failure *why)
{
	int go[PIPE_ENDS], error[PIPE_ENDS];

	if (pipe2(go, O_CLOEXEC) != 0)
		return fail(why, FAILURE_NOTHING, "pipe: %s", strerror(errno));
	if (pipe2(error, O_CLOEXEC) != 0) {
		fail(why, FAILURE_NOTHING, "pipe: %s", strerror(errno));
		close_pipe(go);
		return false;
	}
	family_leave_out_others();
	pid_t pid = fork();

	if (pid < 0) {
		fail(why, FAILURE_NOTHING, "fork: %s", strerror(errno));
		close_pipe(go);
		close_pipe(error);
		return false;
	}
	if (pid == 0) {
		close(go[PIPE_IN]);
		become(plan, go[PIPE_OUT], error[PIPE_IN]);
	}
	close(go[PIPE_OUT]);
	close(error[PIPE_IN]);
	*ret = (struct child){.pid = pid, .go = go[PIPE_IN], .error = error[PIPE_OUT]};
	return true;
}

static void reap(const struct child *child)
{
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int child_release(struct child *child)
{
	ssize_t told;
	int number;

	do
		told = write(child->go, "", 1);
	while (told < 0 && errno == EINTR);
	close(child->go);
	ssize_t got = read_all(child->error, &number, sizeof(number));
	child->draws_addresses = got == sizeof(number) && number == DRAWS_ADDRESSES;
	if (child->draws_addresses)
		got = read_all(child->error, &number, sizeof(number));

	close(child->error);
	if (got != sizeof(number))
		return 0;
	reap(child);
	return number;
}

void child_call_off(struct child *child)
{
	close(child->go);
	close(child->error);
	reap(child);
}
