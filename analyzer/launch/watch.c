/* SPDX-License-Identifier: MIT */
/* watch.c: see watch.h. */
#define _GNU_SOURCE
#include "launch/watch.h"

#include "text/clock.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MS = CLOCK_MS_NS,
	FIRST_SAMPLE_MS = 1, /* then 2, 4, 8, ... up to the interval: short programs have samples too */
	COLLECT_MS = 50,     /* between looks for finished segments */
	SAMPLE_SHARE = 20, /* looking takes at most one part in so many of the time */
	PEAK_SHARE = 16, /* peaks are looked for each time that so small a part of the time has gone by */
	ALLOWANCE_MS = 5,   /* besides, for peaks of short programs */
	AFTERMATH_MS = 100, /* how long processes that die with the child may take */
	KILL_PAUSE_MS = 10, /* between looks for what was not killed yet */
	GIVE_UP_MS = 5000,
};

static const int taken_signals[] = {SIGCHLD, SIGINT,  SIGTERM,  SIGHUP,  SIGQUIT,
				    SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT};

/* What poolmem itself took of the processor. */
static uint64_t used_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void watch_prepare(struct watch *watch)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};

	sigemptyset(&watch->signals);
	for (size_t i = 0; i < sizeof(taken_signals) / sizeof(taken_signals[0]); i++)
		sigaddset(&watch->signals, taken_signals[i]);
	sigprocmask(SIG_BLOCK, &watch->signals, &watch->former_mask);
	sigaction(SIGCHLD, &standard, &watch->former_chld);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

void watch_begin(struct watch *watch, pid_t child)
{
	struct rusage own;

	getrusage(RUSAGE_SELF, &own);
	watch->child = child;
	watch->rss_floor = (uint64_t)own.ru_maxrss * 1024;
	watch->began_real_ns = clock_ns(CLOCK_REALTIME);
	watch->began_ns = monotonic_ns();
	watch->used_before_ns = used_ns();
}

uint64_t watch_elapsed_ns(const struct watch *watch)
{
	return (watch->ended ? watch->ended_ns : monotonic_ns()) - watch->began_ns;
}

/*
 * A survey may take long: one begins only while watching took no more of the processor than its share of the time.  Time
 * that others kept us waiting does not count.
 */
static void look_at_peak(struct watch *watch, uint64_t rss, const struct collect *collect)
{
	uint64_t elapsed_ns = monotonic_ns() - watch->began_ns;

	if (watch->peak.is_wanted &&
	    used_ns() - watch->used_before_ns <= elapsed_ns / SAMPLE_SHARE + ALLOWANCE_MS * MS)
		peak_look(&watch->peak, rss, &watch->family, collect);
}

static void look_at_programs(struct watch *watch)
{
	const struct family *family = &watch->family;

	programs_look(&watch->programs);
	for (size_t i = 0; watch->programs.error && i < family->count; i++)
		if (family_is_running(family, &family->member[i]))
			programs_saw(&watch->programs, family->member[i].pid,
				     family->member[i].parent);
}

/* Returns how long the sample itself took. */
static uint64_t sample(struct watch *watch, const struct collect *collect)
{
	uint64_t began_ns = monotonic_ns();
	uint64_t bytes = family_sample(&watch->family, watch->child);

	look_at_programs(watch);
	uint64_t took_ns = monotonic_ns() - began_ns;

	if (bytes == 0)
		return took_ns;
	timeline_add(&watch->timeline, (began_ns - watch->began_ns) / MS, bytes);
	if (bytes > watch->rss_peak)
		watch->rss_peak = bytes;
	look_at_peak(watch, bytes, collect);
	return took_ns;
}

/*
 * Stops with the child, so that the shell sees a stopped job; `fg` then wakes both, and a SIGCONT for
 * this process alone is passed on.  A plain SIGSTOP concerns the child only: its sender knows its pid.
 */
static void stop_too(const struct watch *watch, int stop_signal)
{
	if (stop_signal != SIGTSTP && stop_signal != SIGTTIN && stop_signal != SIGTTOU)
		return;
	raise(SIGSTOP);
	if (family_state_of(watch->child) == 'T')
		kill(watch->child, SIGCONT);
}

static void note_child_end(struct watch *watch, int wait_status, const struct rusage *usage)
{
	watch->ended = true;
	watch->ended_ns = monotonic_ns();
	watch->wait_status = wait_status;
	watch->usage = *usage;
}

/* Looks before it waits: /proc/PID of a process that was waited for is gone. */
static bool reap_one(struct watch *watch)
{
	siginfo_t peek = {0};
	struct rusage usage;
	int wait_status;

	if (waitid(P_ALL, 0, &peek, WEXITED | WNOHANG | WNOWAIT) != 0 || peek.si_pid == 0)
		return false;
	if (family_is_stranger(peek.si_pid))
		return wait4(peek.si_pid, NULL, 0, NULL) == peek.si_pid;
	bool core = peek.si_code == CLD_DUMPED;
	int status = peek.si_code == CLD_EXITED ? W_EXITCODE(peek.si_status, 0)
						: peek.si_status | (core ? WCOREFLAG : 0);

	family_note_end(&watch->family, peek.si_pid, status);
	watch->has_forked |= peek.si_pid != watch->child || family_had_children(peek.si_pid);
	if (wait4(peek.si_pid, &wait_status, 0, &usage) == watch->child && !watch->ended)
		note_child_end(watch, wait_status, &usage);
	return true;
}

