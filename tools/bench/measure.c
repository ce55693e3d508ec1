/* SPDX-License-Identifier: MIT */
/*
 * measure.c: runs a command and prints what it cost.   measure LIBRARY|- COMMAND...
 *
 *   CPU microseconds, peak resident KiB, wall nanoseconds, page faults, wait status
 *
 * A small program, since the kernel counts the peak of whoever forks into that of the command.
 */
#define _GNU_SOURCE 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long microseconds(struct timeval time)
{
	return time.tv_sec * 1000000LL + time.tv_usec;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	if (argc < 3)
		return 2;
	FILE *report = fdopen(dup(1), "w"); /* the command's own output is dropped */
	if (!report || !freopen("/dev/null", "w", stdout))
		return 2;
	long long begin = now_ns();
	pid_t pid = fork();
	if (pid == 0) {
		if (strcmp(argv[1], "-") != 0)
			setenv("LD_PRELOAD", argv[1], 1);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 2;
	fprintf(report, "%lld %ld %lld %ld %d\n",
		microseconds(usage.ru_utime) + microseconds(usage.ru_stime), usage.ru_maxrss,
		now_ns() - begin, usage.ru_minflt, status);
	return fclose(report) != 0;
}
