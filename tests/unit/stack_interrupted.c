/* SPDX-License-Identifier: MIT */
/* link: -lunwind -ldl -lm -pthread */
/* cflags: -O2 */
/* Walks from a signal handler, at each instruction that a piece of work executes, against libunwind. */
#define _GNU_SOURCE
#include "unit/stack_oracle.h"

#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

static struct oracle oracle;
static unsigned long steps, lost, guessed, wrong;
static unsigned long steps_max = 40000;

static void stop_stepping(ucontext_t *context)
{
	context->uc_mcontext.gregs[REG_EFL] &= ~0x100;
}

static struct frame interrupted(const ucontext_t *context)
{
	const greg_t *registers = context->uc_mcontext.gregs;
	return (struct frame){.ip = (uintptr_t)registers[REG_RIP],
			      .sp = (uintptr_t)registers[REG_RSP],
			      .fp = (uintptr_t)registers[REG_RBP],
			      .is_interrupted = true};
}

/* A walk that is whole is libunwind's; one that is lost is so up to there. */
static void judge(void)
{
	unsigned common = oracle_common(&oracle);
	steps++;
	lost += oracle.end == WALK_LOST;
	guessed += oracle.end == WALK_GUESSED;
	bool is_wrong = oracle.end == WALK_GUESSED ? common == 0
			: oracle.end == WALK_LOST
				? common < oracle.count
				: common < oracle.count || common < oracle.their_count;
	if (is_wrong && wrong++ < 3)
		oracle_print(&oracle);
}

static void on_step(int number, siginfo_t *info, void *pointer)
{
	ucontext_t *context = pointer;
	unw_cursor_t cursor;
	(void)number;
	(void)info;
	oracle.count = walk(interrupted(context), oracle.ips, ORACLE_ROOM, &oracle.end);
	unw_init_local2(&cursor, (unw_context_t *)context, UNW_INIT_SIGNAL_FRAME);
	oracle_unwind(&oracle, &cursor);
	judge();
	if (steps >= steps_max)
		stop_stepping(context);
}

static void watch(int number, int flags)
{
	struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | flags};
	sigaction(number, &action, NULL);
}

/* The processor raises SIGTRAP after each instruction. */
static inline void set_trap(bool on)
{
	if (on)
		__asm__ volatile(
			"lea -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" ::
				: "cc", "memory");
	else
		__asm__ volatile(
			"lea -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" ::
				: "cc", "memory");
}

/* Lost: prologues that align the stack keep the frame in r10, some assembly in other registers. */
static void expect_few_lost(unsigned long steps_min, unsigned percent)
{
	cr_log_info("%lu walks, %lu lost, %lu guessed, %lu wrong", steps, lost, guessed, wrong);
	cr_assert_eq(wrong, 0);
	cr_assert_geq(steps, steps_min);
	cr_assert_leq((lost + guessed) * 100, steps * percent);
}

static void step_through(void (*work)(void), unsigned long steps_min, unsigned percent)
{
	cr_assert(steps_init());
	work(); /* binds its functions: the loader's way to do so needs rbx */
	watch(SIGTRAP, 0);
	set_trap(true);
	work();
	set_trap(false);
	expect_few_lost(steps_min, percent);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void some_work(void)
{
	char text[200];
	const char *words[] = {"one", "two", "three", "four", "five", "six", "seven"};
	struct timespec now;
	qsort(words, 7, sizeof *words, compare);
	snprintf(text, sizeof text, "%s %d %g", words[0], 12345, sqrt(2.0));
	clock_gettime(CLOCK_MONOTONIC, &now);
	free(realloc(malloc(100), 100000));
}

Test(interrupted, some_work)
{
	step_through(some_work, 2000, 0);
}

static void over_aligned(int count)
{
	__attribute__((aligned(64))) char local[128];
	char *more = __builtin_alloca((size_t)count);
	memset(local, 1, sizeof local);
	memset(more, 1, (size_t)count);
	__asm__ volatile("" ::"r"(local), "r"(more) : "memory");
}

static void loader_work(void)
{
	void *handle = dlopen("libc.so.6", RTLD_LAZY);
	cr_assert(dlsym(handle, "qsort"));
	dlclose(handle);
	for (int i = 1; i < 50; i++)
		over_aligned(i);
}

Test(interrupted, loader_and_alignment)
{
	step_through(loader_work, 2000, 12);
}

static void jump(void)
{
	jmp_buf buffer;
	if (setjmp(buffer) == 0)
		longjmp(buffer, 1);
	ucontext_t context;
	volatile int turns = 0;
	getcontext(&context);
	if (turns++ == 0)
		setcontext(&context);
}

Test(interrupted, jumps)
{
	step_through(jump, 100, 20);
}

/* On another stack, at times that nobody chose. */
Test(interrupted, timer)
{
	struct itimerval often = {{0, 200}, {0, 200}}, never = {0};
	stack_t stack = {.ss_sp = malloc(1 << 18), .ss_size = 1 << 18};
	cr_assert(steps_init());
	steps_max = 500;
	sigaltstack(&stack, NULL);
	watch(SIGPROF, SA_ONSTACK | SA_RESTART);
	setitimer(ITIMER_PROF, &often, NULL);
	for (time_t until = time(NULL) + 5; time(NULL) < until && steps < steps_max;)
		some_work();
	setitimer(ITIMER_PROF, &never, NULL);
	expect_few_lost(50, 1);
}
