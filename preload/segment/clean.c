/* SPDX-License-Identifier: MIT */
/*
 * clean.c: keeps all segments of a user within their limit.
 *
 * Names begin with their time of creation, so their order is their age.  A segment is finished when a
 * read lease on it is granted: no process has it mapped for writing.  No pid is looked at.
 */
#define _GNU_SOURCE
#include "segment/segment.h"

#include "sys/memory.h"
#include "sys/raw.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
	ONE_START_IN = 64, /* looks at all there are, or fewer where they are many: */
	PART = 8,          /* so many of them, as a part, come between two looks */
	ENTRY_BYTES = 20, /* what a file adds to the size of a directory: of tmpfs; elsewhere more */
	PASSES = 4,
	OLDEST = 1024, /* that are removed in a pass */
	/* Between two looks, half of what one removes: else they become ever more. */
	STARTS_MAX = PASSES * OLDEST / 2,
	NAME_ROOM = 64,
	ENTRIES_BYTES = 32768,
	BLOCK_BYTES = 512
};

static const uint64_t TOTAL_DEFAULT = UINT64_C(256) << 20;

struct entry { /* linux_dirent64 */
	uint64_t inode;
	int64_t offset;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

struct oldest {
	char name[OLDEST][NAME_ROOM];
	uint16_t order[OLDEST]; /* indices into `name`, oldest first */
	unsigned count;
	uint64_t total_bytes;
};

static uint64_t allocated_bytes(int directory, const char *name)
{
	struct stat facts = {0};
	long result = raw_call(SYS_newfstatat, directory, (long)name, (long)&facts,
			       AT_SYMLINK_NOFOLLOW, 0, 0);
	return result < 0 ? 0 : (uint64_t)facts.st_blocks * BLOCK_BYTES;
}

static bool is_segment(const char *name)
{
	size_t bytes = strlen(name);
	return bytes > 4 && bytes < NAME_ROOM && memcmp(name + bytes - 4, ".pms", 5) == 0;
}

static unsigned place_in_order(const struct oldest *list, const char *name)
{
	unsigned from = 0, to = list->count;
	while (from < to) {
		unsigned middle = (from + to) / 2;
		if (strcmp(list->name[list->order[middle]], name) > 0)
			to = middle;
		else
			from = middle + 1;
	}
	return from;
}

/* A full list lets go of its youngest. */
static void remember(struct oldest *list, const char *name)
{
	unsigned at = place_in_order(list, name);
	if (at == OLDEST)
		return;
	unsigned slot = list->count < OLDEST ? list->count++ : list->order[OLDEST - 1];
	memmove(&list->order[at + 1], &list->order[at],
		(list->count - 1 - at) * sizeof *list->order);
	list->order[at] = (uint16_t)slot;
	memcpy(list->name[slot], name, strlen(name) + 1);
}

static void scan(int directory, struct oldest *list)
{
	static char entries[ENTRIES_BYTES] __attribute__((aligned(8))) MEMORY_FAR;
	long bytes;
	while ((bytes = raw_call3(SYS_getdents64, directory, (long)entries, sizeof entries)) > 0)
		for (long at = 0; at < bytes;) {
			const struct entry *entry = (const struct entry *)(entries + at);
			at += entry->bytes;
			if (is_segment(entry->name)) {
				remember(list, entry->name);
				list->total_bytes += allocated_bytes(directory, entry->name);
			}
		}
}

static bool finished(int directory, const char *name)
{
	int fd = (int)raw_open_at(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
				  0);
	if (fd < 0)
		return false;
	bool granted = raw_call3(SYS_fcntl, fd, F_SETLEASE, F_RDLCK) == 0;
	if (granted)
		raw_call3(SYS_fcntl, fd, F_SETLEASE, F_UNLCK);
	raw_close(fd);
	return granted;
}

static uint64_t default_limit(int directory)
{
	struct statfs facts = {0};
	if (raw_call3(SYS_fstatfs, directory, (long)&facts, 0) < 0)
		return TOTAL_DEFAULT;
	uint64_t eighth = (uint64_t)facts.f_blocks * (uint64_t)facts.f_bsize / 8;
	return eighth < TOTAL_DEFAULT ? eighth : TOTAL_DEFAULT;
}

/*
 * Removes those of the list that are finished, while all are too much.  false: none was.  What
 * takes no room stays: it may be a file that another process is about to fill.
 */
static bool remove_oldest(int directory, struct oldest *list, uint64_t limit)
{
	bool any = false;
	for (unsigned i = 0; i < list->count && list->total_bytes > limit; i++) {
		const char *name = list->name[list->order[i]];
		uint64_t bytes = allocated_bytes(directory, name);
		if (!bytes || !finished(directory, name) ||
		    raw_call3(SYS_unlinkat, directory, (long)name, 0) < 0)
			continue;
		list->total_bytes -= bytes;
		any = true;
	}
	return any;
}

/* The cost of a look grows with what is there, and so does the time to the next. */
static bool is_due(int directory, uint64_t random)
{
	struct stat facts = {0};
	if (random % ONE_START_IN ||
	    raw_call(SYS_newfstatat, directory, (long)"", (long)&facts, AT_EMPTY_PATH, 0, 0) < 0)
		return false;
	uint64_t starts = (uint64_t)facts.st_size / ENTRY_BYTES / PART;
	if (starts > STARTS_MAX)
		starts = STARTS_MAX;
	return starts <= ONE_START_IN || !(random / ONE_START_IN % (starts / ONE_START_IN));
}

/* Several times over, since only one start in many comes here. */
void segment_clean(int directory, uint64_t total_bytes, uint64_t random)
{
	static struct oldest list MEMORY_FAR;
	if (!is_due(directory, random))
		return;
	uint64_t limit = total_bytes ? total_bytes : default_limit(directory);
	for (unsigned pass = 0; pass < PASSES; pass++) {
		list.count = 0;
		list.total_bytes = 0;
		raw_call3(SYS_lseek, directory, 0, SEEK_SET);
		scan(directory, &list);
		if (list.total_bytes <= limit || !remove_oldest(directory, &list, limit))
			return;
	}
}
