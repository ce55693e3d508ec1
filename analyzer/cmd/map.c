/* SPDX-License-Identifier: MIT */
/* map.c: `poolmem map`: a picture of arenas and pools. */
#include "render/map.h"

#include "cmd/command.h"
#include "cmd/reader.h"
#include "cmd/recorded.h"
#include "launch/inspect.h"
#include "text/allocate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_MIN = 40, WIDTH_MAX = 1000 };

static const struct command_option options[] = {
	{"--by KEY", "what pools are coloured by: occupancy (the default), class, owner, age"},
	{"--sort KEY",
	 "of arenas: address (the default); occupancy: those with emptiest pools first"},
	{"-n, --rows ARENAS", "so many arenas, in that order; 0: all (the default)"},
	{"--filter REGEX",
	 "processes whose program or arguments match; class:REGEX, thread:REGEX: pools"},
	MOMENT_HELP,
	{"--scale UNITS", "units in a cell (by default as many as the picture has room for)"},
	{"--inherited", "of a forked child also the arenas that it has from its parent"},
	{"--all", "a map for each process"},
	{"--svg FILE", "the map as a picture that says what each cell is"},
	{"--png FILE", "the map as a picture of pixels"},
	READER_FORCE_HELP,
	{"--json", "for machines: each unit of each arena"},
	{"-o, --output FILE", "write there; the file appears when it is whole"},
	{"--width COLUMNS", "of the text (those of the terminal, at most 80, by default)"},
	{"--color WHEN", "auto, always or never"},
	{NULL, NULL},
};

const struct command_help help_map = {
	.usage = "map [options] [FILE|PID|last]",
	.purpose = "Draws the heap unit by unit: how full its pools are, where large blocks lie, what is\n"
		   "free, and of that what was written to and not given back. FILE is a capture or a\n"
		   "segment; PID a process that runs or ran under libpoolmem.so; last (the default) the\n"
		   "newest of all.",
	.options = options,
	.examples =
		{
			{"poolmem map", "the newest run or segment"},
			{"poolmem map --by class --svg map.svg $(pidof redis-server)",
			 "which size of block lies where in a program that runs, and as a picture"},
			{"poolmem map --sort occupancy -n 10 server.pm",
			 "the ten arenas whose pools are emptiest"},
		},
};

/* What was asked for besides the query. */
struct wish {
	struct map_query query;
	uint64_t scale;
	size_t columns;
};

/* --- which maps --------------------------------------------------------------------------------------------- */

static void sheet_free(struct map_sheet *sheet, struct map *maps)
{
	for (size_t i = 0; i < sheet->known_count; i++)
		map_free(&maps[i]);
	free(maps);
	free(sheet->processes);
}

/* Whether there is anything in it of what was asked for. */
static bool is_wanted(const struct map *map, const struct map_query *query)
{
	if (query->by == MAP_BY_AGE && !map->knows_ages)
		return false;
	return map->arena_count && (!map_query_is_filtered(query) || map->units[MAP_POOL] ||
				    map->units[MAP_LARGE] || map->units[MAP_HUGE]);
}

/* Of those that are wanted, in the order of the study.  ret_has_any: some process has a map, wanted or not. */
static struct map *sheet_make(const struct study *study, const struct wish *wish, bool all,
			      struct map_sheet *ret, bool *ret_has_any)
{
	struct map *maps = allocate(study->process_count, sizeof *maps);
	struct map_sheet sheet = {.study = study,
				  .maps = maps,
				  .processes = allocate(study->process_count, sizeof(void *)),
				  .scale = wish->scale,
				  .columns = wish->columns};

	*ret_has_any = false;
	for (size_t i = 0; i < study->process_count; i++) {
		struct map *map = &maps[sheet.known_count];
		map_make(study->recording, study->ranked[i]->process, &wish->query, map);
		*ret_has_any |= map->arena_count != 0;
		if (is_wanted(map, &wish->query))
			sheet.processes[sheet.known_count++] = study->ranked[i];
		else
			map_free(map);
	}
	sheet.count = all || !sheet.known_count ? sheet.known_count : 1;
	*ret = sheet;
	return maps;
}

static bool fits(const struct map_sheet *sheet, struct failure *why)
{
	for (size_t i = 0; sheet->scale && i < sheet->count; i++)
		if (map_cell_count(&sheet->maps[i], sheet->scale) > MAP_CELLS_MAX)
			return fail(why, FAILURE_USAGE,
				    "--scale %llu makes more than %d cells of this heap: give a "
				    "larger one",
				    (unsigned long long)sheet->scale, MAP_CELLS_MAX);
	return true;
}

