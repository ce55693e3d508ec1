/* SPDX-License-Identifier: MIT */
/* say.c: builds and writes one line. */
#include "life/say.h"

#include "sys/raw.h"

#include <string.h>

void line_bytes(struct line *line, const char *text, size_t bytes)
{
	size_t room = sizeof line->text - 1 - line->bytes; /* one for the newline */
	if (bytes > room)
		bytes = room;
	for (size_t i = 0; i < bytes; i++) { /* names from outside reach a terminal */
		unsigned char c = (unsigned char)text[i];
		line->text[line->bytes++] = c < ' ' || c == 127 ? '?' : text[i];
	}
}

void line_text(struct line *line, const char *text)
{
	line_bytes(line, text, strlen(text));
}

static void digits(struct line *line, uint64_t value, unsigned base)
{
	char buffer[24];
	unsigned at = sizeof buffer;
	do
		buffer[--at] = "0123456789abcdef"[value % base];
	while (value /= base);
	line_bytes(line, buffer + at, sizeof buffer - at);
}

void line_number(struct line *line, uint64_t value)
{
	digits(line, value, 10);
}

void line_address(struct line *line, const void *address)
{
	line_text(line, "0x");
	digits(line, (uintptr_t)address, 16);
}

void line_say(struct line *line)
{
	line->text[line->bytes++] = '\n';
	raw_write(2, line->text, line->bytes);
}
