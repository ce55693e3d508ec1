/* SPDX-License-Identifier: MIT */
/* programs.c: see programs.h. */
#define _GNU_SOURCE
#include "launch/programs.h"

#include "launch/library.h"
#include "text/allocate.h"
#include "text/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What one user may lock is 516 KiB for each processor, the page of the head besides. */
enum { RING_BYTES = 256 << 10 };

/* --- the list -------------------------------------------------------------------------------------------------- */

static struct program *last_of(const struct programs *programs, pid_t pid)
{
	for (size_t i = programs->count; i > 0; i--)
		if (programs->list[i - 1].pid == pid)
			return &programs->list[i - 1];
	return NULL;
}

static void add(struct programs *programs, const struct program *program, const char *path)
{
	if (programs->count == PROGRAMS_MAX) {
		programs->dropped++;
		return;
	}
	programs->list = allocate_more(programs->list, programs->count, &programs->room,
				       sizeof *programs->list);
	struct program *added = &programs->list[programs->count++];
	*added = *program;
	added->path = allocate_text(path, strlen(path));
}

/* --- the kernel's records ---------------------------------------------------------------------------------------- */

/* Each has the moment behind it: sample_id_all with PERF_SAMPLE_TIME alone. */
struct comm_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	char name[];
};

struct map_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t address, bytes, offset;
	char path[];
};

struct lost_record {
	struct perf_event_header header;
	uint64_t id, count;
};

static uint64_t time_of(const struct perf_event_header *header)
{
	uint64_t ns;

	memcpy(&ns, (const char *)header + header->size - sizeof ns, sizeof ns);
	return ns;
}

static void take_exec(struct programs *programs, const struct comm_record *record)
{
	const struct program program = {.pid = (pid_t)record->pid,
					.began_ns = time_of(&record->header)};

	if (record->header.misc & PERF_RECORD_MISC_COMM_EXEC)
		add(programs, &program, record->name);
}

static bool is_library(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && strcmp(slash + 1, LIBRARY_NAME) == 0;
}

/* The first file that is mapped behind an exec is the executable. */
static void take_map(struct programs *programs, const struct map_record *record)
{
	struct program *program = last_of(programs, (pid_t)record->pid);

	if (!program || record->path[0] != '/' || time_of(&record->header) < program->began_ns)
		return;
	program->has_library |= is_library(record->path);
	if (program->is_whole_path)
		return;
	free(program->path);
	program->path = allocate_text(record->path, strlen(record->path));
	program->is_whole_path = true;
}

static void take(struct programs *programs, const struct perf_event_header *header)
{
	switch (header->type) {
	case PERF_RECORD_COMM: take_exec(programs, (const void *)header); break;
	case PERF_RECORD_MMAP: take_map(programs, (const void *)header); break;
	case PERF_RECORD_LOST:
		programs->dropped += ((const struct lost_record *)(const void *)header)->count;
		break;
	default: break;
	}
}

/* --- the rings ------------------------------------------------------------------------------------------------------ */

/* A record may go over the end of the ring. */
static void copy_out(const struct programs *programs, const char *data, uint64_t from, void *to,
		     size_t bytes)
{
	size_t at = (size_t)(from % programs->ring_bytes), first = programs->ring_bytes - at;

	if (first > bytes)
		first = bytes;
	memcpy(to, data + at, first);
	memcpy((char *)to + first, data, bytes - first);
}

/* Room for the longest of the fixed parts: the kernel may tell less than we know of. */
static void hold(struct programs *programs, const char *data, uint64_t from, size_t bytes)
{
	struct perf_event_header *record = allocate(1, bytes + sizeof(struct map_record) + 1);

	copy_out(programs, data, from, record, bytes);
	programs->held = allocate_more(programs->held, programs->held_count, &programs->held_room,
				       sizeof *programs->held);
	programs->held[programs->held_count++] = (struct programs_record){record, time_of(record),
									  programs->read_count++};
}

/* What comes behind a record of no possible size cannot be read: it counts as one that was dropped. */
static void drain(struct programs *programs, const struct programs_ring *ring)
{
	struct perf_event_mmap_page *page = ring->pages;
	const char *data = (const char *)ring->pages + page->data_offset;
	uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE), at = page->data_tail;
	struct perf_event_header header;

	while (head - at >= sizeof header) {
		copy_out(programs, data, at, &header, sizeof header);
		if (header.size < sizeof header + sizeof(uint64_t) || header.size > head - at)
			break;
		hold(programs, data, at, header.size);
		at += header.size;
	}
	programs->dropped += at != head;
	__atomic_store_n(&page->data_tail, head, __ATOMIC_RELEASE);
}

