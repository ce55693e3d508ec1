/* SPDX-License-Identifier: MIT */
/* Which programs ran and which left a record: rings of the kernel written here, and lists of both. */
#define _GNU_SOURCE 1

#include "launch/library.h"
#include "launch/programs.h"
#include "study/unrecorded.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RING_BYTES = 4096, PID = 70, OURS = 1, ANOTHER = 2 };

/* --- rings ------------------------------------------------------------------------------------------------ */

static void open_rings(struct programs *programs, size_t count)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);

	*programs = (struct programs){.child = PID, .ring_bytes = RING_BYTES, .ring_count = count};
	for (size_t i = 0; i < count; i++) {
		struct perf_event_mmap_page *page = mmap(NULL, page_bytes + RING_BYTES,
							 PROT_READ | PROT_WRITE,
							 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		cr_assert_neq((void *)page, MAP_FAILED);
		page->data_offset = page_bytes;
		programs->ring[i] = (struct programs_ring){-1, page};
	}
}

static void put(struct programs *programs, size_t ring, const void *bytes, size_t count)
{
	struct perf_event_mmap_page *page = programs->ring[ring].pages;
	char *data = (char *)page + page->data_offset;

	for (size_t i = 0; i < count; i++)
		data[page->data_head++ % RING_BYTES] = ((const char *)bytes)[i];
}

/* fixed: the words between pids and text. */
static void put_record(struct programs *programs, size_t ring, struct perf_event_header header,
		       size_t fixed, const char *text, uint64_t at_ns)
{
	uint32_t pids[] = {PID, PID};
	uint64_t words[3] = {0};
	char room[256] = {0};
	size_t text_bytes = (strlen(text) / 8 + 1) * 8;

	memcpy(room, text, strlen(text));
	header.size = (uint16_t)(sizeof header + sizeof pids + fixed * 8 + text_bytes + 8);
	put(programs, ring, &header, sizeof header);
	put(programs, ring, pids, sizeof pids);
	put(programs, ring, words, fixed * 8);
	put(programs, ring, room, text_bytes);
	put(programs, ring, &at_ns, sizeof at_ns);
}

static void put_exec(struct programs *programs, size_t ring, const char *name, uint64_t at_ns)
{
	const struct perf_event_header header = {.type = PERF_RECORD_COMM,
						 .misc = PERF_RECORD_MISC_COMM_EXEC};

	put_record(programs, ring, header, 0, name, at_ns);
}

static void put_map(struct programs *programs, size_t ring, const char *path, uint64_t at_ns)
{
	const struct perf_event_header header = {.type = PERF_RECORD_MMAP};

	put_record(programs, ring, header, 3, path, at_ns);
}

static void is_program(const struct programs *programs, size_t index, const char *path,
		       bool has_library)
{
	cr_assert_gt(programs->count, index);
	cr_assert_str_eq(programs->list[index].path, path);
	cr_assert_eq(programs->list[index].has_library, has_library);
}

/* Two programs, each with its exec on processor 1 and its maps on processor 0. */
Test(programs, are_told_in_order_of_time_over_all_rings)
{
	static struct programs programs;

	open_rings(&programs, 2);
	put_exec(&programs, 1, "first", 10);
	put_map(&programs, 0, "/bin/first", 20);
	put_map(&programs, 0, "/lib/" LIBRARY_NAME, 30);
	put_exec(&programs, 1, "second", 40);
	put_map(&programs, 0, "/bin/second", 50);
	programs_look(&programs);
	cr_assert_eq(programs.count, 2);
	is_program(&programs, 0, "/bin/first", true);
	is_program(&programs, 1, "/bin/second", false);
	cr_assert_eq(programs.dropped, 0);
	programs_free(&programs);
}

