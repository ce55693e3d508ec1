/* SPDX-License-Identifier: MIT */
/*
 * sink.h: where a report goes: stdout or a file, behind one buffer that remembers the first failed
 * write.
 *
 * A file is written beside its name, synced, and renamed when the sink is closed without a failure,
 * so that the name never holds half a report.  What is not a regular file (/dev/full, a pipe) is
 * written as it is.
 */
#ifndef POOLMEM_TEXT_SINK_H
#define POOLMEM_TEXT_SINK_H

#include "text/buffer.h"
#include "text/failure.h"

#include <stddef.h>

enum style { STYLE_PLAIN, STYLE_TITLE, STYLE_FAINT, STYLE_WARN };

/* paragraph.h */
struct paragraph {
	bool is_open;
	size_t indent, used;
	char text[2048];
};

struct sink {
	int fd;
	int error;             /* errno of the first failed write; 0: none so far */
	bool colour;           /* styles reach the output */
	size_t columns;        /* of the terminal it goes to; 0: it goes elsewhere */
	char *path;            /* as given with -o; NULL for stdout */
	char *temporary;       /* what becomes `path`; NULL when written as it is */
	struct buffer *memory; /* where all goes instead of to a descriptor; NULL */
	struct paragraph paragraph;
	size_t used;
	char buffer[16384];
};

/* path NULL: stdout.  From here on a closed pipe or a file size limit is an error, not a signal. */
bool sink_open(struct sink *sink, const char *path, struct failure *why);

/* Whether that can be opened, as far as can be told: nothing is left, and nothing that is there changes. */
bool sink_try(const char *path, struct failure *why);

/* What others write to, too, such as the job summary of a CI service: grows, and is never replaced. */
bool sink_open_append(struct sink *sink, const char *path, struct failure *why);

/* What is put is added to the buffer by sink_close, which cannot fail then. */
void sink_open_memory(struct sink *sink, struct buffer *ret);

/* Bytes as they are: our own words, or JSON that is escaped already. */
void sink_bytes(struct sink *sink, const char *bytes, size_t byte_count);

/* Formatted text; control characters in the result other than '\n' are escaped. */
void sink_print(struct sink *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text of unknown origin on one line: newlines are escaped too; cut to column_max, 0: never. */
void sink_name(struct sink *sink, const char *text, size_t column_max);

void sink_style(struct sink *sink, enum style style);

/* Of the 256 colours of terminals, until the next style. */
void sink_colour(struct sink *sink, int ink, int back);

/* Flushes, syncs, renames.  False when any write since sink_open failed. */
bool sink_close(struct sink *sink, struct failure *why);

#endif
