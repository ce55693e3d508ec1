/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * F11: signal handlers that allocate and free while the main thread is on its slow paths all the time: new
 * size classes, large blocks, resizing, trimming, blocks that another thread frees.
 *
 * The handler keeps to classes of its own, as a nested call in the class that was interrupted is more than
 * malloc promises. Each block carries a pattern; a block handed out twice shows.
 *
 * usage: f11_storm SIGNALS kill|timer
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { TOUCHED = 2000, HELD = 64, HANDED = 1024, MAIN_HELD = 128 };

static atomic_long handled, wrong;
static long wanted;
static pthread_t main_thread;
static _Atomic(unsigned char *) handed[HANDED]; /* by handler and main, freed by the other thread */

/* A block knows its own address and size. */
struct note {
	void *self;
	size_t bytes;
};

static void *take(size_t bytes)
{
	struct note note = {malloc(bytes), bytes};
	if (!note.self)
		abort();
	memset(note.self, (int)bytes, bytes < TOUCHED ? bytes : TOUCHED);
	((unsigned char *)note.self)[bytes - 1] = (unsigned char)bytes;
	memcpy(note.self, &note, sizeof note);
	return note.self;
}

static void give(void *block)
{
	struct note note;
	if (!block)
		return;
	memcpy(&note, block, sizeof note);
	if (note.self != block ||
	    ((unsigned char *)block)[note.bytes - 1] != (unsigned char)note.bytes)
		wrong++;
	free(block);
}

/* Its own classes: 48, 304 ... 1,008 bytes in small steps that main never asks for, and large blocks. */
static size_t handler_bytes(long n)
{
	return n % 10 == 9 ? 100000 + (size_t)n % 7 * 90000 : 48 + (size_t)(n % 4) * 320;
}

static void handle(int signal)
{
	static void *held[HELD];
	int saved = errno;
	long n = handled++;
	(void)signal;
	give(held[n % HELD]);
	held[n % HELD] = take(handler_bytes(n));
	give(atomic_exchange(&handed[n % HANDED], take(48 + (size_t)(n % 4) * 320)));
	errno = saved;
}

/* Main's sizes: classes of 32, 64, 80 ... but none of the handler's. */
static size_t main_bytes(unsigned long n)
{
	static const size_t bytes[] = {32,   64,   96,   160,   528,   752,   1200,   2000,   3500,
				       5000, 7000, 9000, 15000, 30000, 70000, 300000, 5000000};
	return bytes[n % (sizeof bytes / sizeof bytes[0])];
}

static void *free_handed(void *unused)
{
	for (unsigned i = 0; handled < wanted; i++)
		give(atomic_exchange(&handed[i % HANDED], NULL));
	return unused;
}

static void *send_signals(void *unused)
{
	while (handled < wanted) {
		pthread_kill(main_thread, SIGUSR1);
		for (volatile int i = 0; i < 2000; i++)
			;
	}
	return unused;
}

static void start_timer(void)
{
	struct itimerval each = {{0, 100}, {0, 100}};
	setitimer(ITIMER_REAL, &each, NULL);
}

int main(int argc, char **argv)
{
	static void *held[MAIN_HELD];
	pthread_t freer, sender;
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
	sigset_t none, all;
	wanted = argc > 1 ? atol(argv[1]) : 10000;
	main_thread = pthread_self();
	sigaddset(&action.sa_mask, SIGUSR1); /* a handler in a handler would meet its own classes */
	sigaddset(&action.sa_mask, SIGALRM);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&none);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all,
			NULL); /* the others inherit it: only main is interrupted */
	pthread_create(&freer, NULL, free_handed, NULL);
	pthread_create(&sender, NULL, send_signals, NULL);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	if (argc > 2 && strcmp(argv[2], "timer") == 0)
		start_timer();
	for (unsigned long n = 0; handled < wanted; n++) {
		give(held[n % MAIN_HELD]);
		held[n % MAIN_HELD] = take(main_bytes(n * 7 / 3));
		if (n % 5 == 0)
			give(atomic_exchange(&handed[n % HANDED], take(main_bytes(n))));
		if (n % 1000 == 0)
			malloc_trim(0);
	}
	signal(SIGALRM, SIG_IGN);
	pthread_join(sender, NULL);
	pthread_join(freer, NULL);
	printf("%ld blocks wrong\n", (long)wrong);
	return wrong != 0;
}
