/* SPDX-License-Identifier: MIT */
/* save.c: see save.h. */
#define _GNU_SOURCE
#include "launch/save.h"

#include "text/allocate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <zlib.h>

enum { SECTION_ALIGNMENT = 8, COPY_BYTES = 16384 };

static bool failed(const struct save *save, int error, struct failure *why)
{
	return fail(why, FAILURE_WRITE, "cannot write %s: %s", save->path, strerror(error));
}

bool save_place(struct save *save, const char *path, bool overwrite, struct failure *why)
{
	char copy[PATH_MAX], directory[PATH_MAX];

	*save = (struct save){.directory_fd = -1, .fd = -1, .overwrite = overwrite};
	snprintf(copy, sizeof(copy), "%s", path);
	if (!realpath(dirname(copy), directory))
		return fail(why, FAILURE_WRITE, "cannot write %s: %s", path, strerror(errno));
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *between = strcmp(directory, "/") == 0 ? "" : "/";
	int length = snprintf(save->path, sizeof(save->path), "%s%s%s", directory, between, name);

	if (length >= (int)sizeof(save->path))
		return failed(save, ENAMETOOLONG, why);
	save->name = strrchr(save->path, '/') + 1;
	save->directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return save->directory_fd >= 0 || failed(save, errno, why);
}

static bool put_at(struct save *save, uint64_t at, const void *data, size_t bytes,
		   struct failure *why)
{
	const char *next = data;

