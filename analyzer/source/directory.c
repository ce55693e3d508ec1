/* SPDX-License-Identifier: MIT */
/* directory.c: see directory.h. */
#define _GNU_SOURCE 1

#include "source/directory.h"

#include "source/image.h"
#include "source/life.h"
#include "text/allocate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *with_uid(const char *parent)
{
	char *path;
	if (asprintf(&path, "%s/poolmem-%u", parent, (unsigned)geteuid()) < 0)
		return NULL;
	return path;
}

/* Value of `dir=` in POOLMEM="key=value,..."; the last one counts.  NULL: not set. */
static char *directory_of_settings(void)
{
	const char *at = getenv("POOLMEM");
	char *found = NULL;

	while (at && *at) {
		size_t length = strcspn(at, ",");
		if (strncmp(at, "dir=", 4) == 0 && length > 4) {
			free(found);
			found = allocate_text(at + 4, length - 4);
		}
		at += length + (at[length] == ',');
	}
	return found;
}

static char *user_directory(void)
{
	char *set = directory_of_settings();
	const char *temporary = getenv("TMPDIR");

	if (set)
		return set;
	if (access("/dev/shm", F_OK) == 0)
		return with_uid("/dev/shm");
	return with_uid(temporary && *temporary ? temporary : "/tmp");
}

static bool is_hex(const char *text, size_t digits)
{
	return strspn(text, "0123456789abcdef") >= digits;
}

bool segment_name_parse(const char *text, struct segment_name *ret)
{
	struct segment_name name;
	char *end;

	if (strlen(text) >= sizeof name.text || !is_hex(text, 16) || text[16] != '-')
		return false;
	memcpy(name.text, text, strlen(text) + 1);
	name.created_ns = strtoull(text, NULL, 16);
	if (text[17] < '1' || text[17] > '9')
		return false;
	unsigned long long pid = strtoull(text + 17, &end, 10);
	if (pid > UINT32_MAX || *end != '-' || !is_hex(end + 1, 8) || strcmp(end + 9, ".pms") != 0)
		return false;
	name.pid = (uint32_t)pid;
	*ret = name;
	return true;
}

static int newest_first(const void *left, const void *right)
{
	const struct segment_name *a = left, *b = right;
	return strcmp(b->text, a->text);
}

struct segment_name *directory_names(int directory_fd, size_t *ret_count)
{
	int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct segment_name *names = NULL, name;
	const struct dirent *entry;
	size_t room = 0, count = 0;

	while (stream && (entry = readdir(stream))) {
		if (!segment_name_parse(entry->d_name, &name))
			continue;
		names = allocate_more(names, count, &room, sizeof name);
		names[count++] = name;
	}
	if (stream)
		closedir(stream);
	if (count)
		qsort(names, count, sizeof *names, newest_first);
	*ret_count = count;
	return names;
}

static bool is_private(int fd)
{
	struct stat status;
	return fstat(fd, &status) == 0 && !(status.st_mode & (S_IWGRP | S_IWOTH)) &&
	       (status.st_uid == geteuid() || geteuid() == 0);
}

/* Takes over `path`. */
static bool open_path(char *path, bool must_be_private, struct directory *ret, struct failure *why)
{
	struct directory directory = {.path = path};

	directory.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
					  (must_be_private ? O_NOFOLLOW : 0));
	if (directory.fd < 0) {
		fail(why, errno == ENOENT ? FAILURE_NOTHING : FAILURE_UNREADABLE,
		     errno == ENOENT ? "no segments: %s does not exist" : "cannot open directory %s",
		     path);
	} else if (must_be_private && !is_private(directory.fd)) {
		fail(why, FAILURE_UNREADABLE,
		     "%s is not trusted: it belongs to someone else, or others can write to it",
		     path);
	} else {
		directory.names = directory_names(directory.fd, &directory.name_count);
		*ret = directory;
		return true;
	}
	if (directory.fd >= 0)
		close(directory.fd);
	free(path);
	return false;
}

