/* SPDX-License-Identifier: MIT */
/* family.c: see family.h.  One read of /proc/PID/stat for each process tells all but its children. */
#define _GNU_SOURCE
#include "launch/family.h"

#include "text/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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
		process->was_below |= line.parent != getpid() || pid == family->first;
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

/* --- who is not ours ------------------------------------------------------------------------------------------------ */

/* Children that there were before the first of ours. */
static struct {
	pid_t pid[FAMILY_MEMBER_MAX];
	uint64_t start_ticks[FAMILY_MEMBER_MAX];
	size_t count;
	bool are_known;
} strangers;

void family_leave_out_others(void)
{
	static struct todo present;
	struct stat_line line;

	if (strangers.are_known)
		return;
	strangers.are_known = true;
	push_children(&present, getpid(), 1);
	for (size_t i = 0; i < present.count; i++)
		if (read_stat(present.pid[i], &line)) {
			strangers.pid[strangers.count] = present.pid[i];
			strangers.start_ticks[strangers.count++] = line.start_ticks;
		}
}

bool family_is_stranger(pid_t pid)
{
	struct stat_line line;

	for (size_t i = 0; i < strangers.count; i++)
		if (strangers.pid[i] == pid)
			return read_stat(pid, &line) && line.start_ticks == strangers.start_ticks[i];
	return false;
}

static void leave_out_strangers(struct todo *children)
{
	size_t count = 0;

	for (size_t i = 0; i < children->count; i++)
		if (!family_is_stranger(children->pid[i]))
			children->pid[count++] = children->pid[i];
	children->count = count;
}

bool family_has_children(void)
{
	static struct todo children;
	siginfo_t peek;

	if (waitid(P_ALL, 0, &peek, WEXITED | WNOHANG | WNOWAIT) != 0)
		return false;
	children.count = 0;
	if (!strangers.count || !push_children(&children, getpid(), 1))
		return true;
	leave_out_strangers(&children);
	return children.count > 0;
}

/*
 * What a process 1 adopts need not be ours: there only what was seen below another is, and what we started.
 */
static bool is_ours(const struct family_member *member)
{
	return getpid() != 1 || member->was_below;
}

void family_kill(const struct family_member *member, int number)
{
	struct stat_line line;
	int fd = (int)syscall(SYS_pidfd_open, member->pid, 0);
	bool has_none = fd < 0 && errno == ENOSYS; /* an old kernel */

	/* The pid may be another's by now; behind the open file it stays who it is. */
	if (is_ours(member) && read_stat(member->pid, &line) &&
	    line.start_ticks == member->start_ticks) {
		if (fd >= 0)
			syscall(SYS_pidfd_send_signal, fd, number, NULL, 0);
		else if (has_none && line.parent == getpid())
			kill(member->pid, number);
	}
	if (fd >= 0)
		close(fd);
}

void family_kill_running(const struct family *family, int number)
{
	for (size_t i = 0; i < family->count; i++)
		if (family_is_running(family, &family->member[i]))
			family_kill(&family->member[i], number);
}

/* --- samples --------------------------------------------------------------------------------------------------------- */

uint64_t family_sample(struct family *family, pid_t child)
{
	family->samples++;
	todo.count = 0;
	family->whole = push_children(&todo, getpid(), 1);
	leave_out_strangers(&todo);
	if (!family->whole)
		push(&todo, child);
	if (child)
		family->first = child;
	return look_at_all(family, &todo);
}

uint64_t family_sample_of(struct family *family, pid_t first)
{
	family->samples++;
	family->whole = true;
	family->first = first;
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
