/* SPDX-License-Identifier: MIT */
/*
 * measure.c: runs a command and writes to REPORT what it cost.   measure REPORT LIBRARY|- COMMAND...
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
	if (argc < 4)
		return 2;
	FILE *report = fopen(argv[1], "we");
	if (!report)
		return 2;
	long long begin = now_ns();
	pid_t pid = fork();
	if (pid == 0) {
		if (strcmp(argv[2], "-") != 0)
			setenv("LD_PRELOAD", argv[2], 1);
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 2;
	fprintf(report, "%lld %ld %lld %ld %d\n",
		microseconds(usage.ru_utime) + microseconds(usage.ru_stime), usage.ru_maxrss,
		now_ns() - begin, usage.ru_minflt, status);
	return fclose(report) != 0;
}
