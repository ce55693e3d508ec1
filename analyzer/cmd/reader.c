/* SPDX-License-Identifier: MIT */
/* reader.c: see reader.h. */
#include "cmd/reader.h"

#include "cmd/command.h"
#include "launch/say.h"
#include "launch/settings.h"
#include "text/colour.h"
#include "text/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poolmem/format.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GO_ON = -1, ROWS_DEFAULT = 20, FAULT_COUNT_MAX = 8 };

enum letter {
	LETTER_JSON = 256,
	LETTER_ORDER,
	LETTER_FILTER,
	LETTER_ALL,
	LETTER_COLOUR,
	LETTER_OLDER,
	LETTER_DRY_RUN,
	LETTER_THRESHOLDS,
	LETTER_SVG,
	LETTER_STACKS,
	LETTER_BOTTOM_UP,
	LETTER_TOP_DOWN,
	LETTER_MIN,
	LETTER_THREAD,
	LETTER_NO_SYMBOLS,
	LETTER_SKIP,
	LETTER_SUPPRESSIONS,
	LETTER_NO_DEFAULTS,
	LETTER_ERROR_EXITCODE,
	LETTER_BLOCKS,
	LETTER_LINES,
	LETTER_OF,
	LETTER_COLLAPSED,
	LETTER_FORMAT,
	LETTER_ADVICE,
	LETTER_SITE,
	LETTER_FULL_NAMES,
	LETTER_DEBUGINFOD,
	LETTER_FREE,
	LETTER_AT,
	LETTER_BY,
	LETTER_PNG,
	LETTER_SCALE,
	LETTER_WIDTH,
	LETTER_INHERITED,
	LETTER_TIMELINE,
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
	{"thresholds", required_argument, NULL, LETTER_THRESHOLDS},
	{"svg", required_argument, NULL, LETTER_SVG},
	{"force", no_argument, NULL, 'f'},
	{"stacks", no_argument, NULL, LETTER_STACKS},
	{"bottom-up", no_argument, NULL, LETTER_BOTTOM_UP},
	{"top-down", no_argument, NULL, LETTER_TOP_DOWN},
	{"min", required_argument, NULL, LETTER_MIN},
	{"thread", required_argument, NULL, LETTER_THREAD},
	{"no-symbols", no_argument, NULL, LETTER_NO_SYMBOLS},
	{"skip", required_argument, NULL, LETTER_SKIP},
	{"suppressions", required_argument, NULL, LETTER_SUPPRESSIONS},
	{"no-default-suppressions", no_argument, NULL, LETTER_NO_DEFAULTS},
	{"error-exitcode", required_argument, NULL, LETTER_ERROR_EXITCODE},
	{"verbose", no_argument, NULL, 'v'},
	{"blocks", no_argument, NULL, LETTER_BLOCKS},
	{"lines", no_argument, NULL, LETTER_LINES},
	{"of", required_argument, NULL, LETTER_OF},
	{"collapsed", no_argument, NULL, LETTER_COLLAPSED},
	{"format", required_argument, NULL, LETTER_FORMAT},
	{"advice", no_argument, NULL, LETTER_ADVICE},
	{"site", required_argument, NULL, LETTER_SITE},
	{"full-names", no_argument, NULL, LETTER_FULL_NAMES},
	{"debuginfod", no_argument, NULL, LETTER_DEBUGINFOD},
	{"free", required_argument, NULL, LETTER_FREE},
	{"at", required_argument, NULL, LETTER_AT},
	{"by", required_argument, NULL, LETTER_BY},
	{"png", required_argument, NULL, LETTER_PNG},
	{"scale", required_argument, NULL, LETTER_SCALE},
	{"width", required_argument, NULL, LETTER_WIDTH},
	{"inherited", no_argument, NULL, LETTER_INHERITED},
	{"timeline", required_argument, NULL, LETTER_TIMELINE},
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
	case LETTER_THRESHOLDS:
	case LETTER_SITE: return accepts->ages;
	case LETTER_SVG: return accepts->ages || accepts->pictures;
	case LETTER_FREE: return accepts->frees;
	case LETTER_AT: return accepts->frees || accepts->maps;
	case LETTER_TIMELINE: return accepts->over_time;
	case LETTER_BY: return accepts->over_time || accepts->maps;
	case LETTER_JSON:
	case LETTER_COLOUR: return !accepts->exports;
	case 'n': return !accepts->packs;
	case LETTER_SUPPRESSIONS:
	case LETTER_NO_DEFAULTS:
		return accepts->leaks || accepts->site_tables || accepts->site_pictures ||
		       accepts->exports || accepts->pair;
	case LETTER_ERROR_EXITCODE:
	case 'v': return accepts->leaks;
	case LETTER_BLOCKS:
	case LETTER_LINES: return accepts->pair;
	case LETTER_STACKS: return accepts->site_tables || accepts->pair;
	case LETTER_ADVICE:
	case LETTER_BOTTOM_UP:
	case LETTER_TOP_DOWN:
	case LETTER_FULL_NAMES: return accepts->site_tables;
	case LETTER_FORMAT: return accepts->exports;
	case LETTER_OF: return accepts->site_pictures || accepts->exports || accepts->pair;
	case LETTER_COLLAPSED: return accepts->site_pictures;
	case LETTER_MIN:
	case LETTER_THREAD: return accepts->sites;
	case LETTER_NO_SYMBOLS:
	case LETTER_SKIP: return accepts->names || accepts->ages;
	case LETTER_DEBUGINFOD: return accepts->names || accepts->packs;
	case LETTER_PNG:
	case LETTER_SCALE:
	case LETTER_WIDTH:
	case LETTER_INHERITED: return accepts->maps;
	default: return true;
	}
}

