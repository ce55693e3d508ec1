/* SPDX-License-Identifier: MIT */
/* usage.c: what is said of a command line that is wrong. */
#define _GNU_SOURCE 1

#include "cmd/command.h"
#include "cmd/suggest.h"
#include "text/complain.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int command_usage_error(const char *name, const char *format, ...)
{
	char message[512], who[64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	snprintf(who, sizeof who, "poolmem %s", name);
	complain(who, message);
	fprintf(stderr, "poolmem %s --help shows how it is used\n", name);
	return EXIT_USAGE;
}

int command_failed(const char *name, const struct failure *why)
{
	if (why->kind == FAILURE_USAGE)
		return command_usage_error(name, "%s", why->text);
	return failure_report(why);
}

/* The letter, where several may stand behind one dash. */
static void typed_option(char *const *argv, char ret_text[256])
{
	const char *last = argv[optind - 1];
	bool is_letter = optopt > 0 && optopt < 256 && !strchr(last, '=');

	if (is_letter)
		snprintf(ret_text, 256, "-%c", optopt);
	else
		snprintf(ret_text, 256, "%.255s", last);
}

int command_unknown_option(const char *name, char *const *argv, const char *const *words,
			   size_t word_count)
{
	char typed[256];

	typed_option(argv, typed);
	const char *bare = typed + strspn(typed, "-");
	const char *near = strncmp(typed, "--", 2) == 0 ? suggest(bare, words, word_count) : NULL;

	if (near && strcmp(near, bare) != 0)
		return command_usage_error(name, "there is no option '%s'; did you mean '--%s'?",
					   typed, near);
	return command_usage_error(name, "there is no option '%s'", typed);
}