	while (bytes) {
		ssize_t put = pwrite(save->fd, next, bytes, (off_t)at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return failed(save, put < 0 ? errno : ENOSPC, why);
		next += put;
		at += (uint64_t)put;
		bytes -= (size_t)put;
	}
	return true;
}

static bool put(struct save *save, const void *data, size_t bytes, struct failure *why)
{
	if (!put_at(save, save->at, data, bytes, why))
		return false;
	save->section_crc = (uint32_t)crc32(save->section_crc, data, (uInt)bytes);
	save->at += bytes;
	return true;
}

/* Leaves a hole. */
static void put_zeroes(struct save *save, const void *zeroes, size_t bytes)
{
	save->section_crc = (uint32_t)crc32(save->section_crc, zeroes, (uInt)bytes);
	save->at += bytes;
}

static void remove_temporary(struct save *save)
{
	unlinkat(save->directory_fd, save->temporary, 0);
	close(save->fd);
	save->fd = -1;
}

bool save_begin(struct save *save, struct failure *why)
{
	struct pm_capture opening = {.endian = PM_ENDIAN, .version = PM_FORMAT_VERSION};
	uint64_t number;

	memcpy(opening.magic, PM_CAPTURE_MAGIC, sizeof(opening.magic));
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return failed(save, errno, why);
	snprintf(save->temporary, sizeof(save->temporary), ".poolmem-%016" PRIx64 ".tmp", number);
	save->fd = openat(save->directory_fd, save->temporary,
			  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (save->fd < 0)
		return failed(save, errno, why);
	save->at = 0;
	if (put(save, &opening, sizeof(opening), why))
		return true;
	remove_temporary(save);
	return false;
}

bool save_is_begun(const struct save *save)
{
	return save->fd >= 0;
}

/* The room for the section's head; it is written when the checksum is known. */
static uint64_t begin_section(struct save *save)
{
	uint64_t head_at = save->at;

	save->at += sizeof(struct pm_section);
	save->section_crc = (uint32_t)crc32(0, NULL, 0);
	return head_at;
}

/* The file is as long as its sections: their last zeroes are a hole. */
static bool end_section(struct save *save, uint64_t head_at, enum pm_section_kind kind,
			struct failure *why)
{
	struct pm_section head = {
		.magic = PM_SECTION_MAGIC,
		.kind = kind,
		.bytes = save->at - head_at - sizeof(head),
		.crc32 = save->section_crc,
	};

	save->at += -save->at % SECTION_ALIGNMENT;
	if (!put_at(save, head_at, &head, sizeof(head), why))
		return false;
	return ftruncate(save->fd, (off_t)save->at) == 0 || failed(save, errno, why);
}

/* Takes back a section that could not be written.  Shrinking a file does not fail. */
static bool undo(struct save *save, uint64_t head_at)
{
	save->at = head_at;
	(void)!ftruncate(save->fd, (off_t)head_at);
	return false;
}

/* The header chunk, as it stands in the file, with the number of chunks that the image has. */
static bool put_header(struct save *save, const struct input *input, const struct image *image,
		       unsigned char *chunk, struct failure *why)
{
	if (!input_read(input, 0, chunk, image->header.chunk_bytes, why))
		return false;
	memcpy(chunk, &image->header, sizeof(image->header));
	return put(save, chunk, image->header.chunk_bytes, why);
}

bool save_segment(struct save *save, const struct input *input, const struct image *image,
		  struct failure *why)
{
	uint64_t head_at = begin_section(save);
	size_t bytes = image->header.chunk_bytes;
	unsigned char *chunk = allocate(1, bytes);
	bool saved = put_header(save, input, image, chunk, why);

	memset(chunk, 0, bytes);
	for (uint32_t n = 1; saved && n < image->chunk_count; n++) {
		if (image->chunks[n])
			saved = put(save, image->chunks[n], bytes, why);
		else
			put_zeroes(save, chunk, bytes);
	}
	free(chunk);
	return (saved && end_section(save, head_at, PM_SECTION_SEGMENT, why)) || undo(save, head_at);
}

static bool save_bytes(struct save *save, enum pm_section_kind kind, const void *payload,
		       size_t bytes, struct failure *why)
{
	uint64_t head_at = begin_section(save);

	return (put(save, payload, bytes, why) && end_section(save, head_at, kind, why)) ||
	       undo(save, head_at);
}

bool save_run(struct save *save, const char *json, struct failure *why)
{
	return save_bytes(save, PM_SECTION_RUN, json, strlen(json), why);
}

bool save_survey(struct save *save, const struct pm_survey_of *of, const void *stream, size_t bytes,
		 struct failure *why)
{
	uint64_t head_at = begin_section(save);

	return (put(save, of, sizeof *of, why) && put(save, stream, bytes, why) &&
		end_section(save, head_at, PM_SECTION_SURVEY, why)) ||
	       undo(save, head_at);
}

bool save_names(struct save *save, const void *payload, size_t bytes, struct failure *why)
{
	return save_bytes(save, PM_SECTION_NAMES, payload, bytes, why);
}

/* What is zero stays a hole. */
static bool put_part(struct save *save, const unsigned char *part, size_t bytes, struct failure *why)
{
	if (part[0] || memcmp(part, part + 1, bytes - 1) != 0)
		return put(save, part, bytes, why);
	put_zeroes(save, part, bytes);
	return true;
}

bool save_section(struct save *save, const struct input *input,
		  const struct capture_section *section, struct failure *why)
{
	uint64_t head_at = begin_section(save), done = 0;
	unsigned char part[COPY_BYTES];
	bool saved = true;

	while (saved && done < section->bytes) {
		uint64_t left = section->bytes - done;
		size_t bytes = left < sizeof(part) ? (size_t)left : sizeof(part);

		saved = input_read(input, section->offset + done, part, bytes, why) &&
			put_part(save, part, bytes, why);
		done += bytes;
	}
	return (saved && end_section(save, head_at, section->kind, why)) || undo(save, head_at);
}

bool save_read_back(const struct save *save, struct source *ret, struct failure *why)
{
	int fd = fcntl(save->fd, F_DUPFD_CLOEXEC, 0);

	return fd >= 0 ? source_take(fd, save->path, ret, why) : failed(save, errno, why);
}

/* Gives the temporary its name; without leave to overwrite, only when the name is free. */
static bool publish(struct save *save)
{
	int fd = save->directory_fd;

	if (save->overwrite)
		return renameat(fd, save->temporary, fd, save->name) == 0;
	if (renameat2(fd, save->temporary, fd, save->name, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	return linkat(fd, save->temporary, fd, save->name, 0) == 0 &&
	       unlinkat(fd, save->temporary, 0) == 0;
}

bool save_without_end(struct save *save, struct failure *why)
{
	if (fsync(save->fd) != 0 || !publish(save))
		return failed(save, errno, why);
	int closed = close(save->fd);

	save->fd = -1;
	return closed == 0 || failed(save, errno, why);
}

bool save_end(struct save *save, struct failure *why)
{
	uint64_t head_at = begin_section(save);

	if (!end_section(save, head_at, PM_SECTION_END, why))
		return undo(save, head_at);
	return save_without_end(save, why);
}

bool save_send(struct save *save, bool is_cut_short, struct sink *sink, struct failure *why)
{
	uint64_t head_at = begin_section(save), done = 0;
	char part[COPY_BYTES];
	ssize_t got;

	if (is_cut_short)
		undo(save, head_at);
	else if (!end_section(save, head_at, PM_SECTION_END, why))
		return undo(save, head_at);
	for (; (got = pread(save->fd, part, sizeof part, (off_t)done)) > 0; done += (uint64_t)got)
		sink_bytes(sink, part, (size_t)got);
	return got == 0 || failed(save, errno, why);
}

void save_close(struct save *save)
{
	if (save->fd >= 0 && save->is_sole)
		close(save->fd);
	else if (save->fd >= 0)
		remove_temporary(save);
	if (save->directory_fd >= 0)
		close(save->directory_fd);
	save->fd = save->directory_fd = -1;
}
