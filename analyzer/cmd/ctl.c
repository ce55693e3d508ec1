/* SPDX-License-Identifier: MIT */
/* ctl.c: `poolmem ctl`: tells a process that runs what to record from now on. */
#define _GNU_SOURCE 1

#include "cmd/command.h"
#include "cmd/suggest.h"
#include "launch/settings.h"
#include "render/control.h"
#include "study/mode.h"
#include "text/clock.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LETTER_WAIT = 256,
	LETTER_JSON,
	LOOK_MS = 5,
	WAIT_MS = 1000,
	SAMPLE_PERIOD = 512 << 10 /* of one that was started with sites.period=1 */
};

static const struct command_option options[] = {
	{"--wait TIME", "how long to wait until it has followed (default 1s): 500ms, 10s, 0s"},
	{"--json", "for machines"},
	{NULL, NULL},
};

const struct command_help help_ctl = {
	.usage = "ctl [options] PID [sites=off|sample|all] [sites.period=BYTES]",
	.purpose = "Switches what call sites a process records, while it runs; with a PID alone, says what it\n"
		   "records now. PID is a process that runs under libpoolmem.so. Blocks of before the switch\n"
		   "stay as they were recorded, or not recorded.",
	.options = options,
	.examples =
		{
			{"poolmem ctl 1234 sites=all", "from now on each block by its call stack"},
			{"poolmem ctl 1234 sites=sample sites.period=64K",
			 "a sample with smaller errors than that of 512K"},
			{"poolmem ctl $(pidof server)", "what a server records now"},
		},
};

struct wish {
	const char *pid;
	bool json, has_mode, has_period;
	uint64_t wait_ms;
	uint64_t mode;   /* 0: off, 1: all, 2: a sample */
	uint64_t period; /* bytes */
};

/* --- the command line ------------------------------------------------------------------------------------ */

static bool set_mode(const char *value, struct wish *wish)
{
	static const char *const modes[] = {"off", "all", "sample"};

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp(value, modes[i]) == 0) {
			wish->mode = i;
			return wish->has_mode = true;
		}
	return false;
}

static bool set_period(const char *value, struct wish *wish)
{
	return wish->has_period = settings_bytes(value, &wish->period) && wish->period > 1 &&
				  wish->period <= PM_CONTROL_PERIOD_MAX;
}

static int refuse_key(const char *assignment, size_t bytes)
{
	static const char *const keys[] = {"sites", "sites.period"};
	char key[32];

	if (settings_have(assignment, bytes))
		return command_usage_error(
			"ctl",
			"'%.*s' holds from start to end: only sites and sites.period "
			"can be changed while a program runs",
			(int)bytes, assignment);
	snprintf(key, sizeof key, "%.*s", (int)bytes, assignment);
	const char *near = suggest(key, keys, sizeof keys / sizeof *keys);
	return command_usage_error("ctl",
				   near ? "there is no setting '%.60s'; did you mean '%s='?"
					: "there is no setting '%.60s'",
				   assignment, near);
}

static int take_setting(const char *assignment, struct wish *wish)
{
	size_t bytes = strcspn(assignment, "=");
	const char *value = assignment + bytes + (assignment[bytes] == '=');

	if (strncmp(assignment, "sites=", bytes + 1) == 0 && bytes == strlen("sites")) {
		if (!set_mode(value, wish))
			return command_usage_error(
				"ctl", "sites takes off, sample or all, not '%s'", value);
		return EXIT_DONE;
	}
	if (strncmp(assignment, "sites.period=", bytes + 1) == 0 && bytes == strlen("sites.period")) {
		if (!set_period(value, wish))
			return command_usage_error(
				"ctl",
				"sites.period takes 2 to 1024G bytes, with or without K, "
				"M or G behind it, not '%s'; sites=all records each block",
				value);
		return EXIT_DONE;
	}
	return refuse_key(assignment, bytes);
}

static bool set_wait(const char *text, struct wish *wish)
{
	char *end;
	unsigned long long count = strtoull(text, &end, 10);
	bool is_seconds = strcmp(end, "s") == 0;

	if (end == text || *text == '-' || count > 1000000 ||
	    (!is_seconds && strcmp(end, "ms") != 0))
		return false;
	wish->wait_ms = is_seconds ? count * 1000 : count;
	return true;
}

static int take_options(int argc, char **argv, struct wish *wish)
{
	static const struct option table[] = {{"wait", required_argument, NULL, LETTER_WAIT},
					      {"json", no_argument, NULL, LETTER_JSON},
					      {NULL, 0, NULL, 0}};
	static const char *const words[] = {"wait", "json"};
	int letter;

	optind = 1;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":", table, NULL)) != -1) {
		if (letter == ':')
			return command_usage_error("ctl", "'%s' needs a value", argv[optind - 1]);
		if (letter == '?')
			return command_unknown_option("ctl", argv, words, 2);
		if (letter == LETTER_WAIT && !set_wait(optarg, wish))
			return command_usage_error("ctl", "--wait takes 500ms or 10s, not '%s'",
						   optarg);
		wish->json |= letter == LETTER_JSON;
	}
	return EXIT_DONE;
}

