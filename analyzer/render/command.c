/* SPDX-License-Identifier: MIT */
/* command.c: see command.h. */
#include "render/command.h"

#include "text/allocate.h"

#include <ctype.h>
#include <stdlib.h>
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

static char *joined(const char *const *words, size_t count)
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

char *command_word(const char *word)
{
	return joined(&word, 1);
}

char *command_line(char *const *argv)
{
	size_t count = 0;

	while (argv[count])
		count++;
	return joined((const char *const *)argv, count);
}

char *command_of(const struct study *study, const struct process *process)
{
	const struct process *facts = facts_of(study->recording, process);
	const char *exe = facts->exe ? facts->exe : "?";

	if (facts->argv_count)
		return joined((const char *const *)facts->argv, facts->argv_count);
	return facts->exe ? joined(&exe, 1) : allocate_text(exe, 1);
}

/* NULL: not recorded. */
static char *command_of_run(const struct study *study)
{
	const json_t *list = json_object_get(study->recording->outside.json, "command");
	size_t count = json_array_size(list);
	const char **words = allocate(count, sizeof *words);

	for (size_t i = 0; i < count; i++) {
		const char *word = json_string_value(json_array_get(list, i));
		words[i] = word ? word : "?";
	}
	char *command = count ? joined(words, count) : NULL;
	free(words);
	return command;
}

char *command_of_all(const struct study *study)
{
	char *command = command_of_run(study);

	if (command)
		return command;
	return study->process_count ? command_of(study, study->processes[0].process)
				    : allocate_text("?", 1);
}
