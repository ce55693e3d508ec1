/* SPDX-License-Identifier: MIT */
/* threads.c: see threads.h. */
#include "launch/threads.h"

#include "text/allocate.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct seen_thread *last_of(struct threads *threads, pid_t pid, pid_t tid)
{
	uint32_t at = threads->bucket[(unsigned)tid % THREAD_BUCKETS];

	while (at) {
		struct seen_thread *thread = &threads->list[at - 1];

		if (thread->pid == pid && thread->tid == tid)
			return thread;
		at = thread->next;
	}
	return NULL;
}

static void add(struct threads *threads, const struct seen_thread *thread)
{
	uint32_t *bucket = &threads->bucket[(unsigned)thread->tid % THREAD_BUCKETS];

	if (threads->count == THREADS_MAX) {
		threads->dropped++;
		return;
	}
	threads->list = allocate_more(threads->list, threads->count, &threads->room, sizeof *thread);
	threads->list[threads->count] = *thread;
	threads->list[threads->count++].next = *bucket;
	*bucket = (uint32_t)threads->count;
}

void threads_saw(struct threads *threads, pid_t pid, pid_t tid, const char *name, uint64_t now_ns)
{
	struct seen_thread *last = last_of(threads, pid, tid);
	struct seen_thread thread = {.pid = pid, .tid = tid, .first_ns = now_ns, .last_ns = now_ns};

	snprintf(thread.name, sizeof thread.name, "%s", name);
	if (last && strcmp(last->name, thread.name) == 0)
		last->last_ns = now_ns;
	else
		add(threads, &thread);
}

static void look_at(struct threads *threads, pid_t pid, pid_t tid, uint64_t now_ns)
{
	char path[64], name[64];

	snprintf(path, sizeof path, "/proc/%d/task/%d/comm", pid, tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t bytes = read(fd, name, sizeof name - 1);
	close(fd);
	if (bytes <= 1)
		return;
	name[bytes - 1] = 0; /* a newline closes it; it may hold others */
	threads_saw(threads, pid, tid, name, now_ns);
}

void threads_look(struct threads *threads, pid_t pid, uint64_t now_ns)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task", pid);
	DIR *directory = opendir(path);
	if (!directory)
		return;
	for (struct dirent *entry; (entry = readdir(directory));) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (tid > 0 && tid != pid)
			look_at(threads, pid, tid, now_ns);
	}
	closedir(directory);
}

void threads_free(struct threads *threads)
{
	free(threads->list);
	*threads = (struct threads){.count = 0};
}
