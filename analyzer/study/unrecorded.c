/* SPDX-License-Identifier: MIT */
/* unrecorded.c: see unrecorded.h. */
#include "study/unrecorded.h"

#include "study/site_name.h"
#include "text/allocate.h"
#include "text/partition.h"

#include <stdlib.h>
#include <string.h>

/* The library's clock stands still between two ticks of the kernel: of 10 ms at most. */
enum { TICK_NS = 10000000 };

/* Which records and which programs have found each other. */
struct matching {
	const struct outside *outside;
	struct unrecorded_record *records; /* by pid */
	size_t record_count;
	bool *is_matched; /* programs */
};

static bool has_file_name(const char *path, const char *other)
{
	return path && strcmp(site_file_name(path), site_file_name(other)) == 0;
}

/* Of a sample it is known when the program was there, of the kernel when it began. */
static bool is_in_time(const struct outside *outside, const struct outside_program *program,
		       const struct unrecorded_record *record)
{
	return !outside->programs_of_kernel ||
	       record->began_ns + TICK_NS >= (uint64_t)program->began_ns;
}

/* It knows itself by another pid than the kernel tells us. */
static bool is_elsewhere(const struct outside *outside, const struct unrecorded_record *record)
{
	return outside->pid_namespace && record->pid_namespace &&
	       record->pid_namespace != outside->pid_namespace;
}

static bool fits(const struct matching *matching, const struct outside_program *program,
		 const struct unrecorded_record *record, bool by_name)
{
	const struct outside *outside = matching->outside;

	return !record->is_taken && (!record->is_fork || !outside->programs_of_kernel) &&
	       is_in_time(outside, program, record) &&
	       (!by_name || has_file_name(record->exe, program->path));
}

static void match(struct matching *matching, size_t index, bool by_name)
{
	const struct outside_program *program = &matching->outside->programs[index];
	size_t first = PARTITION_POINT(0, matching->record_count, i,
				       matching->records[i].pid < program->pid);

	for (size_t i = first; i < matching->record_count; i++) {
		struct unrecorded_record *record = &matching->records[i];
		if (record->pid != program->pid)
			return;
		if (is_elsewhere(matching->outside, record) ||
		    !fits(matching, program, record, by_name))
			continue;
		record->is_taken = matching->is_matched[index] = true;
		return;
	}
}

static void match_elsewhere(struct matching *matching, size_t index)
{
	const struct outside *outside = matching->outside;

	for (size_t i = 0; i < matching->record_count; i++) {
		struct unrecorded_record *record = &matching->records[i];
		if (!is_elsewhere(outside, record) ||
		    !fits(matching, &outside->programs[index], record, true))
			continue;
		record->is_taken = matching->is_matched[index] = true;
		return;
	}
}

/* Of processes in another pid namespace than ours the name alone is left. */
static void match_namespaces(struct matching *matching)
{
	for (size_t i = matching->outside->program_count; i > 0; i--)
		if (!matching->is_matched[i - 1])
			match_elsewhere(matching, i - 1);
}

static int by_pid(const void *left, const void *right)
{
	const struct unrecorded_record *a = left, *b = right;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

/* The last first: a record is of the program that began last before it. */
static void match_all(struct matching *matching, bool by_name)
{
	for (size_t i = matching->outside->program_count; i > 0; i--)
		if (!matching->is_matched[i - 1])
			match(matching, i - 1, by_name);
}

static struct unrecorded_program *find(struct unrecorded *unrecorded, const char *path)
{
	for (size_t i = 0; i < unrecorded->program_count; i++)
		if (strcmp(unrecorded->programs[i].path, path) == 0)
			return &unrecorded->programs[i];
	struct unrecorded_program *added = &unrecorded->programs[unrecorded->program_count++];
	added->path = path;
	return added;
}

static bool is_last_of_pid(const struct outside *outside, size_t index)
{
	for (size_t i = index + 1; i < outside->program_count; i++)
		if (outside->programs[i].pid == outside->programs[index].pid)
			return false;
	return true;
}

/* One that runs on keeps its record where it is, if it has one: samples do not tell whether it loaded the library. */
static bool runs_on(const struct outside *outside, size_t index)
{
	const struct outside_program *program = &outside->programs[index];
	const struct outside_process *process = outside_find(outside, (uint32_t)program->pid, 0);

	return process && process->running &&
	       (program->has_library || !outside->programs_of_kernel) &&
	       is_last_of_pid(outside, index);
}

static void add(struct unrecorded *unrecorded, const struct outside_program *program)
{
	struct unrecorded_program *of = find(unrecorded, program->path);

	of->has_library |= program->has_library;
	of->count++;
	unrecorded->count++;
}

struct unrecorded_record unrecorded_record(const struct recording *recording,
					   const struct process *process)
{
	return (struct unrecorded_record){
		.pid = process->record.pid,
		.began_ns = process->record.began_ns,
		.pid_namespace = process->header ? process->header->pid_namespace : 0,
		.exe = facts_of(recording, process)->exe,
		.is_fork = process->kind == PROCESS_FORK,
	};
}

const char *unrecorded_name(const struct unrecorded_program *program)
{
	return site_file_name(program->path);
}

void unrecorded_find(const struct outside *outside, struct unrecorded_record *records,
		     size_t record_count, struct unrecorded *ret)
{
	struct matching matching = {outside, records, record_count,
				    allocate(outside->program_count + 1, sizeof(bool))};

	*ret = (struct unrecorded){
		.programs = allocate(outside->program_count + 1, sizeof *ret->programs),
		.dropped_count = outside->programs_dropped,
		.kernel_error = outside->programs_error,
	};
	if (record_count)
		qsort(records, record_count, sizeof *records, by_pid);
	match_all(&matching, true);
	match_all(&matching, !outside->programs_of_kernel);
	if (outside->programs_of_kernel)
		match_namespaces(&matching);
	for (size_t i = 0; i < outside->program_count; i++)
		if (!matching.is_matched[i] && !runs_on(outside, i))
			add(ret, &outside->programs[i]);
	free(matching.is_matched);
}

void unrecorded_of(const struct recording *recording, struct unrecorded *ret)
{
	struct unrecorded_record *records = allocate(recording->process_count + 1, sizeof *records);
	size_t count = 0;

	for (size_t i = 0; i < recording->process_count; i++) {
		const struct process *process = &recording->processes[i];
		if (process->kind != PROCESS_DEPARTED)
			records[count++] = unrecorded_record(recording, process);
	}
	unrecorded_find(&recording->outside, records, count, ret);
	free(records);
}

void unrecorded_free(struct unrecorded *unrecorded)
{
	free(unrecorded->programs);
	unrecorded->programs = NULL;
}
