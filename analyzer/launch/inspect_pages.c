/* SPDX-License-Identifier: MIT */
/* inspect_pages.c: what the kernel says of a process: its mappings and which pages are resident.  See inspected.h. */
#define _GNU_SOURCE
#include "launch/inspected.h"

#include "text/allocate.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poolmem/pagemap.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int open_proc(const struct inspected *target, const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)target->pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* All of it is kept; who reads the survey knows which lines to take. */
bool put_smaps(struct inspected *target)
{
	char text[65536];
	int fd = open_proc(target, "smaps");
	ssize_t bytes = 0;

	while (fd >= 0 && (bytes = read(fd, text, sizeof text)) > 0)
		put_fact(target, PM_SURVEY_SMAPS, text, (size_t)bytes, NULL, 0);
	if (fd >= 0)
		close(fd);
	return (fd >= 0 && bytes == 0) || lacks(target, "its smaps");
}

uint64_t rss_of(const struct inspected *target)
{
	char text[128] = "";
	int fd = open_proc(target, "statm");
	uint64_t pages = 0;

	if (fd >= 0 && read(fd, text, sizeof text - 1) > 0)
		sscanf(text, "%*u %" SCNu64, &pages);
	if (fd >= 0)
		close(fd);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Pages that were only read, and never written to: the kernel's page of zeros.  false: the kernel does not say. */
static bool find_zeros(const struct inspected *target, uint64_t address, size_t count,
		       uint64_t *ret_zeros)
{
	struct pm_scanned regions[PM_SCAN_REGIONS];
	uint64_t page = target->page_bytes;
	struct pm_scan scan = pm_scan_for_zeros(address, address + count * page, regions);

	while (scan.walk_end < scan.end) {
		scan.start = scan.walk_end;
		int found = ioctl(target->pagemap, PM_SCAN_CALL, &scan);
		if (found < 0 || scan.walk_end <= scan.start)
			return false;
		for (int i = 0; i < found; i++)
			for (uint64_t at = regions[i].start; at < regions[i].end; at += page) {
				uint64_t bit = (at - address) / page;
				ret_zeros[bit / 64] |= UINT64_C(1) << bit % 64;
			}
	}
	return true;
}

/*
 * Without the kernel's word: it is nobody's alone and no file's.  So is what is shared with a forked child or with who
 * forked the process; then it is not told apart, and counts.
 */
static bool is_resident(const struct inspected *target, uint64_t entry, bool knows_zeros)
{
	const struct pm_process *record = &target->process->record;
	bool is_shared = record->parent || record->children || record->children_unseen;

	return entry & PM_PAGE_PRESENT && (knows_zeros || is_shared || !pm_page_may_be_zeros(entry));
}

void look_at_pages(const struct inspected *target, uint64_t address, size_t count,
		   uint64_t *ret_resident)
{
	enum { AT_ONCE = 1024 };
	uint64_t entries[AT_ONCE];

	uint64_t *zeros = allocate((count + 63) / 64 + 1, sizeof *zeros);
	bool knows_zeros = find_zeros(target, address, count, zeros);
	memset(ret_resident, 0, (count + 63) / 64 * sizeof *ret_resident);
	for (size_t at = 0; at < count; at += AT_ONCE) {
		size_t part = count - at < AT_ONCE ? count - at : AT_ONCE;
		ssize_t bytes = pread(target->pagemap, entries, part * sizeof *entries,
				      (off_t)((address / target->page_bytes + at) * sizeof *entries));
		for (size_t i = 0; i < part && (ssize_t)((i + 1) * sizeof *entries) <= bytes; i++)
			if (is_resident(target, entries[i], knows_zeros))
				ret_resident[(at + i) / 64] |= UINT64_C(1) << (at + i) % 64;
	}
	for (size_t i = 0; i < (count + 63) / 64; i++)
		ret_resident[i] &= ~zeros[i];
	free(zeros);
}

uint64_t resident_bytes(const struct inspected *target, uint64_t address, uint64_t bytes)
{
	size_t count = bytes / target->page_bytes;
	uint64_t *resident = allocate((count + 63) / 64 + 1, sizeof *resident);
	uint64_t pages = 0;

	look_at_pages(target, address, count, resident);
	for (size_t i = 0; i < (count + 63) / 64; i++)
		pages += (uint64_t)__builtin_popcountll(resident[i]);
	free(resident);
	return pages * target->page_bytes;
}
