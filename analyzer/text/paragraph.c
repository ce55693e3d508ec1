/* SPDX-License-Identifier: MIT */
/* paragraph.c: see paragraph.h. */
#include "text/paragraph.h"

#include "text/escape.h"

#include <ctype.h>
#include <string.h>

enum { COLUMNS_DEFAULT = 80, COLUMNS_MIN = 40 };

static size_t columns_of(const struct sink *sink)
{
	if (!sink->columns)
		return COLUMNS_DEFAULT;
	return sink->columns > COLUMNS_MIN ? sink->columns : COLUMNS_MIN;
}

static void break_line(struct sink *sink, size_t indent)
{
	sink_bytes(sink, "\n", 1);
	for (size_t i = 0; i < indent; i++)
		sink_bytes(sink, " ", 1);
}

/* The width of a word that ends at a blank. */
static size_t word_columns(char *word, size_t length)
{
	char end = word[length];

	word[length] = 0;
	size_t columns = text_columns(word);
	word[length] = end;
	return columns;
}

/* A number and its unit stay together. */
static size_t word_length(const char *word)
{
	size_t length = strcspn(word, " ");

	while (length && isdigit((unsigned char)word[length - 1]) && word[length] == ' ' &&
	       word[length + 1] && word[length + 1] != ' ')
		length += 1 + strcspn(word + length + 1, " ");
	return length;
}

/* The paragraph is closed before: what is put goes to the output. */
static void put_words(struct sink *sink, char *text, size_t indent)
{
	size_t column = 0;

	while (*text) {
		size_t blanks = strspn(text, " "), length = word_length(text + blanks);
		size_t width = word_columns(text + blanks, length);
		if (column > indent && column + blanks + width > columns_of(sink)) {
			break_line(sink, indent);
			text += blanks;
			column = indent;
			blanks = 0;
		}
		sink_bytes(sink, text, blanks + length);
		column += blanks + width;
		text += blanks + length;
	}
}

static void end(struct sink *sink)
{
	struct paragraph *paragraph = &sink->paragraph;

	paragraph->is_open = false;
	paragraph->text[paragraph->used] = 0;
	put_words(sink, paragraph->text, paragraph->indent);
}

void paragraph_begin(struct sink *sink, size_t indent)
{
	sink->paragraph.is_open = true;
	sink->paragraph.indent = indent;
	sink->paragraph.used = 0;
}

size_t paragraph_take(struct sink *sink, const char *bytes, size_t byte_count)
{
	struct paragraph *paragraph = &sink->paragraph;
	const char *line_end = memchr(bytes, '\n', byte_count);
	size_t length = line_end ? (size_t)(line_end - bytes) : byte_count;
	size_t room = sizeof paragraph->text - 1 - paragraph->used;
	size_t taken = length < room ? length : room;

	memcpy(paragraph->text + paragraph->used, bytes, taken);
	paragraph->used += taken;
	if (line_end || taken < length)
		end(sink);
	return taken;
}

void paragraph_begin_indented(struct sink *sink)
{
	paragraph_begin(sink, 2);
	sink_print(sink, "  ");
}
