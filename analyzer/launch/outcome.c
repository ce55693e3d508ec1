/* SPDX-License-Identifier: MIT */
/* outcome.c: see outcome.h. */
#include "launch/outcome.h"

#include "source/life.h"
#include "text/escape.h"

#include <gnu/libc-version.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTCOME_SCHEMA = 1 };

/* Names and arguments may hold any bytes; JSON holds UTF-8. */
static json_t *text_json(const char *text)
{
	char *repaired = repair_utf8(text, strlen(text));
	json_t *json = json_string(repaired);

	free(repaired);
	return json;
}

static json_t *number_json(uint64_t number)
{
	return json_integer((json_int_t)number);
}

static void set_number(json_t *object, const char *key, uint64_t number)
{
	json_object_set_new(object, key, number_json(number));
}

static void set_status(json_t *object, int wait_status)
{
	bool exited = WIFEXITED(wait_status);

	json_object_set_new(object, "exit", json_integer(exited ? WEXITSTATUS(wait_status) : -1));
	json_object_set_new(object, "signal", json_integer(exited ? 0 : WTERMSIG(wait_status)));
}

static json_t *command_json(char *const *argv)
{
	json_t *command = json_array();

	for (; *argv; argv++)
		json_array_append_new(command, text_json(*argv));
	return command;
}

static json_t *timeline_json(const struct timeline *timeline)
{
	json_t *points = json_array();

	for (size_t i = 0; i < timeline->count; i++)
		json_array_append_new(points,
				      json_pack("[o,o]", number_json(timeline->point[i].at_ms),
						number_json(timeline->point[i].bytes)));
	return points;
}

static json_t *process_json(const struct watch *watch, const struct family_member *process)
{
	const struct family *family = &watch->family;
	json_t *json = json_object();

	set_number(json, "pid", (uint64_t)process->pid);
	if (process->start_ticks)
		set_number(json, "start_ticks", process->start_ticks);
	if (process->ended)
		set_status(json, process->wait_status);
	if (watch->ended && process->pid == watch->child)
		set_number(json, "ended_ns", watch->ended_ns);
	if (family_is_running(family, process)) {
		json_object_set_new(json, "running", json_true());
		set_number(json, "rss_now", process->rss_now);
	}
	if (process->rss_peak)
		set_number(json, "rss_peak", process->rss_peak);
	return json;
}

/* Of a process that was alone the kernel knows the peak; else only what the samples met. */
static json_t *processes_json(const struct watch *watch)
{
	const struct family *family = &watch->family;
	json_t *processes = json_array();

	for (size_t i = 0; i < family->count; i++)
		json_array_append_new(processes, process_json(watch, &family->member[i]));
	if (family->count == 1 && outcome_rss_peak(watch))
		set_number(json_array_get(processes, 0), "rss_peak", outcome_rss_peak(watch));
	return processes;
}

/* Why the kernel told of none, for people who may change that. */
static void set_programs(json_t *object, const struct programs *programs)
{
	json_t *list = json_array();

	if (!programs->child)
		return;
	for (size_t i = 0; i < programs->count; i++) {
		const struct program *program = &programs->list[i];
		json_array_append_new(
			list, json_pack("[o,o,o,b]", number_json((uint64_t)program->pid),
					number_json(program->began_ns), text_json(program->path),
					(int)program->has_library));
	}
	json_object_set_new(object, "programs", list);
	json_object_set_new(object, "programs_of",
			    json_string(programs->error ? "samples" : "kernel"));
	if (programs->error)
		json_object_set_new(object, "programs_error",
				    json_string(strerror(programs->error)));
	set_number(object, "programs_dropped", programs->dropped);
}

static json_t *threads_json(const struct threads *threads)
{
	json_t *list = json_array();

	for (size_t i = 0; i < threads->count; i++) {
		const struct seen_thread *thread = &threads->list[i];
		json_array_append_new(
			list,
			json_pack("[o,o,o,o,o]", number_json((uint64_t)thread->pid),
				  number_json((uint64_t)thread->tid), text_json(thread->name),
				  number_json(thread->first_ns), number_json(thread->last_ns)));
	}
	return list;
}