bool directory_open(struct directory *ret, struct failure *why)
{
	return open_path(user_directory(), true, ret, why);
}

bool directory_open_of(const char *file, struct directory *ret, struct failure *why)
{
	const char *slash = strrchr(file, '/');
	size_t length = !slash ? 0 : slash == file ? 1 : (size_t)(slash - file);
	return open_path(length ? allocate_text(file, length) : allocate_text(".", 1), false, ret,
			 why);
}

void directory_close(struct directory *directory)
{
	close(directory->fd);
	free(directory->path);
	free(directory->names);
	*directory = (struct directory){.fd = -1};
}

bool segment_find_process(const struct input *input, uint32_t pid, struct segment_process *ret)
{
	struct failure ignored;
	struct pm_header header;
	struct pm_process process;
	bool is_found = false;

	if (!image_peek(input, &header, &process, &ignored))
		return false;
	for (uint32_t n = 1; n < header.chunks; n++) {
		struct pm_chunk chunk;
		uint64_t offset = (uint64_t)n * header.chunk_bytes;
		if (!input_read(input, offset, &chunk, sizeof chunk, &ignored))
			break;
		if (chunk.kind != PM_CHUNK_SLOT || chunk.process != n)
			continue;
		if (!input_read(input, offset + __builtin_offsetof(struct pm_slot, process),
				&process, sizeof process, &ignored))
			break;
		if (process.pid != pid || (is_found && process.state != PM_STATE_RUNNING))
			continue;
		*ret = (struct segment_process){header, n, process};
		is_found = true;
	}
	return is_found;
}

static bool segment_holds(const struct input *input, uint32_t pid)
{
	struct segment_process ignored;
	return segment_find_process(input, pid, &ignored);
}

const struct segment_name *directory_find_pid(const struct directory *directory, uint32_t pid)
{
	const struct segment_name *ended = NULL;

	for (size_t i = 0; i < directory->name_count; i++) {
		const struct segment_name *name = &directory->names[i];
		struct failure ignored;
		struct input input;
		if (!input_open(directory->fd, name->text, &input, &ignored))
			continue;
		bool holds = segment_holds(&input, pid);
		bool has_ended = holds && life_of_file(&input) == LIFE_ENDED;
		input_close(&input);
		if (holds && !has_ended)
			return name;
		if (holds && !ended)
			ended = name;
	}
	return ended;
}

/* A forked child's start time was not asked for: its record begins at most this long after it. */
static bool began_near(uint64_t start_ticks, uint64_t began_ns)
{
	uint64_t tick_ns = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t start_ns = start_ticks * tick_ns;
	uint64_t apart = start_ns < began_ns ? began_ns - start_ns : start_ns - began_ns;
	return apart < UINT64_C(1000000000);
}

bool is_exec_of(const struct exec_trace *before, const struct pm_header *header,
		const struct pm_process *leader)
{
	const struct pm_header *old = before->header;

	if (leader->pid != before->pid || header->created_ns <= before->began_real_ns ||
	    header->pid_namespace != old->pid_namespace ||
	    memcmp(header->boot_id, old->boot_id, sizeof old->boot_id) != 0)
		return false;
	if (before->start_ticks)
		return leader->start_ticks == before->start_ticks &&
		       header->created_ns > old->created_ns;
	return leader->ppid == before->ppid || began_near(leader->start_ticks, before->began_ns);
}

bool directory_has_exec_of(const struct directory *directory, const struct exec_trace *before)
{
	for (size_t i = 0; i < directory->name_count; i++) {
		const struct segment_name *name = &directory->names[i];
		struct failure ignored;
		struct input input;
		struct pm_header header;
		struct pm_process leader;
		if (name->created_ns <= before->began_real_ns)
			return false;
		if (name->pid != before->pid ||
		    !input_open(directory->fd, name->text, &input, &ignored))
			continue;
		bool found = image_peek(&input, &header, &leader, &ignored) &&
			     is_exec_of(before, &header, &leader);
		input_close(&input);
		if (found)
			return true;
	}
	return false;
}