static const char *name_of(int letter)
{
	const struct option *option = options;

	while (option->name && option->val != letter)
		option++;
	return option->name ? option->name : "?";
}

static const char *parse_rows(const char *text, size_t *ret)
{
	char *end;

	errno = 0;
	unsigned long long rows = strtoull(text, &end, 10);
	if (errno || end == text || *end || strchr(text, '-'))
		return "-n takes a number, not";
	*ret = rows;
	return NULL;
}

static const char *repeat(struct repeated *values)
{
	if (values->count == READER_REPEAT_MAX)
		return "an option can be given 64 times: too many with";
	values->list[values->count++] = optarg;
	return NULL;
}

/* What is wrong with the value; NULL: nothing. */
static const char *set(struct reader *reader, int letter)
{
	switch (letter) {
	case LETTER_JSON: reader->json = true; return NULL;
	case 'o':
		reader->to_stdout = strcmp(optarg, "-") == 0;
		reader->output = reader->to_stdout ? NULL : optarg;
		return NULL;
	case 'n': reader->rows_given = true; return parse_rows(optarg, &reader->view.row_max);
	case LETTER_COLOUR: reader->colour = optarg; return NULL;
	case LETTER_ORDER: reader->order = optarg; return NULL;
	case LETTER_FILTER: reader->filter = optarg; return NULL;
	case LETTER_ALL: reader->view.all = true; return NULL;
	case LETTER_OLDER: reader->older_than = optarg; return NULL;
	case LETTER_THRESHOLDS: reader->thresholds = optarg; return NULL;
	case LETTER_SVG: reader->svg = optarg; return NULL;
	case 'f': reader->overwrite = true; return NULL;
	case LETTER_STACKS: reader->stacks = true; return NULL;
	case LETTER_BOTTOM_UP: reader->bottom_up = true; return NULL;
	case LETTER_TOP_DOWN: reader->top_down = true; return NULL;
	case LETTER_MIN: reader->min = optarg; return NULL;
	case LETTER_THREAD: reader->thread = optarg; return NULL;
	case LETTER_NO_SYMBOLS: reader->no_symbols = true; return NULL;
	case LETTER_OF: reader->of = optarg; return NULL;
	case LETTER_COLLAPSED: reader->collapsed = true; return NULL;
	case LETTER_SKIP: return repeat(&reader->skips);
	case LETTER_SUPPRESSIONS: return repeat(&reader->suppressions);
	case LETTER_NO_DEFAULTS: reader->no_defaults = true; return NULL;
	case LETTER_ERROR_EXITCODE: reader->error_exitcode = optarg; return NULL;
	case LETTER_BLOCKS: reader->blocks = true; return NULL;
	case LETTER_LINES: reader->lines = true; return NULL;
	case 'v': reader->verbose = true; return NULL;
	case LETTER_FORMAT: reader->format = optarg; return NULL;
	case LETTER_ADVICE: reader->advice = true; return NULL;
	case LETTER_SITE: reader->site = optarg; return NULL;
	case LETTER_FULL_NAMES: reader->full_names = true; return NULL;
	case LETTER_FREE: reader->free = optarg; return NULL;
	case LETTER_AT: reader->at = optarg; return NULL;
	case LETTER_TIMELINE: reader->timeline = optarg; return NULL;
	case LETTER_DEBUGINFOD: reader->debuginfod = true; return NULL;
	case LETTER_BY: reader->by = optarg; return NULL;
	case LETTER_PNG: reader->png = optarg; return NULL;
	case LETTER_SCALE: reader->scale = optarg; return NULL;
	case LETTER_WIDTH: reader->width = optarg; return NULL;
	case LETTER_INHERITED: reader->inherited = true; return NULL;
	default: reader->dry_run = true; return NULL;
	}
}