static void reap(struct watch *watch)
{
	siginfo_t stopped = {0};

	while (reap_one(watch))
		;
	if (!watch->ended && waitid(P_PID, (id_t)watch->child, &stopped, WSTOPPED | WNOHANG) == 0 &&
	    stopped.si_pid)
		stop_too(watch, stopped.si_status);
}

/*
 * What the kernel sends (^C, a window that changed) went to the whole process group, the program has it
 * already.  What a process of the tree sends to its group is not for the tree a second time.
 */
static void pass_on(const struct watch *watch, const siginfo_t *info)
{
	if (info->si_code > 0 || family_is_below_us(info->si_pid))
		return;
	if (info->si_signo != SIGCONT || family_state_of(watch->child) == 'T')
		kill(watch->child, info->si_signo);
}

/* Waits for a signal until a moment; deals with it. */
static void take_signal(struct watch *watch, uint64_t until_ns)
{
	uint64_t now = monotonic_ns(), left = until_ns > now ? until_ns - now : 0;
	struct timespec timeout = {.tv_sec = (time_t)(left / (1000 * (uint64_t)MS)),
				   .tv_nsec = (long)(left % (1000 * (uint64_t)MS))};
	siginfo_t info;
	int number = sigtimedwait(&watch->signals, &info, &timeout);

	if (number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT)
		watch->interrupted = number;
	if (number == SIGCHLD)
		reap(watch);
	else if (number > 0 && !watch->ended)
		pass_on(watch, &info);
}

/* Where peaks are looked for, looks come apart slowly: by a part of the time that the program has run. */
static uint64_t longer_wait(const struct watch *watch, uint64_t wait_ns)
{
	uint64_t part_ns = (monotonic_ns() - watch->began_ns) / PEAK_SHARE;
	uint64_t next_ns = !watch->peak.is_wanted ? wait_ns * 2
			   : part_ns > wait_ns    ? part_ns
						  : wait_ns;

	return next_ns < watch->interval_ns ? next_ns : watch->interval_ns;
}

/* The next moment to sample, after one that took so long. */
static uint64_t next_sample(const struct watch *watch, uint64_t took_ns, uint64_t *wait_ns)
{
	uint64_t least = took_ns * SAMPLE_SHARE;
	uint64_t wait = *wait_ns > least ? *wait_ns : least;

	*wait_ns = longer_wait(watch, *wait_ns);
	return monotonic_ns() + wait;
}

/* Pipelines, process groups and sessions often die together: gives them a moment, daemons live on. */
static void wait_for_aftermath(struct watch *watch)
{
	uint64_t until_ns = monotonic_ns() + (uint64_t)AFTERMATH_MS * MS;

	reap(watch);
	while (family_has_children() && monotonic_ns() < until_ns)
		take_signal(watch, until_ns);
	family_sample(&watch->family, 0);
}

static uint64_t earlier(uint64_t left_ns, uint64_t right_ns)
{
	return left_ns < right_ns ? left_ns : right_ns;
}

static void kill_all(struct watch *watch)
{
	family_sample(&watch->family, watch->child);
	family_kill_running(&watch->family, SIGKILL);
}

static size_t count_running(const struct family *family)
{
	size_t running = 0;

	for (size_t i = 0; i < family->count; i++)
		running += family_is_running(family, &family->member[i]);
	return running;
}

/* As long as there are some: a process may fork while it is looked for.  One of another user may stay. */
static void end_all(struct watch *watch)
{
	uint64_t give_up_ns = monotonic_ns() + (uint64_t)GIVE_UP_MS * MS;

	while (family_has_children() && monotonic_ns() < give_up_ns) {
		kill_all(watch);
		take_signal(watch, monotonic_ns() + (uint64_t)KILL_PAUSE_MS * MS);
		programs_look(&watch->programs);
	}
	family_sample(&watch->family, 0);
}

static uint64_t timeout_at(const struct watch *watch)
{
	return watch->timeout_ns ? watch->began_ns + watch->timeout_ns : UINT64_MAX;
}

/* The next moment to collect: at once while there is something to move. */
static uint64_t collect_now(struct collect *collect)
{
	uint64_t began_ns = monotonic_ns();
	bool has_moved = collect_some(collect);
	uint64_t now = monotonic_ns(), least = (now - began_ns) * SAMPLE_SHARE;

	if (has_moved)
		return now;
	return now + (least > COLLECT_MS * MS ? least : COLLECT_MS * MS);
}

void watch_run(struct watch *watch, struct collect *collect)
{
	uint64_t wait_ns = earlier(FIRST_SAMPLE_MS * MS, watch->interval_ns);
	uint64_t sample_at_ns = watch->began_ns + FIRST_SAMPLE_MS * MS;
	uint64_t collect_at_ns = watch->began_ns + COLLECT_MS * MS;

	sample(watch, collect);
	while (!watch->ended) {
		take_signal(watch, earlier(earlier(sample_at_ns, collect_at_ns), timeout_at(watch)));
		uint64_t now = monotonic_ns();

		programs_look(&watch->programs);
		if (!watch->ended && now >= timeout_at(watch)) {
			watch->timed_out = true;
			kill_all(watch);
		}
		if (!watch->ended && now >= sample_at_ns) {
			uint64_t took_ns = sample(watch, collect);
			sample_at_ns = next_sample(watch, took_ns, &wait_ns);
		}
		if (!watch->ended && now >= collect_at_ns)
			collect_at_ns = collect_now(collect);
	}
	wait_for_aftermath(watch);
	watch->outlived = count_running(&watch->family);
	if (watch->ends_all)
		end_all(watch);
	programs_look(&watch->programs);
	programs_close(&watch->programs);
}