static int by_time(const void *left, const void *right)
{
	const struct programs_record *a = left, *b = right;

	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

/*
 * A process moves from one processor to another: what is newer than the first look into a ring may have an older one before it
 * in a ring that was looked into already.
 */
static void take_until(struct programs *programs, uint64_t until_ns)
{
	size_t taken = 0;

	for (size_t i = 0; i < programs->ring_count; i++)
		drain(programs, &programs->ring[i]);
	if (programs->held_count)
		qsort(programs->held, programs->held_count, sizeof *programs->held, by_time);
	for (; taken < programs->held_count && programs->held[taken].at_ns <= until_ns; taken++) {
		take(programs, programs->held[taken].header);
		free(programs->held[taken].header);
	}
	programs->held_count -= taken;
	if (taken)
		memmove(programs->held, programs->held + taken,
			programs->held_count * sizeof *programs->held);
}

static int open_event(pid_t child, int processor)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof attributes,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.inherit = 1,
		.comm = 1,
		.comm_exec = 1,
		.mmap = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};

	return (int)syscall(SYS_perf_event_open, &attributes, child, processor, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

/* False with the reason in errno. */
static bool open_ring(struct programs *programs, pid_t child, int processor)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	int fd = open_event(child, processor);

	if (fd < 0)
		return errno == ENODEV; /* a processor that is off */
	void *pages = mmap(NULL, programs->ring_bytes + page_bytes, PROT_READ | PROT_WRITE,
			   MAP_SHARED, fd, 0);
	if (pages == MAP_FAILED) {
		close(fd);
		return false;
	}
	programs->ring[programs->ring_count++] = (struct programs_ring){fd, pages};
	return true;
}

void programs_open(struct programs *programs, pid_t child)
{
	long processors = sysconf(_SC_NPROCESSORS_CONF);

	programs->child = child;
	programs->ring_bytes = RING_BYTES;
	if (processors < 1 || processors > PROGRAMS_RINGS_MAX) {
		programs->error = E2BIG;
		return;
	}
	for (int i = 0; i < processors; i++)
		if (!open_ring(programs, child, i)) {
			programs->error = errno;
			programs_close(programs);
			return;
		}
	if (!programs->ring_count)
		programs->error = ENODEV;
}

void programs_look(struct programs *programs)
{
	take_until(programs, monotonic_ns());
}

void programs_close(struct programs *programs)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);

	take_until(programs, UINT64_MAX);
	for (size_t i = 0; i < programs->ring_count; i++) {
		munmap(programs->ring[i].pages, programs->ring_bytes + page_bytes);
		close(programs->ring[i].fd);
	}
	programs->ring_count = 0;
	free(programs->held);
	programs->held = NULL;
	programs->held_room = 0;
}

void programs_free(struct programs *programs)
{
	programs_close(programs);
	for (size_t i = 0; i < programs->count; i++)
		free(programs->list[i].path);
	free(programs->list);
	programs->list = NULL;
	programs->count = 0;
}

/* --- samples -------------------------------------------------------------------------------------------------------- */

static bool read_executable(pid_t pid, char ret_path[PATH_MAX])
{
	char link[32];

	snprintf(link, sizeof link, "/proc/%d/exe", pid);
	ssize_t bytes = readlink(link, ret_path, PATH_MAX - 1);
	if (bytes <= 0)
		return false;
	ret_path[bytes] = 0;
	return true;
}

/* A child that is what its parent is may have been forked alone; of an orphan that parent is gone. */
void programs_saw(struct programs *programs, pid_t pid, pid_t parent)
{
	const struct program program = {
		.pid = pid, .began_ns = monotonic_ns(), .is_whole_path = true};
	char path[PATH_MAX], of_parent[PATH_MAX];

	if (!programs->child || !programs->error || !read_executable(pid, path))
		return;
	if (parent == getpid() && pid != programs->child)
		return;
	const struct program *last = last_of(programs, pid);
	if (last && strcmp(last->path, path) == 0)
		return;
	if (read_executable(parent, of_parent) && strcmp(path, of_parent) == 0)
		return;
	add(programs, &program, path);
}
