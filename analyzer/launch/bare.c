/* SPDX-License-Identifier: MIT */
/* bare.c: see bare.h. */
#define _GNU_SOURCE
#include "launch/bare.h"

#include "launch/child.h"
#include "launch/family.h"
#include "launch/signals.h"
#include "source/resident.h"
#include "text/allocate.h"
#include "text/number.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const uint64_t MS = 1000000;

enum {
	READY_PAUSE_MS = 20,
	STOP_SECONDS = 30,
	SECOND_MS = 1000,
	GIVE_UP_SECONDS = 5,
	SAMPLE_SHARE = 20, /* looking takes at most one part in so many of the time */
	END_SHARE = 20,    /* of the time, behind the last look: it does not tell of the end */
	MEAN_LOOKS = 20,
};

/* What is at work. */
struct running {
	const struct bare_plan *plan;
	struct bare_run *run;
	struct family *family;
	struct child child;
	struct signals signals;
	int streams[3];
	uint64_t began_ns, wait_ns, sample_at_ns;
	uint64_t first_ns, last_ns, last_bytes; /* of the first and the last look */
	uint64_t looks;
	double byte_ns;        /* what is resident over time, summed up */
	uint64_t *shared_peak; /* of our copy that becomes the program, shared with it */
	uint64_t least_peak; /* ru_maxrss of the program is that of its beginning as our copy, or more */
	const char *waits_for; /* what is told of it */
	uint64_t waits_since_ns, tell_at_ns;
	bool ended;
	struct rusage usage;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

static uint64_t higher(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* --- what is resident --------------------------------------------------------------------------------- */

/* The highest that the kernel has seen of one process counts, too: peaks between two looks. */
static uint64_t look_at_members(struct running *running, uint64_t *ret_heap)
{
	uint64_t peak = 0;
	struct resident resident;

	*ret_heap = 0;
	for (size_t i = 0; i < running->family->count; i++) {
		const struct family_member *member = &running->family->member[i];
		if (!family_is_running(running->family, member) ||
		    !resident_read((uint32_t)member->pid, &resident))
			continue;
		*ret_heap += resident.anonymous_bytes;
		peak = higher(peak, resident.peak_bytes);
	}
	return peak;
}

static void note(struct running *running, uint64_t now, uint64_t bytes, uint64_t heap)
{
	struct bare_run *run = running->run;

	if (running->last_ns)
		running->byte_ns += (double)(now - running->last_ns) *
				    ((double)running->last_bytes + (double)bytes) / 2;
	else
		running->first_ns = now;
	running->looks++;
	running->last_ns = now;
	running->last_bytes = bytes;
	timeline_add(&run->timeline, (now - running->began_ns) / MS, bytes);
	run->rss_end = bytes;
	run->heap_end = heap;
	run->heap_end_ns = now;
	run->heap_peak = higher(run->heap_peak, heap);
}

static void sample(struct running *running)
{
	uint64_t began = now_ns(), heap;
	uint64_t bytes = family_sample_of(running->family, running->child.pid);
	uint64_t peak = look_at_members(running, &heap);

	if (bytes && peak) {
		running->run->rss_peak = higher(running->run->rss_peak, higher(bytes, peak));
		note(running, began, bytes, heap);
	}
	uint64_t now = now_ns();
	running->sample_at_ns = now + higher(running->wait_ns, (now - began) * SAMPLE_SHARE);
	running->wait_ns = running->wait_ns * 2 < running->plan->interval_ns
				   ? running->wait_ns * 2
				   : running->plan->interval_ns;
}

/* --- waiting ---------------------------------------------------------------------------------------------- */

static bool reap(struct running *running)
{
	int status;

	if (running->ended)
		return true;
	if (wait4(running->child.pid, &status, WNOHANG, &running->usage) != running->child.pid)
		return false;
	running->ended = true;
	running->run->wait_status = status;
	return true;
}

/* A process that was not waited for yet, and all that was ever seen below it: a shell does not hand signals on. */
static void kill_family(struct family *family, pid_t first, int number)
{
	family_sample_of(family, first);
	kill(first, number);
	for (size_t i = 0; i < family->count; i++)
		if (family->member[i].pid != first && family_is_running(family, &family->member[i]))
			family_kill(&family->member[i], number);
}

static void kill_all(pid_t first, int number)
{
	struct family *family = allocate(1, sizeof *family);

	kill_family(family, first, number);
	threads_free(&family->threads);
	free(family);
}

static void kill_program(struct running *running, int number)
{
	if (!running->ended)
		kill_family(running->family, running->child.pid, number);
}

static void wait_for_end(struct running *running, uint64_t until_ns)
{
	struct timespec pause = {.tv_nsec = 10 * (long)MS};

	while (!reap(running) && now_ns() < until_ns)
		nanosleep(&pause, NULL);
}

/* The user ends all. */
static void give_up(struct running *running, pid_t other, int number)
{
	running->run->interrupted = number;
	kill_program(running, number);
	if (other)
		kill_all(other, number);
	wait_for_end(running, now_ns() + GIVE_UP_SECONDS * SECOND_MS * MS);
	kill_program(running, SIGKILL);
	wait_for_end(running, UINT64_MAX);
}

static void begin_waiting(struct running *running, const char *what)
{
	running->waits_for = what;
	running->waits_since_ns = now_ns();
	running->tell_at_ns = running->waits_since_ns + SECOND_MS * MS;
}

static void tell(struct running *running, uint64_t now)
{
	const struct bare_plan *plan = running->plan;

	if (!plan->tell || now < running->tell_at_ns)
		return;
	running->tell_at_ns = now + SECOND_MS * MS;
	plan->tell(plan->context, running->waits_for, now - running->waits_since_ns);
}

static uint64_t time_limit(const struct running *running)
{
	return running->plan->timeout_ns ? now_ns() + running->plan->timeout_ns : UINT64_MAX;
}

/* Looks now and then, until something may have ended or the moment has come.  other: besides the program; 0: nobody. */
static void pause_until(struct running *running, pid_t other, uint64_t until_ns)
{
	uint64_t now = now_ns();
	if (!running->ended && now >= running->sample_at_ns) {
		sample(running);
		now = now_ns();
	}
	tell(running, now);
	uint64_t next = lower(until_ns, running->ended ? UINT64_MAX : running->sample_at_ns);
	uint64_t left = next > now ? lower(next - now, SECOND_MS * MS) : 0;
	int number = signals_wait(&running->signals, left);

	if (number)
		give_up(running, other, number);
}

static void wait_for_program(struct running *running, uint64_t until_ns)
{
	while (!reap(running) && now_ns() < until_ns)
		pause_until(running, 0, until_ns);
}

/* --- a shell command beside it ----------------------------------------------------------------------------- */

static bool start_shell(const struct running *running, const char *command, pid_t *ret_pid,
			struct failure *why)
{
	char *const argv[] = {"sh", "-c", (char *)command, NULL};
	struct child_plan plan = {
		.path = "/bin/sh",
		.argv = argv,
		.environment = environ,
		.mask = &running->signals.former_mask,
		.chld = &running->signals.former_chld,
		.streams = running->streams,
	};
	struct child child;

	if (!child_fork(&plan, &child, why))
		return false;
	*ret_pid = child.pid;
	int error = child_release(&child);
	return !error || fail(why, FAILURE_NOTHING, "/bin/sh: %s", strerror(error));
}

/* In the place of an exit code: the program ended first; it took too long.  A signal that ended it is added to the third. */
enum { SHELL_CUT_SHORT = -1, SHELL_LATE = -2, SHELL_SIGNAL = 128 };

/* Waits for it while the program lives. */
static int wait_for_shell(struct running *running, pid_t pid, uint64_t until_ns)
{
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		bool is_late = now_ns() >= until_ns;
		if (is_late || reap(running)) {
			kill_all(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return is_late ? SHELL_LATE : SHELL_CUT_SHORT;
		}
		pause_until(running, pid, until_ns);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : SHELL_SIGNAL + WTERMSIG(status);
}

static bool run_shell(struct running *running, const char *command, uint64_t until_ns,
		      int *ret_code, struct failure *why)
{
	pid_t pid;

	if (!start_shell(running, command, &pid, why))
		return false;
	*ret_code = wait_for_shell(running, pid, until_ns);
	return true;
}

/* --- a server -------------------------------------------------------------------------------------------- */

static bool fail_ended(const struct running *running, const char *when, struct failure *why)
{
	int status = running->run->wait_status;

	if (WIFSIGNALED(status))
		return fail(why, FAILURE_NOTHING, "killed by SIG%s %s",
			    sigabbrev_np(WTERMSIG(status)), when);
	return fail(why, FAILURE_NOTHING, "ended with exit code %d %s", WEXITSTATUS(status), when);
}

/* code: of the last try; SHELL_LATE: it did not end. */
static bool fail_unready(const struct running *running, int code, uint64_t limit_ns,
			 struct failure *why)
{
	char last[64] = "did not end";

	if (code >= 0)
		snprintf(last, sizeof last, "still ended with exit code %d", code);
	return fail(why, FAILURE_NOTHING, "not ready after %s: --ready '%.150s' %s (--timeout)",
		    number_seconds(limit_ns).text, running->plan->ready, last);
}

static bool wait_until_ready(struct running *running, struct failure *why)
{
	uint64_t timeout_ns = running->plan->timeout_ns;
	uint64_t limit_ns = timeout_ns ? timeout_ns : READY_SECONDS * SECOND_MS * MS;
	uint64_t until_ns = now_ns() + limit_ns;
	int code = running->plan->ready ? SHELL_CUT_SHORT : 0, last = SHELL_LATE;

	begin_waiting(running, "--ready");
	while (code != 0) {
		if (!run_shell(running, running->plan->ready, until_ns, &code, why))
			return false;
		if (reap(running))
			return fail_ended(running, "before it was ready", why);
		last = code == SHELL_LATE ? last : code;
		if (code != 0 && now_ns() >= until_ns)
			return fail_unready(running, last, limit_ns, why);
		if (code != 0)
			pause_until(running, 0, now_ns() + READY_PAUSE_MS * MS);
	}
	return true;
}

static bool load(struct running *running, struct failure *why)
{
	uint64_t began = now_ns();
	int code;

	begin_waiting(running, "--load");
	if (!run_shell(running, running->plan->load, time_limit(running), &code, why))
		return false;
	running->run->elapsed_ns = now_ns() - began;
	if (reap(running))
		return fail_ended(running, "under its load", why);
	if (code == SHELL_LATE)
		return fail(why, FAILURE_NOTHING,
			    "--load '%.150s' did not end within %s (--timeout)",
			    running->plan->load, number_seconds(running->plan->timeout_ns).text);
	if (code != 0)
		return fail(why, FAILURE_NOTHING, "its load ended with exit code %d", code);
	sample(running);
	return true;
}

static void stop(struct running *running, int number)
{
	running->sample_at_ns = UINT64_MAX; /* what was resident when the load was through is the end */
	begin_waiting(running, "the server's end");
	if (!running->ended)
		kill(running->child.pid, number);
	wait_for_program(running, now_ns() + STOP_SECONDS * SECOND_MS * MS);
	kill_program(running, SIGKILL);
	wait_for_program(running, UINT64_MAX);
}

static bool serve(struct running *running, struct failure *why)
{
	bool loaded = wait_until_ready(running, why) && load(running, why);

	stop(running, loaded ? running->plan->stop_signal : SIGKILL);
	return loaded;
}

/* --- beginning and end ------------------------------------------------------------------------------------- */

/* A file is read from its beginning in each run; what is no file is read by none. */
static int open_input(void)
{
	struct stat status;
	bool is_file = fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode);
	int fd = is_file ? open("/proc/self/fd/0", O_RDONLY | O_CLOEXEC) : -1;

	return fd >= 0 ? fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool open_streams(struct running *running, struct failure *why)
{
	bool shows = running->plan->shows_output;
	int out = shows ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
			: open("/dev/null", O_WRONLY | O_CLOEXEC);

	running->streams[STDIN_FILENO] = open_input();
	running->streams[STDOUT_FILENO] = running->streams[STDERR_FILENO] = out;
	return (out >= 0 && running->streams[STDIN_FILENO] >= 0) ||
	       fail(why, FAILURE_NOTHING, "/dev/null: %s", strerror(errno));
}

static void close_streams(const struct running *running)
{
	for (int fd = 0; fd < STDERR_FILENO; fd++)
		if (running->streams[fd] >= 0)
			close(running->streams[fd]);
}

static void prepare(struct running *running)
{
	signals_take(&running->signals);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* What the copy still touches when it has said what it had, and what the kernel's sum may be off. */
enum { AT_EXEC_BYTES = 128 << 10 };

static bool start(struct running *running, struct failure *why)
{
	const struct bare_plan *plan = running->plan;
	struct child_plan child = {
		.path = plan->target->is_elf ? plan->target->path : NULL,
		.argv = plan->argv,
		.environment = plan->environment,
		.mask = &running->signals.former_mask,
		.chld = &running->signals.former_chld,
		.streams = running->streams,
		.shared_peak = running->shared_peak,
	};

	if (!child_fork(&child, &running->child, why))
		return false;
	running->began_ns = now_ns();
	running->wait_ns = MS;
	running->sample_at_ns = running->began_ns + MS;
	int error = child_release(&running->child);
	running->least_peak = *running->shared_peak + AT_EXEC_BYTES;
	return !error || fail(why, FAILURE_NOTHING, "%s: %s", plan->argv[0], strerror(error));
}

static uint64_t nanoseconds(struct timeval time)
{
	return ((uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec) * 1000;
}

static void sum_up(struct running *running)
{
	struct bare_run *run = running->run;
	const struct rusage *usage = &running->usage;
	uint64_t kernels = (uint64_t)usage->ru_maxrss * 1024;

	run->cpu_ns = nanoseconds(usage->ru_utime) + nanoseconds(usage->ru_stime);
	run->faults = (uint64_t)usage->ru_minflt + (uint64_t)usage->ru_majflt;
	if (kernels > running->least_peak)
		run->rss_peak = higher(run->rss_peak, kernels);
	else if (run->rss_peak <= running->least_peak)
		run->rss_peak = 0; /* looks see what there was by chance */
	/* Between two looks it was as much as all less what is of files. */
	uint64_t of_files = run->rss_end - run->heap_end;
	if (run->rss_end && run->rss_peak > of_files)
		run->heap_peak = higher(run->heap_peak, run->rss_peak - of_files);
	uint64_t looked_ns = running->last_ns - running->first_ns;
	run->rss_mean = looked_ns ? (uint64_t)(running->byte_ns / (double)looked_ns) : run->rss_end;
}

/* A last look long before the end says nothing of the end, and few looks say nothing of the mean. */
static void forget_what_is_not_known(const struct running *running)
{
	struct bare_run *run = running->run;
	uint64_t ended_ns = running->began_ns + run->elapsed_ns;

	if (!running->plan->load && ended_ns - running->last_ns > run->elapsed_ns / END_SHARE)
		run->rss_end = run->heap_end = 0;
	if (running->looks < MEAN_LOOKS)
		run->rss_mean = 0;
}

static bool run_to_end(struct running *running, struct failure *why)
{
	begin_waiting(running, "its end");
	wait_for_program(running, time_limit(running));
	running->run->elapsed_ns = now_ns() - running->began_ns;
	if (running->ended)
		return true;
	kill_program(running, SIGKILL);
	wait_for_end(running, UINT64_MAX);
	return fail(why, FAILURE_NOTHING, "it did not end within %s (--timeout)",
		    number_seconds(running->plan->timeout_ns).text);
}

/*
 * Daemons, of the program or of its load: the next run is not to share the machine with them.  They are our children, as we are
 * their subreaper.
 */
static void end_orphans(struct running *running)
{
	const struct timespec pause = {.tv_nsec = 10 * (long)MS};
	uint64_t until_ns = now_ns() + GIVE_UP_SECONDS * SECOND_MS * MS;
	struct family *family = running->family;
	pid_t ended;

	while (family_has_children() && (ended = waitpid(-1, NULL, WNOHANG)) >= 0 &&
	       now_ns() < until_ns) {
		if (ended > 0)
			continue;
		family_sample(family, 0);
		family_kill_running(family, SIGKILL);
		nanosleep(&pause, NULL);
	}
}

static bool run_started(struct running *running, struct failure *why)
{
	if (!start(running, why))
		return false;
	bool done = running->plan->load ? serve(running, why) : run_to_end(running, why);

	running->run->processes = running->family->count;
	end_orphans(running);
	sum_up(running);
	forget_what_is_not_known(running);
	if (running->run->interrupted)
		return fail(why, FAILURE_NOTHING, "interrupted");
	return done;
}

bool bare_run(const struct bare_plan *plan, struct bare_run *ret, struct failure *why)
{
	struct running running = {.plan = plan, .run = ret, .streams = {-1, -1, -1}};

	*ret = (struct bare_run){.wait_status = 0};
	if (!open_streams(&running, why)) {
		close_streams(&running);
		return false;
	}
	running.family = allocate(1, sizeof *running.family);
	running.shared_peak = mmap(NULL, sizeof *running.shared_peak, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (running.shared_peak == MAP_FAILED)
		abort();
	prepare(&running);
	bool done = run_started(&running, why);
	signals_give_back(&running.signals);
	close_streams(&running);
	munmap(running.shared_peak, sizeof *running.shared_peak);
	threads_free(&running.family->threads);
	free(running.family);
	return done;
}
