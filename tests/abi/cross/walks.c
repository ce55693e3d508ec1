/* SPDX-License-Identifier: MIT */
/*
 * walks.c: walks and those of libc's backtrace(), side by side, from many places; the last of them wherever a timer
 * happens to interrupt the program.  Prints how many were compared, and fails at the first difference.
 */
#define _GNU_SOURCE
#include "heap/host.h"
#include "stack/walk.h"

#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

enum { ROOM = 400, SHOT_COUNT = 300 };

static volatile unsigned compared, whole;

static void differ(const uintptr_t *ours, unsigned count, void *const *theirs, int their_count)
{
	for (unsigned i = 0; i < count || i < (unsigned)their_count; i++)
		printf("%3u %16lx %16lx\n", i, i < count ? ours[i] : 0,
		       i < (unsigned)their_count ? (uintptr_t)theirs[i] : 0);
	fflush(stdout);
	_exit(1);
}

/* libgcc's unwinder follows words of stacks that it does not know how to read, and may fall. */
static __thread sigjmp_buf fell;
static __thread volatile sig_atomic_t in_oracle;

static void on_fall(int number)
{
	if (!in_oracle) {
		signal(number, SIG_DFL);
		return; /* the instruction is run again */
	}
	siglongjmp(fell, 1);
}

/* The first address is in here.  backtrace() ends where nothing describes the code, as in the linkage table. */
__attribute__((noinline)) static void compare(void)
{
	static __thread uintptr_t ours[ROOM];
	static __thread void *theirs[ROOM];
	enum walk_end end;
	unsigned count = walk(frame_of_caller(HOST_FRAME()), ours, ROOM, &end);
	int their_count;

	if (sigsetjmp(fell, 1) != 0) {
		in_oracle = 0;
		return;
	}
	in_oracle = 1;
	their_count = backtrace(theirs, ROOM);
	in_oracle = 0;
	compared++;
	whole += end == WALK_WHOLE;
	if (end == WALK_GUESSED && count > (unsigned)their_count)
		count = (unsigned)their_count;
	if (count != (unsigned)their_count ||
	    memcmp(ours + 1, theirs + 1, (count - 1) * sizeof *ours) != 0)
		differ(ours, count, theirs, their_count);
}

__attribute__((noinline)) static int with_array(int n)
{
	volatile char array[n + 16];
	array[n] = (char)n;
	compare();
	return array[n];
}

__attribute__((noinline)) static int large_frame(int n)
{
	volatile char array[200000];
	array[n] = 1;
	return with_array(n) + array[n];
}

__attribute__((noinline)) static int recurse(int n)
{
	int below = n ? recurse(n - 1) : large_frame(7);
	return below + n;
}

static int in_order(const void *a, const void *b)
{
	compare();
	return *(const int *)a - *(const int *)b;
}

static void *in_thread(void *unused)
{
	recurse(20);
	return unused;
}

static void handler(int signal)
{
	(void)signal;
	compare();
}

static ucontext_t here, there;

static void in_context(void)
{
	handler(0);
	swapcontext(&there, &here);
}

static void on_another_stack(void)
{
	static char stack[1 << 16];

	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof stack;
	makecontext(&there, in_context, 0);
	swapcontext(&here, &there);
}

/* Calls nobody: when it is interrupted, the return address is perhaps nowhere but in a register. */
__attribute__((noinline)) static unsigned leaf(unsigned x)
{
	for (int i = 0; i < 50; i++)
		x = x * 1664525 + 1013904223;
	return x;
}

__attribute__((noinline)) static unsigned not_leaf(unsigned x)
{
	volatile unsigned kept[4] = {x, leaf(x + 1), leaf(x + 2), leaf(x + 3)};
	return kept[x % 4] + leaf(x);
}

static void wherever(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct itimerval often = {{0, 2000}, {0, 2000}};
	unsigned until = compared + SHOT_COUNT, x = 1;
	char text[64];

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	while (compared < until) {
		x = not_leaf(x);
		snprintf(text, sizeof text, "%u %f", x, (double)x);
		x += (unsigned)strlen(text);
	}
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
}

int main(void)
{
	int numbers[] = {5, 2, 4, 1, 3};
	pthread_t thread;

	signal(SIGSEGV, on_fall);
	compare();
	recurse(100);
	qsort(numbers, 5, sizeof numbers[0], in_order);
	pthread_create(&thread, NULL, in_thread, NULL);
	pthread_join(thread, NULL);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	on_another_stack();
	wherever();
	printf("%u compared, %u whole\n", compared, whole);
	return 0;
}
