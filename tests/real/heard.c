/* SPDX-License-Identifier: MIT */
/*
 * heard.c: says "ready", then the name of each signal it hears; leaves with 7 on SIGTERM.  Ends by itself
 * after a minute, should nobody write.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int signals[] = {SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGTERM};
enum { PATIENCE_SECONDS = 60 };

int main(void)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGALRM, SIG_DFL);
	alarm(PATIENCE_SECONDS);
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("ready %d\n", getpid());
	for (;;) {
		if (sigwait(&set, &number) != 0)
			return 1;
		printf("SIG%s\n", sigabbrev_np(number));
		if (number == SIGTERM)
			return 7;
	}
}
