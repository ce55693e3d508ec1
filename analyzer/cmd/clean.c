/* SPDX-License-Identifier: MIT */
/*
 * clean.c: `poolmem clean`: removes segments that nobody writes to any more.  Only a lease granted
 * by the kernel counts as proof; a segment of which nothing is known stays.
 */
#include "cmd/command.h"
#include "cmd/reader.h"
#include "model/listing.h"
#include "render/json.h"
#include "text/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command_option options[] = {
	READER_OUTPUT_HELP,
	READER_FORCE_HELP,
	{"--older-than TIME", "only those created so long ago: 30s, 15m, 2h, 7d"},
	{"--all", "also those that are damaged or of a newer poolmem"},
	{"--dry-run", "say what would be removed"},
	{NULL, NULL},
};

const struct command_help help_clean = {
	.usage = "clean [options]",
	.purpose = "Removes the segments of programs that ended. Never one that is in use, and no\n"
		   "capture.",
	.options = options,
	.examples =
		{
			{"poolmem clean", "all of programs that ended"},
			{"poolmem clean --older-than 1d", "those of yesterday and before"},
			{"poolmem clean --all --dry-run", "what would go, damaged ones included"},
		},
};

static const uint64_t BLANK_FOR_NS = UINT64_C(10000000000);

struct tally {
	uint64_t removed, removed_bytes, kept, failed;
};

static bool parse_time(const char *text, uint64_t *ret_ns)
{
	static const struct {
		char unit;
		uint64_t ns;
	} units[] = {{'s', 1000000000},
		     {'m', UINT64_C(60000000000)},
		     {'h', UINT64_C(3600000000000)},
		     {'d', UINT64_C(86400000000000)}};
	char *end;

	errno = 0;
	unsigned long long count = strtoull(text, &end, 10);
	if (errno || end == text || !*end || end[1] || strchr(text, '-'))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (*end == units[i].unit)
			return !__builtin_mul_overflow(count, units[i].ns, ret_ns);
	return false;
}

static void clean_row(const struct listing *listing, const struct listing_row *row, bool dry_run,
		      struct tally *tally)
{
	if (!dry_run && unlinkat(listing->directory.fd, row->name.text, 0) != 0) {
		tally->failed++;
		return;
	}
	tally->removed++;
	tally->removed_bytes += row->allocated_bytes;
}

/* A younger one may be that of a process that is about to fill it. */
static bool is_abandoned(const struct listing_row *row)
{
	return row->is_blank && row->age_ns >= BLANK_FOR_NS;
}

static struct tally clean_all(const struct listing *listing, uint64_t age_min_ns,
			      const struct reader *reader)
{
	struct tally tally = {0};

	for (size_t i = 0; i < listing->count; i++) {
		const struct listing_row *row = &listing->rows[i];
		bool goes = row->life == LIFE_ENDED && row->age_ns >= age_min_ns &&
			    (row->is_readable || is_abandoned(row) || reader->view.all);
		if (goes)
			clean_row(listing, row, reader->dry_run, &tally);
		else
			tally.kept++;
	}
	return tally;
}

static void put_json(const struct tally *tally, struct sink *sink)
{
	json_t *document = json_object();
	json_t *metrics = json_object();

	json_put(metrics, "segments.removed", json_count(tally->removed));
	json_put(metrics, "segments.removed_bytes", json_count(tally->removed_bytes));
	json_put(metrics, "segments.kept", json_count(tally->kept));
	json_put(metrics, "segments.failed", json_count(tally->failed));
	json_put(document, "schema", json_integer(JSON_SCHEMA));
	json_put(document, "metrics", metrics);
	json_put(document, "estimated", json_object());
	json_put(document, "notes", json_array());
	json_print(document, sink);
}

static void put_text(const struct tally *tally, bool dry_run, struct sink *sink)
{
	sink_print(sink, "%s %s, %s; kept %s\n", dry_run ? "would remove" : "removed",
		   number_of(tally->removed, "segment").text,
		   number_bytes(tally->removed_bytes).text, number_count(tally->kept).text);
}

static bool clean(const struct reader *reader, uint64_t age_min_ns, struct failure *why)
{
	struct listing listing;
	struct sink sink;

	if (!listing_open(true, &listing, why))
		return false;
	struct tally tally = clean_all(&listing, age_min_ns, reader);
	listing_close(&listing);
	if (!reader_open_sink(reader, &sink, why))
		return false;
	if (reader->json)
		put_json(&tally, &sink);
	else
		put_text(&tally, reader->dry_run, &sink);
	if (!sink_close(&sink, why))
		return false;
	if (tally.failed)
		return fail(why, FAILURE_WRITE, "%s could not be removed",
			    number_count(tally.failed).text);
	return true;
}

int cmd_clean(int argc, char **argv)
{
	static const struct reader_accepts accepts = {
		.command = "clean", .all = true, .older_than = true};
	struct failure why = {FAILURE_NONE, ""};
	struct reader reader;
	uint64_t age_min_ns = 0;
	int code = reader_parse(argc, argv, &accepts, &reader);

	if (code >= 0)
		return code;
	if (reader.older_than && !parse_time(reader.older_than, &age_min_ns))
		return command_usage_error("clean",
					   "--older-than takes 30s, 15m, 2h or 7d, not '%s'",
					   reader.older_than);
	clean(&reader, age_min_ns, &why);
	return failure_report(&why);
}
