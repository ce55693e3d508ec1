/* SPDX-License-Identifier: MIT */
/* main.c: finds the command; help and versions. */
#define _GNU_SOURCE 1

#include "cmd/command.h"
#include "cmd/suggest.h"
#include "cmd/version.h"
#include "text/escape.h"
#include "text/failure.h"
#include "text/paragraph.h"
#include "text/sink.h"

#include <fcntl.h>
#include <poolmem/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct command {
	const char *name, *line;
	int (*call)(int argc, char **argv);
	const struct command_help *help;
};

#define COMMAND_ROW(name, line) {#name, line, cmd_##name, &help_##name},
static const struct command commands[] = {COMMANDS(COMMAND_ROW)};
#undef COMMAND_ROW
#define COMMAND_WORD(name, line) #name,
static const char *const command_words[] = {COMMANDS(COMMAND_WORD)};
#undef COMMAND_WORD
enum { COMMAND_COUNT = sizeof commands / sizeof *commands, EXAMPLE_INDENT = 6 };

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

/* Prints by `put` to stdout through a sink; the exit code says whether it could. */
static int print(void (*put)(struct sink *sink, const struct command *command),
		 const struct command *command)
{
	struct sink sink;
	struct failure why = {FAILURE_NONE, ""};

	if (sink_open(&sink, NULL, &why)) {
		put(&sink, command);
		sink_close(&sink, &why);
	}
	return failure_report(&why);
}

static void put_overview(struct sink *sink, const struct command *unused)
{
	(void)unused;
	sink_print(sink, "poolmem: the heap is its own profile\n\n"
			 "  poolmem COMMAND [options] [arguments]\n"
			 "  LD_PRELOAD=libpoolmem.so ./app      records without a command\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		sink_print(sink, "  %-10s  %s\n", commands[i].name, commands[i].line);
	sink_print(sink, "\n  poolmem COMMAND --help shows options and examples\n"
			 "  poolmem --version says which version this is\n");
}

static void put_options(struct sink *sink, const struct command_option *option)
{
	size_t width = 0;

	for (const struct command_option *o = option; o->name; o++)
		width = strlen(o->name) > width ? strlen(o->name) : width;
	if (option->name)
		sink_print(sink, "\nOptions\n");
	for (; option->name; option++) {
		paragraph_begin(sink, width + 4);
		sink_print(sink, "  %-*s  %s\n", (int)width, option->name, option->help);
	}
}

/* Its lines are joined: where they end the terminal says. */
static void put_purpose(struct sink *sink, const char *purpose)
{
	paragraph_begin(sink, 0);
	for (size_t length; *purpose; purpose += length) {
		length = strcspn(purpose, "\n");
		sink_bytes(sink, purpose, length);
		if (purpose[length]) {
			sink_bytes(sink, " ", 1);
			length++;
		}
	}
	sink_bytes(sink, "\n", 1);
}

static void put_help(struct sink *sink, const struct command *command)
{
	const struct command_help *help = command->help;

	sink_print(sink, "Usage: poolmem %s\n\n", help->usage);
	put_purpose(sink, help->purpose);
	put_options(sink, help->options);
	sink_print(sink, "\nExamples\n");
	for (size_t i = 0; i < COMMAND_EXAMPLE_COUNT; i++) {
		sink_print(sink, "  %s\n", help->examples[i].line);
		paragraph_begin(sink, EXAMPLE_INDENT);
		sink_print(sink, "%*s%s\n", EXAMPLE_INDENT, "", help->examples[i].help);
	}
}

static void put_version(struct sink *sink, const struct command *unused)
{
	(void)unused;
	sink_print(sink, "poolmem " POOLMEM_VERSION ", segment format %d\n", PM_FORMAT_VERSION);
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool asks_for_help(const struct command *command, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (is_help(argv[i]))
			return true;
		if (command->help->stops_at_operand && argv[i][0] != '-')
			return false;
	}
	return false;
}

static int no_such_command(const char *typed)
{
	const char *near = suggest(typed, command_words, COMMAND_COUNT);
	char *shown = escape_text(typed);

	fprintf(stderr, "poolmem: there is no command '%s'", shown);
	if (near)
		fprintf(stderr, "; did you mean '%s'?", near);
	fprintf(stderr, "\npoolmem alone lists the commands\n");
	free(shown);
	return EXIT_USAGE;
}

/* A report must not land in a file that took the number of a closed descriptor. */
static void fill_closed_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			exit(EXIT_NOTHING);
}

int main(int argc, char **argv)
{
	fill_closed_descriptors();
	if (argc < 2 || is_help(argv[1]) || strcmp(argv[1], "help") == 0)
		return print(put_overview, NULL);
	if (strcmp(argv[1], "--version") == 0)
		return print(put_version, NULL);
	const struct command *command = find_command(argv[1]);
	if (!command)
		return no_such_command(argv[1]);
	if (asks_for_help(command, argc - 1, argv + 1))
		return print(put_help, command);
	return command->call(argc - 1, argv + 1);
}
