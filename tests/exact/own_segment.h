/* SPDX-License-Identifier: MIT */
/* own_segment.h: a program that runs under the library looks into its own segment. */
#ifndef TESTS_OWN_SEGMENT_H
#define TESTS_OWN_SEGMENT_H

#include <dirent.h>
#include <fcntl.h>
#include <poolmem/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The one segment of the directory, mapped for good. */
static inline const struct pm_header *own_segment(const char *directory)
{
	char path[4096] = "";
	struct dirent *entry;
	struct stat status;
	DIR *stream = opendir(directory);
	while (stream && (entry = readdir(stream)))
		if (strstr(entry->d_name, ".pms"))
			snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
	int file = open(path, O_RDONLY);
	if (file < 0 || fstat(file, &status)) {
		perror(directory);
		exit(2);
	}
	void *header = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, file, 0);
	closedir(stream);
	close(file);
	return header;
}

static inline const void *own_chunk(const struct pm_header *header, uint32_t number)
{
	return (const char *)header + (size_t)number * header->chunk_bytes;
}

/* The leader's slot of this process, which may be a forked child. */
static inline const struct pm_slot *own_slot(const struct pm_header *header)
{
	for (uint32_t n = 1; n < header->chunks; n++) {
		const struct pm_slot *slot = own_chunk(header, n);
		if (slot->chunk.kind == PM_CHUNK_SLOT && slot->chunk.process == n &&
		    slot->process.pid == (uint32_t)getpid())
			return slot;
	}
	return NULL;
}

#endif
