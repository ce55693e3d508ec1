/* SPDX-License-Identifier: MIT */
/*
 * What a program sees of its descriptors: those open at the start, while threads and children allocate,
 * and after it closed them all and reuses the numbers.   usage: f10_fds RESULT-FILE
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FDS = 1024, THREADS = 8, ROUNDS = 2000, PIECE = 1000 };

static char seen[65536];

static void note(const char *text, int number)
{
	size_t used = strlen(seen);
	snprintf(seen + used, sizeof seen - used, "%s %d\n", text, number);
}

static void note_open(const char *when)
{
	note(when, -1);
	for (int fd = 0; fd < FDS; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			note("open", fd);
}

static void *allocate_much(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < ROUNDS; i++) {
		char *block = malloc(i * 37 % 50000 + 1);
		block[0] = 1;
		free(block);
	}
	return NULL;
}

static void work(void)
{
	pthread_t threads[THREADS];
	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, allocate_much, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* A child looks too; what it saw comes back through its exit code: the number of open ones. */
static void note_child(void)
{
	int status = 0, count = 0;
	pid_t child = fork();
	if (!child) {
		work();
		for (int fd = 0; fd < FDS; fd++)
			count += fcntl(fd, F_GETFD) >= 0;
		_exit(count);
	}
	waitpid(child, &status, 0);
	note("open in a child", WEXITSTATUS(status));
}

/* All numbers are the program's: what it writes into its own pipes comes out again. */
static void reuse(void)
{
	char out[PIECE], in[PIECE];
	int ends[8][2], wrong = 0;
	for (int i = 0; i < 8; i++)
		if (pipe(ends[i]) == 0)
			note("pipe", ends[i][0]);
	for (int round = 0; round < 200; round++) {
		int *pair = ends[round % 8];
		memset(out, round, sizeof out);
		work();
		wrong += write(pair[1], out, sizeof out) != PIECE;
		free(malloc(100000));
		wrong += read(pair[0], in, sizeof in) != PIECE || memcmp(in, out, PIECE) != 0;
		round += 19;
	}
	note("wrong pieces", wrong);
}

int main(int argc, char **argv)
{
	(void)argc;
	note_open("at the start");
	work();
	note_open("after threads");
	note_child();
	for (int fd = 0; fd < FDS; fd++)
		close(fd);
	reuse();
	work();
	note_open("at the end");
	int result = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	return write(result, seen, strlen(seen)) == (ssize_t)strlen(seen) ? 0 : 1;
}
