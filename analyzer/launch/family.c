/* SPDX-License-Identifier: MIT */
/* family.c: see family.h.  One read of /proc/PID/stat for each process tells all but its children. */
#include "launch/family.h"

#include "text/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 64 };

/* /proc/PID/stat: the fields used here. */
struct stat_line {
	char name[THREAD_NAME_BYTES];
	char state;
	pid_t parent;
	unsigned long waited_faults, threads, rss_pages;
	unsigned long long start_ticks;
};

/* Processes still to be looked at in this sample. */
struct todo {
	size_t count;
	pid_t pid[FAMILY_MEMBER_MAX];
};

static ssize_t read_file(const char *path, char *ret_text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t bytes = read(fd, ret_text, room - 1);

	close(fd);
	ret_text[bytes > 0 ? bytes : 0] = 0;
	return bytes;
}

/* The name in parentheses may hold anything: count from the last ')'. */
static bool read_stat(pid_t pid, struct stat_line *ret)
{
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_file(path, text, sizeof(text)) <= 0)
		return false;
	char *behind = strrchr(text, ')');
	const char *name = strchr(text, '(');

	if (!behind || !name)
		return false;
	*behind = 0;
	snprintf(ret->name, sizeof(ret->name), "%.*s", (int)sizeof(ret->name) - 1, name + 1);
	return sscanf(behind + 1,
		      " %c %d %*d %*d %*d %*d %*u %*u %lu %*u %*u %*u %*u %*d %*d %*d %*d"
		      " %lu %*d %llu %*u %lu",
		      &ret->state, &ret->parent, &ret->waited_faults, &ret->threads,
		      &ret->start_ticks, &ret->rss_pages) == 6;
}

static struct family_member *find(struct family *family, pid_t pid, uint64_t start_ticks)
{
	uint16_t at = family->bucket[(unsigned)pid % FAMILY_BUCKETS];

	while (at) {
		struct family_member *process = &family->member[at - 1];

		if (process->pid == pid && process->start_ticks == start_ticks)
			return process;
		at = process->next;
	}
	return NULL;
}

static struct family_member *find_or_add(struct family *family, pid_t pid, uint64_t start_ticks)
{
	struct family_member *process = find(family, pid, start_ticks);

	if (process)
		return process;
	if (family->count == FAMILY_MEMBER_MAX) {
		family->dropped++;
		return NULL;
	}
	uint16_t *bucket = &family->bucket[(unsigned)pid % FAMILY_BUCKETS];

	process = &family->member[family->count++];
	*process = (struct family_member){.pid = pid, .start_ticks = start_ticks, .next = *bucket};
	*bucket = (uint16_t)family->count;
	return process;
}

static bool push(struct todo *todo, pid_t pid)
{
	if (todo->count == FAMILY_MEMBER_MAX)
		return false;
	todo->pid[todo->count++] = pid;
	return true;
}

/* False when there is no such file. */
static bool push_children_of_thread(struct todo *todo, pid_t pid, const char *thread)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid, thread);
	FILE *file = fopen(path, "re");
	int child;

	if (!file)
		return false;
	while (fscanf(file, "%d", &child) == 1 && push(todo, child))
		;
	fclose(file);
	return true;
}

static bool push_children_of_threads(struct todo *todo, pid_t pid)
{
	char path[64];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *directory = opendir(path);

	if (!directory)
		return false;
	for (struct dirent *entry; (entry = readdir(directory));)
		if (entry->d_name[0] != '.')
			found |= push_children_of_thread(todo, pid, entry->d_name);
	closedir(directory);
	return found;
}

static bool push_children(struct todo *todo, pid_t pid, unsigned long threads)
{
	char self[16];

	snprintf(self, sizeof(self), "%d", pid);
	if (threads <= 1)
		return push_children_of_thread(todo, pid, self);
	return push_children_of_threads(todo, pid);
}

static void note_threads(struct family *family, pid_t pid, const struct stat_line *line)
{
	uint64_t now_ns = monotonic_ns();

	threads_saw(&family->threads, pid, pid, line->name, now_ns);
	if (line->threads > 1)
		threads_look(&family->threads, pid, now_ns);
}

/* Resident bytes of one process; its children join the list. */
static uint64_t look_at(struct family *family, struct todo *todo, pid_t pid)
{
	struct stat_line line;

	if (!read_stat(pid, &line))
		return 0;
	if (family->whole)
		push_children(todo, pid, line.threads);
	if (line.state == 'Z' || line.state == 'X')
		return 0;
	note_threads(family, pid, &line);
	uint64_t bytes = (uint64_t)line.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	struct family_member *process = find_or_add(family, pid, line.start_ticks);

	if (process) {
		process->seen_in = family->samples;
		process->parent = line.parent;
		process->rss_now = bytes;
		if (bytes > process->rss_peak)
			process->rss_peak = bytes;
	}
	return bytes;
}

static uint64_t look_at_all(struct family *family, struct todo *todo)
{
	uint64_t bytes = 0;

	while (todo->count)
		bytes += look_at(family, todo, todo->pid[--todo->count]);
	return bytes;
}

static struct todo todo;

uint64_t family_sample(struct family *family, pid_t child)
{
	family->samples++;
	todo.count = 0;
	family->whole = push_children(&todo, getpid(), 1);
	if (!family->whole)
		push(&todo, child);
	return look_at_all(family, &todo);
}

uint64_t family_sample_of(struct family *family, pid_t first)
{
	family->samples++;
	family->whole = true;
	todo.count = 0;
	push(&todo, first);
	return look_at_all(family, &todo);
}

void family_note_end(struct family *family, pid_t pid, int wait_status)
{
	struct stat_line line = {0};

	read_stat(pid, &line);
	struct family_member *process = find_or_add(family, pid, line.start_ticks);

	if (process) {
		process->ended = true;
		process->wait_status = wait_status;
	}
}

bool family_is_running(const struct family *family, const struct family_member *process)
{
	return !process->ended && process->seen_in == family->samples;
}

uint64_t family_rss_of(const struct family *family, pid_t pid)
{
	uint16_t at = family->bucket[(unsigned)pid % FAMILY_BUCKETS];

	for (; at; at = family->member[at - 1].next)
		if (family->member[at - 1].pid == pid &&
		    family_is_running(family, &family->member[at - 1]))
			return family->member[at - 1].rss_now;
	return 0;
}

bool family_is_below_us(pid_t pid)
{
	struct stat_line line;

	for (int depth = 0; pid > 1 && depth < DEPTH_MAX; depth++) {
		if (!read_stat(pid, &line))
			return false;
		if (line.parent == getpid())
			return true;
		pid = line.parent;
	}
	return false;
}

bool family_had_children(pid_t pid)
{
	struct stat_line line;

	return read_stat(pid, &line) && line.waited_faults > 0;
}

char family_state_of(pid_t pid)
{
	struct stat_line line;

	return read_stat(pid, &line) ? line.state : 0;
}
