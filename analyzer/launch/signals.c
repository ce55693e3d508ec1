/* SPDX-License-Identifier: MIT */
/* signals.c: see signals.h. */
#define _GNU_SOURCE
#include "launch/signals.h"

#include <stddef.h>
#include <time.h>

enum { NS_PER_S = 1000000000 };

void signals_take(struct signals *ret)
{
	static const int taken[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP};
	struct sigaction standard = {.sa_handler = SIG_DFL};

	sigemptyset(&ret->taken);
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		sigaddset(&ret->taken, taken[i]);
	sigprocmask(SIG_BLOCK, &ret->taken, &ret->former_mask);
	sigaction(SIGCHLD, &standard, &ret->former_chld);
}

void signals_give_back(const struct signals *signals)
{
	sigaction(SIGCHLD, &signals->former_chld, NULL);
	sigprocmask(SIG_SETMASK, &signals->former_mask, NULL);
}

int signals_wait(const struct signals *signals, uint64_t ns_max)
{
	struct timespec timeout = {.tv_sec = (time_t)(ns_max / NS_PER_S),
				   .tv_nsec = (long)(ns_max % NS_PER_S)};
	int number = sigtimedwait(&signals->taken, NULL, &timeout);

	return number == SIGINT || number == SIGTERM || number == SIGHUP ? number : 0;
}
