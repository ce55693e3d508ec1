/* SPDX-License-Identifier: MIT */
/*
 * outlive.c FIFO: becomes a daemon, by two forks and a session of its own, says its pid on stdout and lives
 * until FIFO has a writer that closes it.  The program itself leaves with 3 at once.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DESCRIPTORS = 64, PATIENCE_SECONDS = 60 };

static void serve(const char *fifo)
{
	char byte;
	int fd;

	alarm(PATIENCE_SECONDS); /* when a test failed, nobody writes */
	printf("%d\n", getpid());
	fflush(stdout);
	for (int i = 0; i < DESCRIPTORS; i++)
		close(i);
	fd = open(fifo, O_RDONLY);
	while (fd >= 0 && read(fd, &byte, 1) > 0)
		;
	free(malloc(100));
	_exit(0);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	if (fork() == 0) {
		setsid();
		if (fork() == 0)
			serve(argv[1]);
		_exit(0);
	}
	wait(NULL);
	return 3;
}
