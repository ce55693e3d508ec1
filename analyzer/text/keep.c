/* SPDX-License-Identifier: MIT */
/* keep.c: see keep.h. */
#define _GNU_SOURCE
#include "text/keep.h"

#include "text/allocate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void *keep_taken(struct keep *keep, void *memory)
{
	keep->list = allocate_more(keep->list, keep->count, &keep->room, sizeof *keep->list);
	return keep->list[keep->count++] = memory;
}

void *keep_items(struct keep *keep, size_t count, size_t item_bytes)
{
	return keep_taken(keep, allocate(count ? count : 1, item_bytes));
}

char *keep_bytes(struct keep *keep, const void *bytes, size_t byte_count)
{
	return keep_taken(keep, allocate_text(bytes, byte_count));
}

char *keep_text(struct keep *keep, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	int bytes = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (bytes < 0)
		abort();
	return keep_taken(keep, text);
}

void keep_free(struct keep *keep)
{
	for (size_t i = 0; i < keep->count; i++)
		free(keep->list[i]);
	free(keep->list);
	*keep = (struct keep){.count = 0};
}
