/* SPDX-License-Identifier: MIT */
/* say.c: see say.h. */
#define _GNU_SOURCE
#include "launch/say.h"

#include "text/complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void say(const char *format, ...)
{
	va_list arguments;
	char *line;

	va_start(arguments, format);
	if (vasprintf(&line, format, arguments) < 0)
		line = NULL;
	va_end(arguments);
	if (!line)
		return;
	complain("poolmem", line);
	free(line);
}
