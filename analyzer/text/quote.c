/* SPDX-License-Identifier: MIT */
/* quote.c: see quote.h. */
#include "text/quote.h"

#include "text/allocate.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { QUOTED_BYTES_MAX = 4 }; /* what one byte can become: '\'' */

static bool is_plain(char byte)
{
	return isalnum((unsigned char)byte) || (byte & 0x80) || (byte && strchr("_@%+=:,./-", byte));
}

static bool is_plain_word(const char *word)
{
	size_t length = 0;

	while (is_plain(word[length]))
		length++;
	return length && !word[length];
}

/* Blanks from `word` on that hold a line break or a tab; 0: it begins with none such. */
static size_t break_bytes(const char *word)
{
	size_t bytes = strspn(word, " \t\n\v\f\r");

	return strcspn(word, "\t\n\v\f\r") < bytes ? bytes : 0;
}

static char *put_quoted(char *out, const char *word)
{
	*out++ = '\'';
	while (*word) {
		size_t blanks = break_bytes(word);
		if (*word == '\'')
			out = memcpy(out, "'\\''", QUOTED_BYTES_MAX) + QUOTED_BYTES_MAX;
		else
			*out++ = blanks ? ' ' : *word;
		word += blanks ? blanks : 1;
	}
	*out++ = '\'';
	return out;
}

static char *put_word(char *out, const char *word)
{
	if (!is_plain_word(word))
		return put_quoted(out, word);
	while (*word)
		*out++ = *word++;
	return out;
}

char *quote_words(const char *const *words, size_t count)
{
	size_t bytes = 1;

	for (size_t i = 0; i < count; i++)
		bytes += strlen(words[i]) * QUOTED_BYTES_MAX + strlen("'' ");
	char *text = allocate(bytes, 1), *end = text;
	for (size_t i = 0; i < count; i++) {
		if (i)
			*end++ = ' ';
		end = put_word(end, words[i]);
	}
	return text;
}

char *quote_word(const char *word)
{
	return quote_words(&word, 1);
}