/* "--josn": which option of this command is nearest? */
static int unknown_option(const char *command, char *const *argv,
			  const struct reader_accepts *accepts)
{
	const char *words[sizeof options / sizeof *options];
	size_t count = 0;

	for (const struct option *option = options; option->name; option++)
		if (is_accepted(option->val, accepts))
			words[count++] = option->name;
	return command_unknown_option(command, argv, words, count);
}

static int take_operand(int argc, char **argv, const struct reader_accepts *accepts,
			struct reader *reader)
{
	int most = accepts->pair ? 2 : accepts->operand;

	if (optind + most < argc && !most)
		return command_usage_error(accepts->command, "takes no argument, not '%s'",
					   argv[optind]);
	if (optind + most < argc)
		return command_usage_error(accepts->command, "%s at a time: '%s' is too many",
					   accepts->pair ? "two" : "one", argv[optind + most]);
	if (accepts->pair && optind + most > argc)
		return command_usage_error(
			accepts->command, "takes two recordings: what was before, and what is now");
	reader->operand = optind < argc ? argv[optind] : NULL;
	reader->other = accepts->pair ? argv[optind + 1] : NULL;
	return GO_ON;
}

/* The library does not take such a directory: its segments are where they are by default. */
static void adopt_directory(void)
{
	struct settings_fault fault[FAULT_COUNT_MAX];
	const char *text = getenv("POOLMEM");
	size_t count = text ? settings_faults(text, fault, FAULT_COUNT_MAX) : 0;

	for (size_t i = 0; i < count && i < FAULT_COUNT_MAX; i++)
		if (fault[i].key && strcmp(fault[i].key, "dir") == 0)
			say("%s", fault[i].text);
	settings_adopt();
}

/* A capture, perhaps the one that a report is made of, is not overwritten. */
static bool is_no_capture(const char *path, struct failure *why)
{
	char magic[sizeof PM_MAGIC - 1] = "";
	struct stat status;
	int file;

	if (stat(path, &status) || !S_ISREG(status.st_mode) ||
	    (file = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return true;
	bool is_whole = read(file, magic, sizeof magic) == (ssize_t)sizeof magic;
	close(file);
	if (!is_whole || (memcmp(magic, PM_MAGIC, sizeof magic) != 0 &&
			  memcmp(magic, PM_CAPTURE_MAGIC, sizeof magic) != 0))
		return true;
	return fail(why, FAILURE_WRITE, "%s is a capture or a segment: write to another file", path);
}

/* What is no file is written as it is. */
static bool is_free(const struct reader *reader, const char *path, struct failure *why)
{
	return !path || (is_no_capture(path, why) && may_replace(path, reader->overwrite, why));
}

static bool may_write(const struct reader *reader, const struct reader_accepts *accepts,
		      struct failure *why)
{
	return accepts->packs ||
	       (is_free(reader, reader->output, why) && is_free(reader, reader->svg, why) &&
		is_free(reader, reader->png, why) && is_free(reader, reader->timeline, why));
}

int reader_parse(int argc, char **argv, const struct reader_accepts *accepts, struct reader *ret)
{
	struct reader reader = {.view.row_max = ROWS_DEFAULT};
	int letter;

	signal(SIGXFSZ,
	       SIG_IGN); /* a message or a report over `ulimit -f` is an error to tell (F39) */
	optind = 1;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":o:n:fv", options, NULL)) != -1) {
		if (letter == ':')
			return command_usage_error(accepts->command, "'%s' needs a value",
						   argv[optind - 1]);
		if (letter == '?')
			return unknown_option(accepts->command, argv, accepts);
		if (!is_accepted(letter, accepts))
			return command_usage_error(accepts->command, "there is no option '--%s'",
						   name_of(letter));
		const char *wrong = set(&reader, letter);
		if (wrong)
			return command_usage_error(accepts->command, "%s '%s'", wrong, optarg);
	}
	if ((reader.json || accepts->exports) && !reader.rows_given)
		reader.view.row_max = 0;
	struct failure why;
	bool colour;
	if (!colour_wanted(reader.colour, STDOUT_FILENO, &colour, &why))
		return command_usage_error(accepts->command, "%s", why.text);
	int code = take_operand(argc, argv, accepts, &reader);
	if (code != GO_ON)
		return code;
	if (!may_write(&reader, accepts, &why))
		return failure_report(&why);
	adopt_directory();
	*ret = reader;
	return GO_ON;
}

bool reader_share(const char *text, double *ret)
{
	char *end;
	double percent = strtod(text, &end);

	if (end == text || (*end && strcmp(end, "%") != 0) || !(percent >= 0 && percent <= 100))
		return false;
	*ret = percent / 100;
	return true;
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
