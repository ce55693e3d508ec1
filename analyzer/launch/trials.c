/* SPDX-License-Identifier: MIT */
/* trials.c: see trials.h. */
#define _GNU_SOURCE
#include "launch/trials.h"

#include "launch/elf_comment.h"
#include "launch/record.h"
#include "launch/say.h"
#include "launch/unseen.h"
#include "text/allocate.h"
#include "text/hash.h"
#include "text/number.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INTERVAL_MS = 100, MS_NS = 1000000, TAIL_BYTES = 4096, TAIL_LINES = 10 };

static const char settings[] = "sites=all,repeatable=1,segment.max=1G";

/* A test while it is run. */
struct running {
	const struct trials_plan *plan;
	const struct budget_test *test;
	struct trial *trial;
	char **environment;
	int streams[3];
	int interrupted;
};

/* --- how it runs ---------------------------------------------------------------------------------------------- */

static bool is_set(char *const *variables, size_t count, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < count; i++)
		if (strncmp(variables[i], name, length) == 0 &&
		    (variables[i][length] == '=' || !variables[i][length]))
			return true;
	return false;
}

/* What every program needs of the environment, and what keeps some from drawing seeds; then the test's own. */
static char **make_environment(struct keep *keep, const struct budget_test *test)
{
	static const char *const passed[] = {"PATH",  "HOME",   "USER",           "LOGNAME",
					     "SHELL", "TMPDIR", "LD_LIBRARY_PATH"};
	static const char *const fixed[] = {"LC_ALL=C.UTF-8", "TZ=UTC", "PYTHONHASHSEED=0",
					    "PERL_HASH_SEED=0"};
	enum { PASSED = sizeof passed / sizeof *passed, FIXED = sizeof fixed / sizeof *fixed };
	char **list = keep_items(keep, PASSED + FIXED + test->variable_count + 1, sizeof *list);
	size_t count = 0;

	for (size_t i = 0; i < PASSED; i++)
		if (getenv(passed[i]) && !is_set(test->variables, test->variable_count, passed[i]))
			list[count++] = keep_text(keep, "%s=%s", passed[i], getenv(passed[i]));
	for (size_t i = 0; i < FIXED; i++) {
		const char *name = keep_bytes(keep, fixed[i], strcspn(fixed[i], "="));
		if (!is_set(test->variables, test->variable_count, name))
			list[count++] = keep_text(keep, "%s", fixed[i]);
	}
	for (size_t i = 0; i < test->variable_count; i++) {
		const char *own = test->variables[i], *value = strchr(own, '=') ? NULL : getenv(own);
		if (strchr(own, '='))
			list[count++] = keep_text(keep, "%s", own);
		else if (value)
			list[count++] = keep_text(keep, "%s=%s", own, value);
	}
	return list;
}

