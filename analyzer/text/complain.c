/* SPDX-License-Identifier: MIT */
/* complain.c: see complain.h. */
#define _GNU_SOURCE 1

#include "text/complain.h"

#include "text/escape.h"
#include "text/paragraph.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void to_terminal(int fd, const char *who, const char *shown)
{
	struct sink sink = {.fd = fd};
	struct failure ignored;

	paragraph_begin(&sink, 2);
	sink_print(&sink, "%s: %s\n", who, shown);
	sink_close(&sink, &ignored);
}

void complain(const char *who, const char *text)
{
	char *shown = escape_text(text);
	int fd = isatty(STDERR_FILENO) ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) : -1;

	fflush(stderr);
	if (fd >= 0)
		to_terminal(fd, who, shown);
	else
		fprintf(stderr, "%s: %s\n", who, shown);
	free(shown);
}
