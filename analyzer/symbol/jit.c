/* SPDX-License-Identifier: MIT */
/* jit.c: see jit.h. */
#include "symbol/jit.h"

#include "symbol/file.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 64 << 20 };

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A number of up to 16 digits, with or without 0x, and the blanks behind it. */
static bool take_number(const char **text, uint64_t *ret)
{
	const char *at = *text;
	uint64_t number = 0;
	int digit, digits = 0;

	if (at[0] == '0' && (at[1] | 0x20) == 'x')
		at += 2;
	for (; (digit = digit_of(*at)) >= 0; at++, digits++) {
		if (number >> 60)
			return false;
		number = number << 4 | (unsigned)digit;
	}
	if (!digits || *at != ' ')
		return false;
	*text = at + strspn(at, " ");
	*ret = number;
	return true;
}

static void take_line(struct jit *jit, const char *line)
{
	uint64_t first, bytes, last;

	if (!take_number(&line, &first) || !take_number(&line, &bytes) || !*line ||
	    __builtin_add_overflow(first, bytes, &last))
		return;
	jit->names = allocate_more(jit->names, jit->count, &jit->room, sizeof *jit->names);
	jit->names[jit->count] = line;
	spans_add(&jit->spans, first, last, (uint32_t)jit->count++);
}

static void take_lines(struct jit *jit, size_t byte_count)
{
	char *line = jit->text, *end = jit->text + byte_count, *stop;

	for (; line < end; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (!stop)
			break; /* a line that is still being written */
		*stop = '\0';
		take_line(jit, line);
	}
	spans_sort(&jit->spans);
}

bool jit_read(struct jit *jit, const char *path)
{
	enum symbol_lack lack;
	struct file file;

	if (!file_open(path, &file, &lack))
		return false;
	bool is_read = (file.owner == 0 || file.owner == geteuid()) &&
		       file.bytes <= FILE_BYTES_MAX && file_read(&file, &jit->text);
	if (is_read)
		take_lines(jit, file.bytes);
	file_close(&file);
	return is_read;
}

const char *jit_at(const struct jit *jit, uint64_t address)
{
	uint32_t item;
	return spans_newest_at(&jit->spans, address, &item) ? jit->names[item] : NULL;
}

void jit_free(struct jit *jit)
{
	spans_free(&jit->spans);
	free(jit->names);
	free(jit->text);
	*jit = (struct jit){0};
}
