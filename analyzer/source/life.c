/* SPDX-License-Identifier: MIT */
/* life.c: see life.h. */
#define _GNU_SOURCE 1

#include "source/life.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { START_TICKS_FIELD = 22 };

enum life life_of_file(const struct input *input)
{
	/*
	 * Should someone open the file for writing just now, the kernel's word for it is harmless.
	 */
	fcntl(input->fd, F_SETSIG, SIGURG);
	if (fcntl(input->fd, F_SETLEASE, F_RDLCK) == 0) {
		fcntl(input->fd, F_SETLEASE, F_UNLCK);
		return LIFE_ENDED;
	}
	return errno == EAGAIN ? LIFE_RUNNING : LIFE_UNKNOWN;
}

static bool read_boot_id(uint8_t ret[16])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	int digits = 0, c;

	if (!file)
		return false;
	memset(ret, 0, 16);
	while (digits < 32 && (c = fgetc(file)) != EOF) {
		if (!isxdigit(c))
			continue;
		int value = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
		ret[digits / 2] |= (uint8_t)(digits % 2 ? value : value << 4);
		digits++;
	}
	fclose(file);
	return digits == 32;
}

static bool other_boot(const struct pm_header *header)
{
	static const uint8_t unknown[16];
	uint8_t ours[16];
	return memcmp(header->boot_id, unknown, 16) != 0 && read_boot_id(ours) &&
	       memcmp(header->boot_id, ours, 16) != 0;
}

uint64_t life_pid_namespace(void)
{
	struct stat status;
	return stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

static bool other_namespace(const struct pm_header *header)
{
	uint64_t ours = header->pid_namespace ? life_pid_namespace() : 0;
	return ours && ours != header->pid_namespace;
}

bool life_same_kernel(const struct pm_header *header)
{
	return !other_boot(header) && !other_namespace(header);
}

static FILE *open_proc(uint32_t pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%u/%s", pid, name);
	return fopen(path, "re");
}

/* A line of maps: "from-to perms offset dev inode   path". */
static bool line_has_inode(const char *line, uint64_t inode)
{
	unsigned long long found;
	return sscanf(line, "%*s %*s %*s %*s %llu", &found) == 1 && found == inode &&
	       strstr(line, ".pms");
}

static enum life life_by_maps(uint32_t pid, uint64_t inode)
{
	FILE *file = open_proc(pid, "maps");
	char *line = NULL;
	size_t room = 0;
	enum life life = LIFE_ENDED;

	if (!file)
		return errno == ENOENT || errno == ESRCH ? LIFE_ENDED : LIFE_UNKNOWN;
	while (life == LIFE_ENDED && getline(&line, &room, file) > 0)
		if (line_has_inode(line, inode))
			life = LIFE_RUNNING;
	if (ferror(file))
		life = LIFE_UNKNOWN;
	free(line);
	fclose(file);
	return life;
}

/*
 * Field 22 of /proc/PID/stat; 0: unknown.  Fields are counted behind the name, which may hold
 * blanks.
 */
static uint64_t start_ticks_of(uint32_t pid)
{
	FILE *file = open_proc(pid, "stat");
	char text[1024];

	if (!file)
		return 0;
	size_t length = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[length] = '\0';
	char *field = strrchr(text, ')');
	for (int number = 2; field && number < START_TICKS_FIELD; number++)
		field = strchr(field + 1, ' ');
	return field ? strtoull(field, NULL, 10) : 0;
}

enum life life_of_process(const struct input *input, const struct pm_header *header, uint32_t pid,
			  uint64_t start_ticks)
{
	if (other_boot(header))
		return LIFE_ENDED;
	if (other_namespace(header) || !pid)
		return LIFE_UNKNOWN;
	enum life life = life_by_maps(pid, input->inode);
	if (life != LIFE_UNKNOWN || !start_ticks)
		return life;
	uint64_t now = start_ticks_of(pid);
	if (!now)
		return LIFE_UNKNOWN;
	return now == start_ticks ? LIFE_RUNNING : LIFE_ENDED;
}