static int parse(int argc, char **argv, struct wish *wish)
{
	int code = take_options(argc, argv, wish);

	if (code != EXIT_DONE)
		return code;
	if (optind == argc)
		return command_usage_error("ctl", "the PID of a process that runs is wanted");
	wish->pid = argv[optind++];
	if (!*wish->pid || wish->pid[strspn(wish->pid, "0123456789")] != '\0')
		return command_usage_error("ctl", "takes the PID of a process that runs, not '%s'",
					   wish->pid);
	for (; optind < argc && code == EXIT_DONE; optind++)
		code = take_setting(argv[optind], wish);
	if (code == EXIT_DONE && wish->has_period && wish->has_mode && wish->mode != 2)
		return command_usage_error("ctl", "sites.period is of sites=sample");
	return code;
}

/* --- asking ---------------------------------------------------------------------------------------------- */

static bool can_follow(const struct wish *wish, const struct control_state *state,
		       struct failure *why)
{
#define CONTROL_WORDS(name, key, help) [PM_CONTROL_##name] = help,
	static const char *const words[] = {PM_CONTROLS(CONTROL_WORDS)};
#undef CONTROL_WORDS

	if (state->is_passive)
		return fail(why, FAILURE_NOTHING,
			    "process %s records nothing: another malloc stands before poolmem and "
			    "serves it",
			    wish->pid);
	if (state->what != PM_CONTROL_OPEN)
		return fail(why, FAILURE_NOTHING, "process %s cannot be switched: %s", wish->pid,
			    words[state->what]);
	if (wish->has_period && !wish->has_mode && state->period <= 1)
		return fail(why, FAILURE_USAGE,
			    "process %s records no sample: give sites=sample, too", wish->pid);
	return true;
}

static uint64_t period_wanted(const struct wish *wish, const struct control_state *state)
{
	if (wish->has_period)
		return wish->period;
	if (wish->mode < 2)
		return wish->mode;
	if (state->sample_period > PM_CONTROL_PERIOD_MAX)
		return PM_CONTROL_PERIOD_MAX;
	return state->sample_period > 1 ? state->sample_period : SAMPLE_PERIOD;
}

static uint64_t now_ms(void)
{
	return monotonic_ns() / CLOCK_MS_NS;
}

static bool await(const struct wish *wish, const struct control *control, uint64_t word,
		  struct control_state *state, struct failure *why)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * (long)CLOCK_MS_NS};
	uint64_t until = now_ms() + wish->wait_ms;

	while (control_read(control, state, why)) {
		if (control_is_taken(state, word) || now_ms() >= until)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static bool is_refused(const struct control_state *state, uint64_t word, uint64_t period,
		       struct failure *why)
{
	if (state->taken != word || state->period == period)
		return false;
	fail(why, FAILURE_NOTHING,
	     "the process stays with %s: it was switched to as many different periods as it takes; give "
	     "one that it has had",
	     mode_words(state->period).text);
	return true;
}

static bool ask(const struct wish *wish, const struct control *control, struct control_state *state,
		uint64_t *ret_word, struct failure *why)
{
	if (!can_follow(wish, state, why))
		return false;
	uint64_t period = period_wanted(wish, state);
	uint64_t word = control_ask(control, period);
	*ret_word = word;
	/* What it has written before it took the word is surely seen by a look that begins after. */
	return await(wish, control, word, state, why) && control_read(control, state, why) &&
	       !is_refused(state, word, period, why);
}

static bool print(const struct wish *wish, const struct control *control,
		  const struct control_state *state, uint64_t word, struct failure *why)
{
	struct sink sink;

	if (!sink_open(&sink, NULL, why))
		return false;
	if (wish->json)
		control_json(control->pid, state, word, &sink);
	else
		control_text(control->pid, state, word, &sink);
	return sink_close(&sink, why);
}

int cmd_ctl(int argc, char **argv)
{
	struct wish wish = {.wait_ms = WAIT_MS};
	struct failure why = {FAILURE_NONE, ""};
	struct control control;
	struct control_state state;
	uint64_t word = 0;
	int code = parse(argc, argv, &wish);

	if (code != EXIT_DONE)
		return code;
	bool asks = wish.has_mode || wish.has_period;
	settings_adopt();
	if (!control_open(wish.pid, asks, &control, &why))
		return failure_report(&why);
	bool is_done = control_read(&control, &state, &why) &&
		       (!asks || ask(&wish, &control, &state, &word, &why)) &&
		       print(&wish, &control, &state, word, &why);
	control_close(&control);
	if (is_done && asks && state.taken != word)
		return EXIT_NOTHING;
	return failure_report(&why);
}
