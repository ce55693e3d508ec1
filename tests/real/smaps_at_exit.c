/* SPDX-License-Identifier: MIT */
/*
 * Runs a program and keeps what the kernel says of its mappings when it ends.   usage: smaps_at_exit DIRECTORY PROGRAM ARGUMENT...
 *
 * Of each process that comes of it DIRECTORY/PID becomes a copy of /proc/PID/smaps, taken by a tracer when the last of its threads
 * begins to exit, while the memory is still there.  Ends as the program does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *directory;

static pid_t process_of(pid_t thread)
{
	char path[64], line[256];
	int process = thread;

	snprintf(path, sizeof path, "/proc/%d/status", thread);
	FILE *status = fopen(path, "r");
	while (status && fgets(line, sizeof line, status) && sscanf(line, "Tgid: %d", &process) != 1)
		;
	if (status)
		fclose(status);
	return process;
}

/* A later thread of the process takes the place of an earlier one. */
static void keep_smaps(pid_t thread)
{
	char path[4096], text[1 << 16];
	size_t bytes;

	snprintf(path, sizeof path, "/proc/%d/smaps", thread);
	FILE *from = fopen(path, "r");
	if (!from)
		return;
	snprintf(path, sizeof path, "%s/%d", directory, process_of(thread));
	FILE *to = fopen(path, "w");
	while (to && (bytes = fread(text, 1, sizeof text, from)))
		fwrite(text, 1, bytes, to);
	if (!to || fclose(to))
		perror(path);
	fclose(from);
}

/* A signal to hand on; those by which the kernel tells us something are not. */
static long signal_of(int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;
	return event || signal == SIGTRAP || signal == SIGSTOP ? 0 : signal;
}

int main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
	int status, code = 125;
	pid_t thread, first;

	if (argc < 3)
		return 125;
	directory = argv[1];
	first = fork();
	if (first == 0) {
		raise(SIGSTOP);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	waitpid(first, &status, WUNTRACED);
	if (ptrace(PTRACE_SEIZE, first, NULL, options)) {
		perror("smaps_at_exit");
		kill(first, SIGKILL);
		return 125;
	}
	kill(first, SIGCONT);
	while ((thread = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (thread < 0)
			continue;
		if (WIFSTOPPED(status)) {
			if (status >> 16 == PTRACE_EVENT_EXIT)
				keep_smaps(thread);
			ptrace(PTRACE_CONT, thread, NULL, signal_of(status));
		} else if (thread == first) {
			code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
	}
	return code;
}
