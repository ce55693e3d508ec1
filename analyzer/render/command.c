/* SPDX-License-Identifier: MIT */
/* command.c: see command.h. */
#include "render/command.h"

#include "text/allocate.h"
#include "text/quote.h"

#include <stdlib.h>

char *command_line(char *const *argv)
{
	size_t count = 0;

	while (argv[count])
		count++;
	return quote_words((const char *const *)argv, count);
}

char *command_of(const struct study *study, const struct process *process)
{
	const struct process *facts = facts_of(study->recording, process);
	const char *exe = facts->exe ? facts->exe : "?";

	if (facts->argv_count)
		return quote_words((const char *const *)facts->argv, facts->argv_count);
	return facts->exe ? quote_words(&exe, 1) : allocate_text(exe, 1);
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
	char *command = count ? quote_words(words, count) : NULL;
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
