/* SPDX-License-Identifier: MIT */
/* sink.c: see sink.h. */
#define _GNU_SOURCE 1

#include "text/sink.h"

#include "text/allocate.h"
#include "text/escape.h"
#include "text/paragraph.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_special_file(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static bool is_directory(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static mode_t mode_of_new_files(void)
{
	mode_t mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

static int open_temporary(struct sink *sink)
{
	size_t bytes = strlen(sink->path) + sizeof ".XXXXXX";
	sink->temporary = allocate(bytes, 1);
	snprintf(sink->temporary, bytes, "%s.XXXXXX", sink->path);
	int fd = mkostemp(sink->temporary, O_CLOEXEC);
	if (fd >= 0 && fchmod(fd, mode_of_new_files()) != 0 && !sink->error)
		sink->error = errno;
	return fd;
}

/* From here on a closed pipe or a file size limit is an error, not a signal. */
static void begin(struct sink *sink)
{
	*sink = (struct sink){.fd = STDOUT_FILENO};
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static bool is_open(struct sink *sink, const char *path, struct failure *why)
{
	if (sink->fd >= 0)
		return true;
	fail(why, FAILURE_WRITE, "cannot create %s: %s", path, strerror(errno));
	free(sink->path);
	free(sink->temporary);
	return false;
}

bool sink_open(struct sink *sink, const char *path, struct failure *why)
{
	begin(sink);
	if (!path)
		return true;
	sink->path = allocate_text(path, strlen(path));
	sink->fd = is_special_file(path) ? open(path, O_WRONLY | O_CLOEXEC) : open_temporary(sink);
	return is_open(sink, path, why);
}

bool sink_try(const char *path, struct failure *why)
{
	struct sink sink;

	/* What reads a pipe would take it for the end. */
	if (is_special_file(path) && !is_directory(path) && access(path, W_OK) == 0)
		return true;
	if (!sink_open(&sink, path, why))
		return false;
	close(sink.fd);
	if (sink.temporary)
		unlink(sink.temporary);
	free(sink.temporary);
	free(sink.path);
	return true;
}

bool sink_open_append(struct sink *sink, const char *path, struct failure *why)
{
	begin(sink);
	sink->path = allocate_text(path, strlen(path));
	sink->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	return is_open(sink, path, why);
}

void sink_open_memory(struct sink *sink, struct buffer *ret)
{
	*sink = (struct sink){.fd = -1, .memory = ret};
}

static void flush(struct sink *sink)
{
	size_t done = 0;

	if (sink->memory) {
		buffer_add(sink->memory, sink->buffer, sink->used);
		sink->used = 0;
		return;
	}
	while (done < sink->used && !sink->error) {
		ssize_t written = write(sink->fd, sink->buffer + done, sink->used - done);
		if (written >= 0)
			done += (size_t)written;
		else if (errno != EINTR)
			sink->error = errno;
	}
	sink->used = 0;
}

void sink_bytes(struct sink *sink, const char *bytes, size_t byte_count)
{
	if (sink->paragraph.is_open) {
		size_t taken = paragraph_take(sink, bytes, byte_count);
		bytes += taken;
		byte_count -= taken;
	}
	while (byte_count) {
		size_t room = sizeof sink->buffer - sink->used;
		size_t part = byte_count < room ? byte_count : room;
		memcpy(sink->buffer + sink->used, bytes, part);
		sink->used += part;
		bytes += part;
		byte_count -= part;
		if (sink->used == sizeof sink->buffer)
			flush(sink);
	}
}

static void put_line(struct sink *sink, const char *line, size_t byte_count)
{
	char *shown = escape_bytes(line, byte_count);
	sink_bytes(sink, shown, strlen(shown));
	free(shown);
}

static void put_lines(struct sink *sink, const char *text)
{
	for (;;) {
		size_t length = strcspn(text, "\n");
		put_line(sink, text, length);
		if (!text[length])
			return;
		sink_bytes(sink, "\n", 1);
		text += length + 1;
	}
}

void sink_print(struct sink *sink, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0) {
		sink->error = sink->error ? sink->error : ENOMEM;
		return;
	}
	put_lines(sink, text);
	free(text);
}

void sink_name(struct sink *sink, const char *text, size_t column_max)
{
	char *shown = escape_text(text);
	text_cut(shown, column_max);
	sink_bytes(sink, shown, strlen(shown));
	free(shown);
}

void sink_style(struct sink *sink, enum style style)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "\033[0m",
		[STYLE_TITLE] = "\033[1m",
		[STYLE_FAINT] = "\033[2m",
		[STYLE_WARN] = "\033[33m",
	};
	if (sink->colour)
		sink_bytes(sink, codes[style], strlen(codes[style]));
}

void sink_colour(struct sink *sink, int ink, int back)
{
	char code[40];

	int length = snprintf(code, sizeof code, "\033[38;5;%d;48;5;%dm", ink, back);
	if (sink->colour)
		sink_bytes(sink, code, (size_t)length);
}

static bool publish(struct sink *sink)
{
	return fsync(sink->fd) == 0 && rename(sink->temporary, sink->path) == 0;
}

bool sink_close(struct sink *sink, struct failure *why)
{
	flush(sink);
	if (sink->memory)
		return true;
	if (!sink->error && sink->temporary && !publish(sink))
		sink->error = errno;
	if (close(sink->fd) != 0 && !sink->error)
		sink->error = errno;
	if (sink->error && sink->temporary)
		unlink(sink->temporary);
	if (sink->error)
		fail(why, sink->error == EPIPE ? FAILURE_CLOSED : FAILURE_WRITE,
		     "cannot write %s: %s", sink->path ? sink->path : "standard output",
		     strerror(sink->error));
	free(sink->path);
	free(sink->temporary);
	return !sink->error;
}
