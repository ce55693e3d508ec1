/* SPDX-License-Identifier: MIT */
/* list.c: `poolmem list`: the segments of this user. */
#include "cmd/command.h"
#include "cmd/reader.h"
#include "render/listing.h"
#include "source/input.h"
#include "source/operand.h"
#include "text/allocate.h"

#include <limits.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command_option options[] = {
	READER_OUTPUT_HELP,
	READER_FORCE_HELP,
	{"--sort KEY", "age, pid, size or allocations"},
	{"--filter REGEX", "programs whose path matches"},
	{NULL, NULL},
};

const struct command_help help_list = {
	.usage = "list [options]",
	.purpose = "Shows the segments of this user: of programs that run, and those left behind.\n"
		   "Says where the newest capture of poolmem run is.",
	.options = options,
	.examples =
		{
			{"poolmem list", "newest first"},
			{"poolmem list --sort size -n 10", "the ten that take most shared memory"},
			{"poolmem list --json --filter '/java$'", "those of java, for machines"},
		},
};

static const struct listing_row *row_at(const void *element)
{
	return *(const struct listing_row *const *)element;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_age(const void *left, const void *right)
{
	return strcmp(row_at(right)->name.text, row_at(left)->name.text);
}

static int by_pid(const void *left, const void *right)
{
	int order = compare(row_at(left)->name.pid, row_at(right)->name.pid);
	return order ? order : by_age(left, right);
}

static int by_size(const void *left, const void *right)
{
	int order = compare(row_at(right)->allocated_bytes, row_at(left)->allocated_bytes);
	return order ? order : by_age(left, right);
}

static int by_allocations(const void *left, const void *right)
{
	int order = compare(row_at(right)->allocations, row_at(left)->allocations);
	return order ? order : by_age(left, right);
}

typedef int comparison(const void *, const void *);

static comparison *order_of(const char *key, struct failure *why)
{
	static const struct {
		const char *key;
		comparison *compare;
	} orders[] = {
		{"age", by_age},
		{"pid", by_pid},
		{"size", by_size},
		{"allocations", by_allocations},
	};

	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
		if (!key || strcmp(key, orders[i].key) == 0)
			return orders[i].compare;
	fail(why, FAILURE_USAGE, "--sort takes age, pid, size or allocations, not '%s'", key);
	return NULL;
}

/* The capture that the newest `poolmem run` wrote, while it is there.  Freed by the caller. */
static char *last_capture(const struct directory *directory)
{
	char path[PATH_MAX];
	struct failure ignored;
	struct input note;

	if (!input_open(directory->fd, LAST_CAPTURE_NAME, &note, &ignored))
		return NULL;
	bool read = note.bytes < sizeof path && input_read(&note, 0, path, note.bytes, &ignored);
	path[read ? note.bytes : 0] = 0;
	input_close(&note);
	path[strcspn(path, "\n")] = 0;
	return *path == '/' && access(path, F_OK) == 0 ? allocate_text(path, strlen(path)) : NULL;
}

static bool print(const struct listing_row *const *rows, size_t count, const char *last,
		  const struct reader *reader, struct failure *why)
{
	struct sink sink;

	if (!reader_open_sink(reader, &sink, why))
		return false;
	if (reader->json)
		listing_json(rows, count, last, &reader->view, &sink);
	else
		listing_text(rows, count, last, &reader->view, &sink);
	return sink_close(&sink, why);
}

static bool show(const struct listing *listing, const regex_t *filter, comparison *order,
		 const struct reader *reader, struct failure *why)
{
	const struct listing_row **rows = allocate(listing->count, sizeof(void *));
	size_t count = 0;

	for (size_t i = 0; i < listing->count; i++) {
		const char *exe = listing->rows[i].exe ? listing->rows[i].exe : "";
		if (!filter || regexec(filter, exe, 0, NULL, 0) == 0)
			rows[count++] = &listing->rows[i];
	}
	if (count)
		qsort(rows, count, sizeof(void *), order);
	char *last = last_capture(&listing->directory);
	bool shown = count || reader->json || (last && !filter)
			     ? print(rows, count, last, reader, why)
			     : fail(why, FAILURE_NOTHING,
				    filter ? "no segment in %s matches the filter"
					   : "no segments in %s, and no capture yet",
				    listing->directory.path);
	free(last);
	free(rows);
	return shown;
}

static bool list(const struct reader *reader, const regex_t *filter, comparison *order,
		 struct failure *why)
{
	struct listing listing;

	if (!listing_open(true, &listing, why))
		return false;
	bool shown = show(&listing, filter, order, reader, why);
	listing_close(&listing);
	return shown;
}

int cmd_list(int argc, char **argv)
{
	static const struct reader_accepts accepts = {
		.command = "list", .order = true, .filter = true};
	struct failure why = {FAILURE_NONE, ""};
	struct reader reader;
	regex_t filter;
	int code = reader_parse(argc, argv, &accepts, &reader);

	if (code >= 0)
		return code;
	comparison *order = order_of(reader.order, &why);
	if (!order)
		return command_usage_error("list", "%s", why.text);
	if (reader.filter && regcomp(&filter, reader.filter, REG_EXTENDED | REG_NOSUB) != 0)
		return command_usage_error("list", "--filter '%s' is no regular expression",
					   reader.filter);
	list(&reader, reader.filter ? &filter : NULL, order, &why);
	if (reader.filter)
		regfree(&filter);
	return failure_report(&why);
}