static bool open_streams(struct running *running)
{
	running->streams[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	running->streams[1] = running->streams[2] = memfd_create("output", MFD_CLOEXEC);
	return running->streams[0] >= 0 && running->streams[1] >= 0;
}

static void close_streams(const struct running *running)
{
	if (running->streams[0] >= 0)
		close(running->streams[0]);
	if (running->streams[1] >= 0)
		close(running->streams[1]);
}

/* The last lines of what a program that failed wrote. */
static void say_output(const struct running *running)
{
	char text[TAIL_BYTES + 1], *line, *rest = text;
	off_t end = lseek(running->streams[1], 0, SEEK_END);
	off_t from = end > TAIL_BYTES ? end - TAIL_BYTES : 0;
	ssize_t got = pread(running->streams[1], text, TAIL_BYTES, from);
	size_t lines = 0, first = 0;

	if (got <= 0)
		return;
	text[got] = 0;
	for (ssize_t i = 0; i < got - 1; i++)
		lines += text[i] == '\n';
	while (lines - first >= TAIL_LINES && strsep(&rest, "\n"))
		first++;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			say("| %s", line);
}

/* --- one run -------------------------------------------------------------------------------------------------- */

static bool stop(struct running *running, enum check_state state, const char *why)
{
	static const enum check_cause causes[CHECK_STATE_COUNT] = {
		[CHECK_UNRELIABLE] = CHECK_CAUSE_UNSEEN,
		[CHECK_FAILED] = CHECK_CAUSE_FAILED,
		[CHECK_INVALID] = CHECK_CAUSE_NO_PROGRAM,
	};

	running->trial->state = state;
	running->trial->cause = causes[state];
	running->trial->why = why;
	return false;
}

static bool stop_for(struct running *running, enum check_state state, enum check_cause cause,
		     const char *why)
{
	stop(running, state, why);
	running->trial->cause = cause;
	return false;
}

/* No letter of a path is one of a pattern. */
static char *pattern_of(struct keep *keep, const char *directory, const char *name)
{
	char *pattern = keep_items(keep, 2 * (strlen(directory) + strlen(name)) + 8, 1),
	     *out = pattern;
	const char *path = keep_text(keep, "%s/%s.pm", directory, name);

	for (; *path; path++) {
		*out++ = *path;
		if (*path == '%')
			*out++ = '%';
	}
	return pattern;
}

/* Fit for a file: "parse-large"; what had to be changed has a number, so that no two are alike: "a_b-1c3e5a70" of "a/b". */
static const char *file_name(struct keep *keep, const char *test)
{
	char *name = keep_text(keep, "%s", test);
	enum { NAME_MAX_BYTES = 200 };

	for (char *c = name; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == '/' || *c == 0x7f)
			*c = '_';
	if (*name == '.')
		*name = '_';
	if (strlen(name) > NAME_MAX_BYTES)
		name[NAME_MAX_BYTES] = 0;
	if (strcmp(name, test) == 0)
		return name;
	return keep_text(keep, "%s-%08x", name, (unsigned)hash_text(0, test));
}

static const char *capture_pattern(struct running *running)
{
	const struct trials_plan *plan = running->plan;
	struct keep *keep = &running->trial->keep;

	if (running->trial->run_count == 0)
		return pattern_of(keep, plan->keep ? plan->keep : plan->scratch,
				  file_name(keep, running->test->name));
	return pattern_of(keep, plan->scratch, ".again"); /* no test's: file_name() */
}

/* Why its calls do not arrive. */
static const char *why_none(struct running *running, const struct target *target)
{
	struct keep *keep = &running->trial->keep;
	char text[PATH_MAX + 2 * TARGET_DETAIL_MAX];

	for (size_t i = 0; i < target->finding_count; i++) {
		if (target_finding_weight(target->finding[i].kind) == TARGET_PARTLY)
			continue;
		target_finding_text(&target->finding[i], text, sizeof text);
		return keep_text(keep, "nothing was recorded: %s", text);
	}
	return "nothing was recorded: the program left no segment (poolmem doctor says more)";
}

static const char *signal_name(struct keep *keep, int number)
{
	const char *name = sigabbrev_np(number);

	return name ? keep_text(keep, "SIG%s", name) : keep_text(keep, "signal %d", number);
}

static const char *end_words(struct keep *keep, int status)
{
	return WIFSIGNALED(status)
		       ? keep_text(keep, "was killed by %s", signal_name(keep, WTERMSIG(status)))
		       : keep_text(keep, "exited with %d", WEXITSTATUS(status));
}

/* A program that exits with 139 did not die of SIGSEGV, nor the other way round. */
static bool is_wanted_end(const struct budget_test *test, int status)
{
	return test->signal ? WIFSIGNALED(status) && WTERMSIG(status) == test->signal
			    : WIFEXITED(status) && WEXITSTATUS(status) == test->exit;
}

/* Whether it ended as it should. */
static bool ended_well(struct running *running, const struct record *record)
{
	struct keep *keep = &running->trial->keep;
	const struct budget_test *test = running->test;
	int status = record->watch->wait_status;

	running->trial->exit_status = (struct known){WIFEXITED(status),
						     WIFEXITED(status) ? WEXITSTATUS(status) : 0};
	running->trial->signal = (struct known){WIFSIGNALED(status),
						WIFSIGNALED(status) ? WTERMSIG(status) : 0};
	running->trial->timed_out = record->watch->timed_out;
	if (record->watch->timed_out)
		return stop_for(running, CHECK_FAILED, CHECK_CAUSE_TIMEOUT,
				keep_text(keep, "the program was killed after its timeout of %s",
					  number_duration(test->timeout_ns).text));
	if (is_wanted_end(test, status))
		return true;
	const char *end = end_words(keep, status);
	bool is_said = test->signal || test->exit;
	return stop_for(running, CHECK_FAILED, is_said ? CHECK_CAUSE_ENDED : CHECK_CAUSE_FAILED,
			test->signal ? keep_text(keep, "the program %s, and was not killed by %s",
						 end, signal_name(keep, test->signal))
			: test->exit ? keep_text(keep, "the program %s, and did not exit with %d",
						 end, test->exit)
			: WIFSIGNALED(status)
				? keep_text(keep,
					    "the program %s; if that is meant, exit = %s says so",
					    end, signal_name(keep, WTERMSIG(status)))
				: keep_text(keep, "the program %s", end));
}

/* A rule or a baseline asks for them. */
static bool tells_leaks(const struct running *running)
{
	const struct budget_test *test = running->test;

	for (size_t i = 0; i < test->rule_count; i++)
		if (budget_is_of_leaks(test->rules[i].metric))
			return true;
	return running->plan->with_sites;
}

static bool measure(struct running *running, const char *capture, bool with_sites,
		    const struct measured *like, struct measured *ret, struct failure *why)
{
	const struct measure_plan plan = {
		.capture = capture,
		.test = running->test,
		.suppressions = running->plan->suppressions,
		.directory = running->plan->directory,
		.with_leaks = with_sites || tells_leaks(running),
		.with_ledger = with_sites,
		.like = like,
	};

	return measured_read(&plan, ret, why);
}

static bool add_run(struct running *running, const struct record *record)
{
	struct trial *trial = running->trial;
	struct failure why = {FAILURE_NONE, ""};
	bool is_first = trial->run_count == 0;

	trial->runs = allocate_more(trial->runs, trial->run_count, &trial->run_room,
				    sizeof *trial->runs);
	struct measured *run = &trial->runs[trial->run_count++];
	const char *capture = record->capture;
	bool done = measure(running, capture, is_first && running->plan->with_sites,
			    is_first ? NULL : &trial->runs[0], run, &why);
	if (is_first)
		trial->capture = keep_text(&trial->keep, "%s", capture);
	else
		unlink(capture);
	if (!done)
		return stop(running, CHECK_UNRELIABLE,
			    keep_text(&trial->keep, "its capture: %s", why.text));
	unseen_note(trial, record, run);
	if (run->flaw)
		return stop_for(running, CHECK_UNRELIABLE, CHECK_CAUSE_INCOMPLETE, run->flaw);
	const char *unseen = unseen_judge(trial, run);
	return !unseen || stop_for(running, CHECK_UNRELIABLE, CHECK_CAUSE_UNSEEN, unseen);
}

static bool judge_run(struct running *running, const struct record *record,
		      const struct target *target, bool recorded, const struct failure *why)
{
	struct keep *keep = &running->trial->keep;

	running->interrupted = record->watch->interrupted;
	if (!record->started)
		return stop(running, target->error ? CHECK_INVALID : CHECK_UNRELIABLE,
			    keep_text(keep, "it cannot be run: %s", why->text));
	running->trial->elapsed_ns += watch_elapsed_ns(record->watch);
	if (!ended_well(running, record))
		return false;
	if (!recorded)
		return stop(running, CHECK_UNRELIABLE,
			    keep_text(keep, "no capture could be made: %s", why->text));
	if (!record->capture[0])
		return stop(running, CHECK_UNRELIABLE, why_none(running, target));
	if (record->outlived || record->staying)
		return stop_for(running, CHECK_UNRELIABLE, CHECK_CAUSE_OUTLIVED,
				"some of its processes ran on when the first had ended, and were "
				"killed");
	return add_run(running, record);
}

static bool record_one(struct running *running)
{
	static struct target target;
	struct failure why = {FAILURE_NONE, ""};
	const struct record_trial trial = {
		.environment = running->environment,
		.settings = settings,
		.streams = running->streams,
		.timeout_ns = running->test->timeout_ns,
	};
	struct record record;

	target_inspect(running->test->argv[0], getenv("PATH"), &target);
	if (target.error)
		return stop(running, CHECK_INVALID,
			    keep_text(&running->trial->keep, "%s cannot be run: %s",
				      running->test->argv[0], strerror(target.error)));
	if (target_weight(&target) != TARGET_PARTLY)
		return stop(running, CHECK_UNRELIABLE, why_none(running, &target));
	const struct record_request request = {
		.argv = running->test->argv,
		.target = &target,
		.library = running->plan->library,
		.pattern = capture_pattern(running),
		.overwrite = true,
		.interval_ns = (uint64_t)INTERVAL_MS * MS_NS,
		.trial = &trial,
	};
	bool recorded = record_run(&request, &record, &why);
	bool done = judge_run(running, &record, &target, recorded, &why);
	if (!done && running->trial->run_count == 0 && record.capture[0] && !running->plan->keep)
		unlink(record.capture);
	record_free(&record);
	return done;
}

/* Recording leaves signals as it needs them. */
static bool run_once(struct running *running)
{
	struct sigaction pipe_was, size_was, child_was;
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	sigaction(SIGPIPE, NULL, &pipe_was);
	sigaction(SIGXFSZ, NULL, &size_was);
	sigaction(SIGCHLD, NULL, &child_was);
	if (ftruncate(running->streams[1], 0) == 0)
		lseek(running->streams[1], 0, SEEK_SET);
	bool done = record_one(running);
	sigaction(SIGCHLD, &child_was, NULL);
	sigaction(SIGXFSZ, &size_was, NULL);
	sigaction(SIGPIPE, &pipe_was, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (running->trial->state == CHECK_FAILED && !running->interrupted)
		say_output(running);
	return done && !running->interrupted;
}

/* --- all runs -------------------------------------------------------------------------------------------------- */

static void set_facts(struct running *running)
{
	struct trial *trial = running->trial;
	const struct measured *run = &trial->runs[0];
	struct utsname name;

	if (uname(&name) == 0)
		trial->fact[BASELINE_ARCHITECTURE] = keep_text(&trial->keep, "%s", name.machine);
	if (run->program)
		trial->fact[BASELINE_COMPILER] = elf_comment(run->program);
	if (trial->fact[BASELINE_COMPILER])
		keep_taken(&trial->keep, (void *)trial->fact[BASELINE_COMPILER]);
	trial->fact[BASELINE_LIBC] = run->libc;
	trial->fact[BASELINE_LIBSTDCXX] = run->libstdcxx;
	trial->fact[BASELINE_PAGE] = keep_text(&trial->keep, "%ld", sysconf(_SC_PAGESIZE));
	trial->fact[BASELINE_POOLMEM] = running->plan->version;
}

static void run_all(struct running *running)
{
	const struct trials_plan *plan = running->plan;
	size_t given = plan->runs ? plan->runs : running->test->runs;
	size_t wanted = given ? given : TRIALS_RUNS;

	for (size_t i = 0; i < wanted; i++) {
		if (!run_once(running))
			return;
		if (!given && i + 1 == TRIALS_RUNS && trial_is_unstable(running->trial))
			wanted = TRIALS_NOISY;
	}
}

static bool enter(struct running *running)
{
	struct trial *trial = running->trial;
	const char *directory = running->test->directory;

	if (directory && chdir(directory) != 0)
		return stop(running, CHECK_INVALID,
			    keep_text(&trial->keep, "%s: %s", directory, strerror(errno)));
	trial->directory = keep_text(&trial->keep, "%s", directory ? directory : ".");
	return true;
}

int trials_run(const struct trials_plan *plan, const struct budget_test *test, struct trial *ret)
{
	struct running running = {.plan = plan, .test = test, .trial = ret};
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*ret = (struct trial){.test = test, .is_kept = plan->keep != NULL};
	running.environment = make_environment(&ret->keep, test);
	if (enter(&running)) {
		if (open_streams(&running))
			run_all(&running);
		else
			stop(&running, CHECK_UNRELIABLE, "no file for its output could be made");
		close_streams(&running);
	}
	if (here < 0 || fchdir(here) != 0)
		stop(&running, CHECK_UNRELIABLE, "the working directory is lost");
	if (here >= 0)
		close(here);
	if (ret->run_count)
		set_facts(&running);
	return running.interrupted;
}

void trials_read_sites(const struct trials_plan *plan, struct trial *trial)
{
	struct running running = {.plan = plan, .test = trial->test, .trial = trial};
	struct failure why = {FAILURE_NONE, ""};
	struct measured again;

	if (!trial->capture || trial->runs[0].ledger.count)
		return;
	if (measure(&running, trial->capture, true, NULL, &again, &why)) {
		trial->runs[0].ledger = again.ledger;
		again.ledger = (struct ledger){.count = 0};
	}
	measured_free(&again);
}

void trials_free(struct trial *trial)
{
	if (trial->capture && !trial->is_kept)
		unlink(trial->capture);
	for (size_t i = 0; i < trial->run_count; i++)
		measured_free(&trial->runs[i]);
	free(trial->runs);
	keep_free(&trial->keep);
}