static uint64_t time_ns(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

static json_t *usage_json(const struct rusage *usage)
{
	json_t *json = json_object();

	set_number(json, "max_rss", (uint64_t)usage->ru_maxrss * 1024);
	set_number(json, "user_ns", time_ns(usage->ru_utime));
	set_number(json, "system_ns", time_ns(usage->ru_stime));
	set_number(json, "minor_faults", (uint64_t)usage->ru_minflt);
	set_number(json, "major_faults", (uint64_t)usage->ru_majflt);
	set_number(json, "voluntary_switches", (uint64_t)usage->ru_nvcsw);
	set_number(json, "involuntary_switches", (uint64_t)usage->ru_nivcsw);
	return json;
}

static json_t *host_json(void)
{
	json_t *json = json_object();
	struct utsname host;

	if (uname(&host) == 0) {
		json_object_set_new(json, "kernel", text_json(host.release));
		json_object_set_new(json, "machine", text_json(host.machine));
		json_object_set_new(json, "hostname", text_json(host.nodename));
	}
	json_object_set_new(json, "libc", json_sprintf("glibc %s", gnu_get_libc_version()));
	set_number(json, "page_bytes", (uint64_t)sysconf(_SC_PAGESIZE));
	set_number(json, "cpus", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
	return json;
}

static json_t *warnings_json(const struct target *target)
{
	char text[PATH_MAX + 2 * TARGET_DETAIL_MAX];
	json_t *warnings = json_array();

	for (size_t i = 0; i < target->finding_count; i++) {
		target_finding_text(&target->finding[i], text, sizeof(text));
		json_array_append_new(warnings, text_json(text));
	}
	return warnings;
}

uint64_t outcome_rss_peak(const struct watch *watch)
{
	uint64_t of_one = (uint64_t)watch->usage.ru_maxrss * 1024;

	return of_one > watch->rss_floor && of_one > watch->rss_peak ? of_one : watch->rss_peak;
}

json_t *outcome_json(const struct outcome *outcome)
{
	const struct watch *watch = outcome->watch;
	json_t *json = json_object();
	char run_id[24];

	snprintf(run_id, sizeof(run_id), "%016" PRIx64, outcome->run_id);
	set_number(json, "schema", OUTCOME_SCHEMA);
	json_object_set_new(json, "command", command_json(outcome->argv));
	json_object_set_new(json, "cwd", text_json(outcome->directory));
	json_object_set_new(json, "run_id", json_string(run_id));
	set_number(json, "pid", (uint64_t)watch->child);
	set_number(json, "began_real_ns", watch->began_real_ns);
	set_number(json, "began_ns", watch->began_ns);
	set_number(json, "elapsed_ns", watch_elapsed_ns(watch));
	set_status(json, watch->wait_status);
	if (outcome_rss_peak(watch))
		set_number(json, "rss_peak", outcome_rss_peak(watch));
	set_number(json, "interval_ms", watch->interval_ns / 1000000);
	json_object_set_new(json, "rss_of", json_string(watch->family.whole ? "tree" : "main"));
	json_object_set_new(json, "rss", timeline_json(&watch->timeline));
	json_object_set_new(json, "processes", processes_json(watch));
	set_number(json, "processes_dropped", watch->family.dropped);
	if (life_pid_namespace())
		set_number(json, "pid_namespace", life_pid_namespace());
	set_programs(json, &watch->programs);
	json_object_set_new(json, "threads", threads_json(&watch->family.threads));
	set_number(json, "threads_dropped", watch->family.threads.dropped);
	json_object_set_new(json, "rusage", usage_json(&watch->usage));
	json_object_set_new(json, "host", host_json());
	json_object_set_new(json, "warnings", warnings_json(outcome->target));
	return json;
}
