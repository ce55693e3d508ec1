/* SPDX-License-Identifier: MIT */
/* trace_pack.c: see trace_pack.h. */
#define _GNU_SOURCE
#include "launch/trace_pack.h"

#include "launch/name.h"
#include "launch/say.h"
#include "source/trace_file.h"
#include "text/allocate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define SUFFIX ".packed.pmt"

enum { LEVEL = 6, PACKED_MAX = 2 * PM_TRACE_CHUNK_BYTES };

static bool put(FILE *file, const void *bytes, size_t count)
{
	return fwrite(bytes, 1, count, file) == count;
}

static bool pack_chunk(FILE *file, ZSTD_CCtx *context, struct trace_events *events)
{
	unsigned char packed[PACKED_MAX];
	size_t bytes = ZSTD_compressCCtx(context, packed, sizeof packed, events->bytes,
					 events->header.used, LEVEL);

	if (ZSTD_isError(bytes))
		return false;
	events->header.state = PM_TRACE_CLOSED;
	events->header.checksum = pm_trace_checksum(events->bytes, events->header.used);
	events->header.stored = (uint32_t)bytes;
	return put(file, &events->header, sizeof events->header) && put(file, packed, bytes);
}

static bool pack_all(const struct trace_file *from, FILE *file, ZSTD_CCtx *context,
		     struct failure *why)
{
	struct trace_events *events = allocate(1, sizeof *events);
	struct pm_trace_header header = from->header;
	bool packed;

	header.flags |= PM_TRACE_PACKED;
	header.header_bytes = sizeof header;
	header.chunks = (uint32_t)from->chunk_count;
	packed = put(file, &header, sizeof header) ||
		 fail(why, FAILURE_WRITE, "packing: %s", strerror(errno));
	for (size_t i = 0; packed && i < from->chunk_count; i++)
		packed = trace_file_load(from, i, events, why) &&
			 (pack_chunk(file, context, events) ||
			  fail(why, FAILURE_WRITE, "packing: %s", strerror(errno)));
	free(events);
	return packed;
}

static bool pack_to(const struct trace_file *from, int fd, struct failure *why)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	FILE *file = fdopen(fd, "w");

	if (!context || !file) {
		ZSTD_freeCCtx(context);
		close(fd);
		return fail(why, FAILURE_WRITE, "packing: no memory");
	}
	bool packed = pack_all(from, file, context, why);
	bool flushed = fflush(file) == 0 && (fsync(fd) == 0 || errno == EINVAL); /* a pipe */

	ZSTD_freeCCtx(context);
	if (packed && !flushed)
		packed = fail(why, FAILURE_WRITE, "packing: %s", strerror(errno));
	fclose(file);
	return packed;
}

bool trace_pack(const char *path, int fd, struct failure *why)
{
	struct trace_file from;
	struct failure before;

	if (!trace_file_open(path, &from, why)) {
		close(fd);
		return false;
	}
	bool done = pack_to(&from, fd, &before) ||
		    fail(why, before.kind, "%.200s: %.190s", path, before.text);

	if (from.header.flags & PM_TRACE_FULL)
		say("%s: recording ended before the program did: there was no room (trace.max, the "
		    "disk, or a file size limit)",
		    path);
	trace_file_close(&from);
	return done;
}

/* --- for a user ------------------------------------------------------------------------------------- */

static bool read_header(const char *path, struct pm_trace_header *ret)
{
	struct failure ignored;
	struct input input;

	if (!input_open_named(path, &input, &ignored))
		return false;
	bool is_one = input_read(&input, 0, ret, sizeof *ret, &ignored) &&
		      memcmp(ret->magic, PM_TRACE_MAGIC, sizeof ret->magic) == 0;

	input_close(&input);
	return is_one;
}

bool trace_pack_takes(const char *path)
{
	struct pm_trace_header header;

	return read_header(path, &header);
}

/* "app.pmt" becomes "app.packed.pmt", in the directory that we are in. */
static bool choose_output(const struct pack_request *request, char ret_path[PATH_MAX],
			  struct failure *why)
{
	const char *slash = strrchr(request->path, '/');
	const char *name = slash ? slash + 1 : request->path, *dot = strrchr(name, '.');
	int stem = dot && dot != name ? (int)(dot - name) : (int)strlen(name);
	int length = request->output ? snprintf(ret_path, PATH_MAX, "%s", request->output)
				     : snprintf(ret_path, PATH_MAX, "%.*s" SUFFIX, stem, name);

	if (length >= PATH_MAX)
		return fail(why, FAILURE_WRITE, "-o '%.200s': too long", ret_path);
	return name_check_place(ret_path, request->overwrite, why);
}

static bool publish(const char *temporary, const char *path, bool overwrite)
{
	if (overwrite)
		return rename(temporary, path) == 0;
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	return link(temporary, path) == 0 && unlink(temporary) == 0;
}

static bool pack_beside(const struct pack_request *request, struct packed_trace *ret,
			struct failure *why)
{
	char temporary[PATH_MAX + sizeof ".XXXXXX"], absolute[PATH_MAX];
	struct stat status;

	snprintf(temporary, sizeof temporary, "%s.XXXXXX", ret->path);
	int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0)
		return fail(why, FAILURE_WRITE, "cannot write %s: %s", temporary, strerror(errno));
	bool done = trace_pack(request->path, fd, why) &&
		    ((stat(temporary, &status) == 0 &&
		      publish(temporary, ret->path, request->overwrite)) ||
		     fail(why, FAILURE_WRITE, "cannot write %s: %s", ret->path, strerror(errno)));

	if (!done) {
		unlink(temporary);
		return false;
	}
	ret->bytes = (uint64_t)status.st_size;
	if (realpath(ret->path, absolute))
		memcpy(ret->path, absolute, sizeof ret->path);
	return true;
}

static bool send(const struct pack_request *request, struct failure *why)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);

	return fd >= 0 ? trace_pack(request->path, fd, why)
		       : fail(why, FAILURE_WRITE, "standard output: %s", strerror(errno));
}

bool trace_pack_make(const struct pack_request *request, struct packed_trace *ret,
		     struct failure *why)
{
	struct pm_trace_header header;

	*ret = (struct packed_trace){.bytes = 0};
	if (!read_header(request->path, &header))
		return fail(why, FAILURE_UNREADABLE, "%s: this is no trace", request->path);
	if (header.flags & PM_TRACE_PACKED)
		return fail(why, FAILURE_NOTHING,
			    "%s: it is packed already, and read anywhere as it is", request->path);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	ret->unpacked_bytes = ((uint64_t)header.chunks + 1) * PM_TRACE_CHUNK_BYTES;
	if (request->to_stdout)
		return send(request, why);
	return choose_output(request, ret->path, why) && pack_beside(request, ret, why);
}
