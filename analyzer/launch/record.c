/* SPDX-License-Identifier: MIT */
/* record.c: see record.h. */
#define _GNU_SOURCE
#include "launch/record.h"

#include "launch/child.h"
#include "launch/collect.h"
#include "launch/environment.h"
#include "launch/name.h"
#include "launch/outcome.h"
#include "launch/save.h"
#include "launch/say.h"
#include "launch/segdir.h"
#include "text/allocate.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the steps hand on to each other. */
struct run {
	const struct record_request *request;
	struct record *record;
	uint64_t run_id;
	char directory[PATH_MAX]; /* where we are */
	struct segdir segdir;
	struct child child;
	struct save save;
	struct collect collect;
};

static bool fork_child(struct run *run, struct failure *why)
{
	const struct record_request *request = run->request;
	struct watch *watch = run->record->watch;
	char **environment = NULL;

	watch_prepare(watch);
	struct environment_plan extended = {
		.library = request->library,
		.directory = run->segdir.path,
		.run_id = run->run_id,
		.max_bytes = run->segdir.max_bytes,
		.surveys = request->surveys,
		.trace = request->trace,
	};

	const struct record_trial *trial = request->trial;
	if (trial)
		environment = environment_fixed(&extended, trial->environment, trial->settings);
	else if (request->library)
		environment = environment_make(&extended);
	struct child_plan plan = {
		.path = request->target->is_elf ? request->target->path : NULL,
		.argv = request->argv,
		.environment = environment ? environment : environ,
		.mask = &watch->former_mask,
		.chld = &watch->former_chld,
		.streams = trial ? trial->streams : NULL,
		.has_fixed_addresses = trial != NULL,
	};
	bool forked = child_fork(&plan, &run->child, why);

	environment_free(environment);
	return forked;
}

/* The last moment at which nothing has happened yet. */
static bool find_place(struct run *run, struct failure *why)
{
	const struct record_request *request = run->request;
	struct name_facts facts = {request->target->path, run->child.pid};
	char path[PATH_MAX];

	return name_make(request->pattern, &facts, request->overwrite, path, why) &&
	       save_place(&run->save, path, request->overwrite, why);
}

static bool start(struct run *run, struct failure *why)
{
	struct record *record = run->record;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a capture over `ulimit -f` is an error to tell (F39) */
	if (!find_place(run, why)) {
		child_call_off(&run->child);
		return false;
	}
	if (!run->request->only && run->request->library)
		programs_open(&record->watch->programs, run->child.pid);
	watch_begin(record->watch, run->child.pid);
	int error = child_release(&run->child);

	if (error) {
		record->exit_code = error == ENOENT ? RECORD_NOT_FOUND : RECORD_NOT_EXECUTABLE;
		return fail(why, FAILURE_NOTHING, "%s: %s", run->request->argv[0], strerror(error));
	}
	record->started = true;
	record->draws_addresses = run->child.draws_addresses;
	return true;
}

static int exit_code_of(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

static char *run_json(const struct run *run)
{
	struct outcome outcome = {
		.argv = run->request->argv,
		.directory = run->directory,
		.run_id = run->run_id,
		.target = run->request->target,
		.watch = run->record->watch,
	};
	json_t *json = outcome_json(&outcome);
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text;
}

/* Only `report last` suffers when this fails. */
static void note_last(const struct run *run)
{
	struct failure why;

	if (!segdir_note_last(&run->segdir, run->record->capture, &why))
		say("%s", why.text);
}

/* What was moved before a capture failed may have the temporary name only. */
static void tell_capture(struct run *run, bool is_named)
{
	const struct save *save = &run->save;
	int directory_bytes = (int)(save->name - save->path);

	if (is_named)
		memcpy(run->record->capture, save->path, sizeof(save->path));
	else
		snprintf(run->record->capture, sizeof(run->record->capture), "%.*s%s",
			 directory_bytes, save->path, save->temporary);
}

static bool keep_capture(struct run *run, struct failure *why)
{
	struct collect *collect = &run->collect;
	struct record *record = run->record;
	char *json = run_json(run);
	bool is_part;

	if (!json)
		return fail(why, FAILURE_WRITE, "no memory for the RUN section");
	bool saved = collect_rest(collect, json, &is_part, why);

	free(json);
	record->segments = collect->saved;
	record->left_out = collect->left_out;
	record->staying = collect_staying(collect);
	record->told = !saved && strcmp(why->text, collect->stop.text) == 0;
	if (collect->saved && (saved || collect->moved))
		tell_capture(run, saved || is_part);
	if (collect->saved && (saved || is_part) && !run->request->trial)
		note_last(run);
	return saved;
}

static bool record_started(struct run *run, struct failure *why)
{
	struct record *record = run->record;

	if (!fork_child(run, why) || !start(run, why))
		return false;
	watch_run(record->watch, &run->collect);
	record->exit_code = exit_code_of(record->watch->wait_status);
	record->outlived = record->watch->outlived;
	if (keep_capture(run, why))
		return true;
	record->exit_code = RECORD_FAILED;
	return false;
}

static void begin_collecting(struct run *run)
{
	run->collect = (struct collect){
		.save = &run->save,
		.directory = run->segdir.path,
		.only = run->request->only,
		.peak = &run->record->watch->peak,
	};
	roster_open(run->segdir.fd, run->run_id, &run->collect.roster);
}

bool record_run(const struct record_request *request, struct record *ret, struct failure *why)
{
	struct run run = {
		.request = request,
		.record = ret,
		.run_id = environment_run_id(),
		.save = {.directory_fd = -1, .fd = -1},
	};

	*ret = (struct record){.exit_code = RECORD_FAILED,
			       .watch = allocate(1, sizeof(*ret->watch))};
	ret->run_id = run.run_id;
	ret->watch->interval_ns = request->interval_ns;
	ret->watch->peak.is_wanted = request->surveys;
	ret->watch->timeout_ns = request->trial ? request->trial->timeout_ns : 0;
	ret->watch->ends_all = request->trial != NULL;
	if (!getcwd(run.directory, sizeof(run.directory)))
		run.directory[0] = 0;
	if (!segdir_open(&run.segdir, why))
		return false;
	memcpy(ret->directory, run.segdir.path, sizeof(ret->directory));
	begin_collecting(&run);
	bool recorded = record_started(&run, why);

	roster_close(&run.collect.roster);
	segdir_close(&run.segdir);
	save_close(&run.save);
	return recorded;
}

void record_free(struct record *record)
{
	threads_free(&record->watch->family.threads);
	peak_free(&record->watch->peak);
	programs_free(&record->watch->programs);
	free(record->watch);
	record->watch = NULL;
}