/* The ring of processor 1 was looked into already when its exec was written. */
Test(programs, newer_than_the_look_waits_and_the_end_takes_all)
{
	static struct programs programs;

	open_rings(&programs, 2);
	put_exec(&programs, 1, "first", 10);
	put_map(&programs, 0, "/bin/second", UINT64_MAX - 1);
	programs_look(&programs);
	cr_assert_eq(programs.count, 1);
	is_program(&programs, 0, "first", false);
	put_exec(&programs, 1, "second", UINT64_MAX - 2);
	programs_close(&programs);
	cr_assert_eq(programs.count, 2);
	is_program(&programs, 0, "first", false);
	is_program(&programs, 1, "/bin/second", false);
	programs_free(&programs);
}

Test(programs, what_cannot_be_read_counts_as_dropped)
{
	static struct programs programs;
	const struct perf_event_header none = {.type = PERF_RECORD_COMM, .size = sizeof none};
	const struct perf_event_header cut = {.type = PERF_RECORD_COMM, .size = 400};

	open_rings(&programs, 2);
	put_exec(&programs, 0, "first", 10);
	put(&programs, 0, &none, sizeof none);
	put_exec(&programs, 0, "hidden", 20);
	put(&programs, 1, &cut, sizeof cut);
	programs_look(&programs);
	cr_assert_eq(programs.count, 1);
	cr_assert_eq(programs.dropped, 2);
	programs_look(&programs);
	cr_assert_eq(programs.dropped, 2);
	programs_free(&programs);
}

/* --- lists ------------------------------------------------------------------------------------------------- */

static struct outside outside_of(struct outside_program *programs, size_t count)
{
	return (struct outside){
		.programs = programs,
		.program_count = count,
		.has_programs = true,
		.programs_of_kernel = true,
		.pid_namespace = OURS,
	};
}

/* How many are named; the first of them. */
static size_t found(const struct outside *outside, struct unrecorded_record *records,
		    size_t record_count, const char **ret_first)
{
	struct unrecorded unrecorded;

	unrecorded_find(outside, records, record_count, &unrecorded);
	size_t count = unrecorded.count;
	*ret_first = count ? unrecorded.programs[0].path : "";
	unrecorded_free(&unrecorded);
	return count;
}

Test(unrecorded, of_what_runs_on_only_the_last_with_the_library_is_excused)
{
	struct outside_program programs[] = {{PID, 10, "/bin/first", true},
					     {PID, 20, "/bin/last", true}};
	struct outside_process process = {.pid = PID, .running = true};
	struct outside outside = outside_of(programs, 2);
	const char *first;

	outside.processes = &process;
	outside.process_count = 1;
	cr_assert_eq(found(&outside, NULL, 0, &first), 1);
	cr_assert_str_eq(first, "/bin/first");
	programs[1].has_library = false;
	cr_assert_eq(found(&outside, NULL, 0, &first), 2);
	outside.programs_of_kernel = false;
	cr_assert_eq(found(&outside, NULL, 0, &first), 1);
	cr_assert_str_eq(first, "/bin/first");
	process.running = false;
	cr_assert_eq(found(&outside, NULL, 0, &first), 2);
}

Test(unrecorded, only_records_of_another_namespace_go_by_name_alone)
{
	struct outside_program programs[] = {{PID, 10, "/bin/tool", false}};
	struct outside outside = outside_of(programs, 1);
	static const struct {
		uint32_t pid;
		uint64_t ours, of_record;
		const char *exe;
		size_t count;
	} cases[] = {
		{PID, OURS, OURS, "/bin/tool", 0},        {PID + 1, OURS, OURS, "/bin/tool", 1},
		{PID + 1, OURS, ANOTHER, "/bin/tool", 0}, {PID + 1, OURS, ANOTHER, "/bin/other", 1},
		{PID, OURS, ANOTHER, "/bin/other", 1},    {PID + 1, OURS, 0, "/bin/tool", 1},
		{PID + 1, 0, ANOTHER, "/bin/tool", 1},    {PID, 0, 0, "/bin/other", 0},
	};
	const char *first;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct unrecorded_record record = {.pid = cases[i].pid,
						   .began_ns = 20,
						   .pid_namespace = cases[i].of_record,
						   .exe = cases[i].exe};
		outside.pid_namespace = cases[i].ours;
		cr_assert_eq(found(&outside, &record, 1, &first), cases[i].count, "case %zu", i);
	}
}
