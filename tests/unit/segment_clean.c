/* SPDX-License-Identifier: MIT */
/* How often a start looks at the segments there are. */
#include "segment/segment.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* On a tmpfs, where a directory's size tells how many it holds. */
static char path[] = "/dev/shm/poolmem-clean.XXXXXX";

static void create(int directory, unsigned number, unsigned bytes)
{
	char name[64];
	static const char content[4096];
	snprintf(name, sizeof name, "%016x-1-%08x.pms", number, number);
	int file = openat(directory, name, O_CREAT | O_WRONLY, 0600);
	cr_assert(file >= 0 && write(file, content, bytes) == (ssize_t)bytes);
	close(file);
}

static void remove_all(void)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", path);
	cr_assert_eq(system(command), 0);
}

/* Starts until one removes the oldest; `random` counts on as if it were even. */
static unsigned starts_until_a_look(unsigned segments)
{
	cr_assert(mkdtemp(path));
	int directory = open(path, O_RDONLY | O_DIRECTORY);
	for (unsigned i = 0; i < segments; i++)
		create(directory, i, i == 0 ? 4096 : 0);
	unsigned starts = 1;
	for (; starts < 1000000; starts++) {
		segment_clean(directory, 1, starts);
		if (faccessat(directory, "0000000000000000-1-00000000.pms", F_OK, 0) < 0)
			break;
	}
	close(directory);
	remove_all();
	return starts;
}

Test(clean, few_segments)
{
	cr_assert_eq(starts_until_a_look(10), 64);
}

Test(clean, an_eighth_of_those_there_are)
{
	unsigned starts = starts_until_a_look(4000);
	cr_assert(starts > 400 && starts <= 600, "%u", starts);
}

/* One look removes some thousands; more than that may not come between two, else there is no limit. */
Test(clean, very_many_segments)
{
	cr_assert_leq(starts_until_a_look(60000), 2048);
}

/* It may be one that another process has just made and is about to fill. */
Test(clean, what_takes_no_room_stays)
{
	cr_assert(mkdtemp(path));
	int directory = open(path, O_RDONLY | O_DIRECTORY);
	create(directory, 0, 0);
	create(directory, 1, 4096);
	create(directory, 2, 4096);
	int in_use = openat(directory, "0000000000000002-1-00000002.pms", O_WRONLY);
	segment_clean(directory, 1, 64);
	cr_expect(faccessat(directory, "0000000000000000-1-00000000.pms", F_OK, 0) == 0);
	cr_expect(faccessat(directory, "0000000000000001-1-00000001.pms", F_OK, 0) < 0);
	cr_expect(faccessat(directory, "0000000000000002-1-00000002.pms", F_OK, 0) == 0);
	close(in_use);
	close(directory);
	remove_all();
}
