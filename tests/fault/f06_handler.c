/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* F6: a signal handler forks wherever it interrupts the main thread's calls. Its children only end; what they
   are given back by libc at their end must not hang.   usage: f06_handler FORKS */
#define _GNU_SOURCE 1
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_long forked, well;
static pthread_t main_thread;
static long forks;

static void fork_here(int signal)
{
	int saved = errno, status = -1;
	pid_t child = forked % 2 ? fork() : _Fork();
	(void)signal;
	if (child == 0)
		_exit(7);
	waitpid(child, &status, 0);
	well += WIFEXITED(status) && WEXITSTATUS(status) == 7;
	forked++;
	errno = saved;
}

static void *send_signals(void *unused)
{
	for (long sent = 0; sent < forks; sent++) {
		pthread_kill(main_thread, SIGUSR1);
		while (forked <= sent)
			usleep(50);
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t sender;
	size_t n = 0;
	struct sigaction action = {.sa_handler = fork_here, .sa_flags = SA_RESTART};
	forks = argc > 1 ? atol(argv[1]) : 100;
	main_thread = pthread_self();
	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&sender, NULL, send_signals, NULL);
	while (forked < forks) {
		void *small = malloc(++n % 3000), *large = malloc(n * 64 % 1000000);
		free(small);
		free(realloc(large, n * 640 % 6000000 + 1));
	}
	pthread_join(sender, NULL);
	printf("%ld children ended well\n", (long)well);
	return 0;
}
