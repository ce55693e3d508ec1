/* SPDX-License-Identifier: MIT */
/* reader.c: see reader.h. */
#include "cmd/reader.h"

#include "cmd/command.h"
#include "cmd/suggest.h"
#include "text/colour.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { GO_ON = -1, ROWS_DEFAULT = 20 };

enum letter {
	LETTER_JSON = 256,
	LETTER_ORDER,
	LETTER_FILTER,
	LETTER_ALL,
	LETTER_COLOUR,
	LETTER_OLDER,
	LETTER_DRY_RUN,
};

static const struct option options[] = {
	{"json", no_argument, NULL, LETTER_JSON},
	{"output", required_argument, NULL, 'o'},
	{"rows", required_argument, NULL, 'n'},
	{"color", required_argument, NULL, LETTER_COLOUR},
	{"sort", required_argument, NULL, LETTER_ORDER},
	{"filter", required_argument, NULL, LETTER_FILTER},
	{"all", no_argument, NULL, LETTER_ALL},
	{"older-than", required_argument, NULL, LETTER_OLDER},
	{"dry-run", no_argument, NULL, LETTER_DRY_RUN},
	{NULL, 0, NULL, 0},
};

static bool is_accepted(int letter, const struct reader_accepts *accepts)
{
	switch (letter) {
	case LETTER_ORDER: return accepts->order;
	case LETTER_FILTER: return accepts->filter;
	case LETTER_ALL: return accepts->all;
	case LETTER_OLDER:
	case LETTER_DRY_RUN: return accepts->older_than;
	default: return true;
	}
}

static bool parse_rows(const char *text, size_t *ret)
{
	char *end;

	errno = 0;
	unsigned long long rows = strtoull(text, &end, 10);
	if (errno || end == text || *end || strchr(text, '-'))
		return false;
	*ret = rows;
	return true;
}

static bool set(struct reader *reader, int letter, bool *rows_given)
{
	switch (letter) {
	case LETTER_JSON: reader->json = true; return true;
	case 'o': reader->output = optarg; return true;
	case 'n': *rows_given = true; return parse_rows(optarg, &reader->view.row_max);
	case LETTER_COLOUR: reader->colour = optarg; return true;
	case LETTER_ORDER: reader->order = optarg; return true;
	case LETTER_FILTER: reader->filter = optarg; return true;
	case LETTER_ALL: reader->view.all = true; return true;
	case LETTER_OLDER: reader->older_than = optarg; return true;
	default: reader->dry_run = true; return true;
	}
}

/* "--josn": which option of this command is nearest? */
static int unknown_option(const char *command, const char *typed,
			  const struct reader_accepts *accepts)
{
	const char *words[sizeof options / sizeof *options];
	size_t count = 0;
	const char *bare = typed + strspn(typed, "-");

	for (const struct option *option = options; option->name; option++)
		if (is_accepted(option->val, accepts))
			words[count++] = option->name;
	const char *near = typed[1] == '-' ? suggest(bare, words, count) : NULL;
	if (near && strcmp(near, bare) != 0)
		return command_usage_error(command, "there is no option '%s'; did you mean '--%s'?",
					   typed, near);
	return command_usage_error(command, "there is no option '%s'", typed);
}

static int take_operand(int argc, char **argv, const struct reader_accepts *accepts,
			struct reader *reader)
{
	if (optind < argc && !accepts->operand)
		return command_usage_error(accepts->command, "takes no argument, not '%s'",
					   argv[optind]);
	if (optind + 1 < argc)
		return command_usage_error(accepts->command, "one at a time: '%s' is too many",
					   argv[optind + 1]);
	reader->operand = optind < argc ? argv[optind] : NULL;
	return GO_ON;
}

int reader_parse(int argc, char **argv, const struct reader_accepts *accepts, struct reader *ret)
{
	struct reader reader = {.view.row_max = ROWS_DEFAULT};
	bool rows_given = false;
	int letter;

	signal(SIGXFSZ,
	       SIG_IGN); /* a message or a report over `ulimit -f` is an error to tell (F39) */
	optind = 1;
	opterr = 0;
	for (int last = 1; (letter = getopt_long(argc, argv, ":o:n:", options, NULL)) != -1;
	     last = optind) {
		if (letter == ':')
			return command_usage_error(accepts->command, "'%s' needs a value",
						   argv[optind - 1]);
		if (letter == '?' || !is_accepted(letter, accepts))
			return unknown_option(accepts->command, argv[last], accepts);
		if (!set(&reader, letter, &rows_given))
			return command_usage_error(accepts->command, "-n takes a number, not '%s'",
						   optarg);
	}
	if (reader.json && !rows_given)
		reader.view.row_max = 0;
	int code = take_operand(argc, argv, accepts, &reader);
	if (code == GO_ON)
		*ret = reader;
	return code;
}

/* 0: not a terminal, or one that does not tell. */
static size_t columns_of(int fd)
{
	struct winsize size;

	return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool reader_open_sink(const struct reader *reader, struct sink *sink, struct failure *why)
{
	bool colour;

	if (!colour_wanted(reader->colour, STDOUT_FILENO, &colour, why) ||
	    !sink_open(sink, reader->output, why))
		return false;
	bool is_always = reader->colour && strcmp(reader->colour, "always") == 0;
	sink->columns = reader->output ? 0 : columns_of(STDOUT_FILENO);
	sink->colour = colour && !reader->json && (is_always || !reader->output);
	return true;
}