static bool explain(const struct study *study, const struct map_query *query, bool has_any,
		    struct failure *why)
{
	if (!study->recording->process_count)
		return fail(why, FAILURE_NOTHING,
			    "no process loaded libpoolmem.so: there is no map");
	if (recording_has_note(study->recording, PM_NOTE_NEXT))
		return fail(why, FAILURE_NOTHING,
			    "no map: another allocator served the memory (heap=next)");
	if (!has_any)
		return fail(why, FAILURE_NOTHING,
			    "no map: arenas and pools are published at exit() and at the end of an "
			    "epoch, and that was not reached");
	if (query->by != MAP_BY_AGE)
		return fail(why, FAILURE_NOTHING, "no pool matches the filter");
	return fail(why, FAILURE_NOTHING,
		    "how old blocks are was not noted%s: record with poolmem run --frag, or "
		    "POOLMEM=frag=exit",
		    map_query_is_filtered(query) ? " of pools that match the filter" : "");
}

/* --- forms -------------------------------------------------------------------------------------------------- */

static bool print(const struct map_sheet *sheet, const struct reader *reader, struct failure *why)
{
	struct sink sink;

	if (!reader_open_sink(reader, &sink, why))
		return false;
	if (reader->json)
		map_json(sheet, &sink);
	else
		map_text(sheet, &sink);
	return sink_close(&sink, why);
}

static bool draw_svg(const struct map_sheet *sheet, const char *path, struct failure *why)
{
	struct sink sink;

	if (!sink_open(&sink, path, why))
		return false;
	map_svg(sheet, &sink);
	return sink_close(&sink, why);
}

static bool draw_png(const struct map_sheet *sheet, const char *path, struct failure *why)
{
	unsigned char *picture;
	size_t bytes;
	struct sink sink;

	if (!map_png(sheet, &picture, &bytes, why))
		return false;
	bool opened = sink_open(&sink, path, why);
	if (opened)
		sink_bytes(&sink, (const char *)picture, bytes);
	free(picture);
	return opened && sink_close(&sink, why);
}

static bool show(const struct study *study, const struct wish *wish, const struct reader *reader,
		 struct failure *why)
{
	bool has_any, is_whole = reader->view.all || reader->json;
	struct map_sheet sheet;
	struct map *maps = sheet_make(study, wish, is_whole, &sheet, &has_any);
	bool shown = (sheet.known_count || explain(study, &wish->query, has_any, why)) &&
		     fits(&sheet, why) && print(&sheet, reader, why) &&
		     (!reader->svg || draw_svg(&sheet, reader->svg, why)) &&
		     (!reader->png || draw_png(&sheet, reader->png, why));

	sheet_free(&sheet, maps);
	return shown;
}

static bool read_and_show(const struct reader *reader, const struct wish *wish, struct failure *why)
{
	struct recording recording;
	struct study study;

	if (!recorded_read(reader->operand, &recording, why))
		return false;
	inspect_running(&recording, wish->query.moment);
	study_make(&recording, &wish->query.query, &study);
	bool done = study_found(&study, why) && show(&study, wish, reader, why);
	study_free(&study);
	recording_free(&recording);
	return done;
}

/* --- the command line --------------------------------------------------------------------------------------- */

static bool parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret)
{
	char *end;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || end == text || *end || strchr(text, '-') || value < least || value > most)
		return false;
	*ret = value;
	return true;
}

static int check(const struct reader *reader, struct wish *wish)
{
	uint64_t columns = 0;

	if ((reader->svg && strcmp(reader->svg, "-") == 0) ||
	    (reader->png && strcmp(reader->png, "-") == 0))
		return command_usage_error("map", "--svg and --png take a file, not '-'");
	if (reader->scale && !parse_number(reader->scale, 1, UINT64_C(1) << 40, &wish->scale))
		return command_usage_error("map", "--scale takes a number of units, not '%s'",
					   reader->scale);
	if (reader->width && !parse_number(reader->width, WIDTH_MIN, WIDTH_MAX, &columns))
		return command_usage_error("map", "--width takes a number from %d to %d, not '%s'",
					   WIDTH_MIN, WIDTH_MAX, reader->width);
	if (reader->at && !moment_parse(reader->at, &wish->query.moment))
		return command_usage_error("map", "--at is end, peak or live-peak, not '%s'",
					   reader->at);
	wish->columns = columns;
	return EXIT_DONE;
}

int cmd_map(int argc, char **argv)
{
	static const struct reader_accepts accepts = {.command = "map",
						      .order = true,
						      .filter = true,
						      .all = true,
						      .pictures = true,
						      .maps = true,
						      .operand = true};
	struct failure why = {FAILURE_NONE, ""};
	struct reader reader;
	struct wish wish = {.scale = 0};
	int code = reader_parse(argc, argv, &accepts, &reader);

	if (code >= 0)
		return code;
	if (!map_query_open(&wish.query, reader.filter, reader.by, reader.order, &why))
		return command_usage_error("map", "%s", why.text);
	if ((code = check(&reader, &wish)) != EXIT_DONE) {
		map_query_close(&wish.query);
		return code;
	}
	wish.query.inherited = reader.inherited;
	wish.query.arena_max = reader.rows_given ? reader.view.row_max : 0;
	read_and_show(&reader, &wish, &why);
	map_query_close(&wish.query);
	return failure_report(&why);
}
