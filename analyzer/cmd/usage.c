/* SPDX-License-Identifier: MIT */
/* usage.c: what is said of a command line that is wrong. */
#define _GNU_SOURCE 1

#include "cmd/command.h"
#include "text/escape.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int command_usage_error(const char *name, const char *format, ...)
{
	char message[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	char *shown = escape_text(message);
	fprintf(stderr, "poolmem %s: %s\npoolmem %s --help shows how it is used\n", name, shown,
		name);
	free(shown);
	return EXIT_USAGE;
}
