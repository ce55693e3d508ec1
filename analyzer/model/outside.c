/* SPDX-License-Identifier: MIT */
/* outside.c: see outside.h. */
#include "model/outside.h"

#include "model/saturate.h"
#include "text/allocate.h"
#include "text/partition.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t NS_PER_MS = 1000000;

static struct known member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	if (!json_is_integer(value))
		return (struct known){.is_known = false};
	return (struct known){true, json_integer_value(value)};
}

/* A figure for which -1 means unknown. */
static struct known status_member(const json_t *object, const char *name)
{
	struct known status = member(object, name);
	if (status.value < 0)
		status.is_known = false;
	return status;
}

static struct outside_process read_process(const json_t *entry)
{
	return (struct outside_process){
		.pid = member(entry, "pid").value,
		.start_ticks = member(entry, "start_ticks"),
		.running = json_is_true(json_object_get(entry, "running")),
		.exit_status = status_member(entry, "exit"),
		.signal = status_member(entry, "signal"),
		.elapsed_ns = status_member(entry, "elapsed_ns"),
		.ended_ns = status_member(entry, "ended_ns"),
		.rss_now = status_member(entry, "rss_now"),
		.rss_peak = status_member(entry, "rss_peak"),
	};
}

static int by_pid(const void *left, const void *right)
{
	const struct outside_process *a = left, *b = right;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

static void read_processes(struct outside *outside)
{
	const json_t *list = json_object_get(outside->json, "processes");
	const json_t *entry;
	size_t index;

	outside->processes = allocate(json_array_size(list), sizeof *outside->processes);
	json_array_foreach(list, index, entry)
		outside->processes[outside->process_count++] = read_process(entry);
	qsort(outside->processes, outside->process_count, sizeof *outside->processes, by_pid);
}

static bool read_thread(const json_t *entry, struct outside_thread *ret)
{
	struct outside_thread thread;
	json_int_t pid, tid, first, last;

	if (json_unpack((json_t *)entry, "[I,I,s,I,I]", &pid, &tid, &thread.name, &first, &last) != 0)
		return false;
	thread.pid = pid;
	thread.tid = tid;
	thread.first_ns = first;
	thread.last_ns = last;
	*ret = thread;
	return true;
}

static void read_threads(struct outside *outside)
{
	const json_t *list = json_object_get(outside->json, "threads");
	const json_t *entry;
	size_t index;

	outside->threads = allocate(json_array_size(list), sizeof *outside->threads);
	json_array_foreach(list, index, entry) outside->thread_count += read_thread(
		entry, &outside->threads[outside->thread_count]);
}

static bool read_program(const json_t *entry, struct outside_program *ret)
{
	json_int_t pid, began;
	const char *path;
	int has_library;

	if (json_unpack((json_t *)entry, "[I,I,s,b]", &pid, &began, &path, &has_library) != 0)
		return false;
	*ret = (struct outside_program){pid, began, path, has_library};
	return true;
}

static void read_programs(struct outside *outside)
{
	const json_t *list = json_object_get(outside->json, "programs");
	const char *of = json_string_value(json_object_get(outside->json, "programs_of"));
	struct known dropped = status_member(outside->json, "programs_dropped");
	struct known namespace = status_member(outside->json, "pid_namespace");
	const json_t *entry;
	size_t index;

	outside->has_programs = json_is_array(list);
	outside->programs_of_kernel = of && strcmp(of, "kernel") == 0;
	outside->programs_dropped = dropped.is_known ? (uint64_t)dropped.value : 0;
	outside->pid_namespace = namespace.is_known ? (uint64_t) namespace.value : 0;
	outside->programs_error = json_string_value(json_object_get(outside->json, "programs_error"));
	outside->programs = allocate(json_array_size(list), sizeof *outside->programs);
	json_array_foreach(list, index, entry) outside->program_count += read_program(
		entry, &outside->programs[outside->program_count]);
}

static void read_rss(struct outside *outside)
{
	const json_t *list = json_object_get(outside->json, "rss");
	const json_t *entry;
	uint64_t last_ns = 0;
	size_t index;

	outside->rss = allocate(json_array_size(list), sizeof *outside->rss);
	json_array_foreach(list, index, entry)
	{
		json_int_t ms, bytes;
		if (json_unpack((json_t *)entry, "[I,I]", &ms, &bytes) != 0 || ms < 0 || bytes < 0)
			continue;
		uint64_t at_ns = product((uint64_t)ms, NS_PER_MS);
		if (at_ns < last_ns)
			continue;
		last_ns = at_ns;
		outside->rss[outside->rss_count++] = (struct outside_rss){at_ns, (uint64_t)bytes};
	}
}

bool outside_parse(const char *text, size_t byte_count, struct outside *ret, struct failure *why)
{
	json_error_t error;
	json_t *json = json_loadb(text, byte_count, JSON_REJECT_DUPLICATES, &error);

	if (!json)
		return fail(why, FAILURE_UNREADABLE, "damaged: the RUN section is no JSON: %s",
			    error.text);
	if (!json_is_object(json)) {
		json_decref(json);
		return fail(why, FAILURE_UNREADABLE, "damaged: the RUN section is no JSON object");
	}
	*ret = (struct outside){
		.json = json,
		.exit_status = status_member(json, "exit"),
		.signal = status_member(json, "signal"),
		.elapsed_ns = status_member(json, "elapsed_ns"),
		.rss_peak = status_member(json, "rss_peak"),
		.began_ns = status_member(json, "began_ns"),
		.began_real_ns = status_member(json, "began_real_ns"),
	};
	read_rss(ret);
	read_processes(ret);
	read_threads(ret);
	read_programs(ret);
	return true;
}

void outside_free(struct outside *outside)
{
	json_decref(outside->json);
	free(outside->rss);
	free(outside->processes);
	free(outside->threads);
	free(outside->programs);
	*outside = (struct outside){.json = NULL};
}

/* The first with this pid; all with it follow. */
static size_t first_with_pid(const struct outside *outside, uint32_t pid)
{
	return PARTITION_POINT(0, outside->process_count, i, outside->processes[i].pid < pid);
}

const struct outside_process *outside_find(const struct outside *outside, uint32_t pid,
					   uint64_t start_ticks)
{
	for (size_t i = first_with_pid(outside, pid); i < outside->process_count; i++) {
		const struct outside_process *process = &outside->processes[i];
		if (process->pid != pid)
			return NULL;
		if (!start_ticks || !process->start_ticks.is_known ||
		    (uint64_t)process->start_ticks.value == start_ticks)
			return process;
	}
	return NULL;
}
