/* SPDX-License-Identifier: MIT */
/*
 * export_sqlite.c: sites, stacks, processes, classes and metrics as tables of a database.
 *
 * The database is made in memory and then written as any other export is: a file that is half made is never seen.
 */
#include "render/command.h"
#include "render/export_database.h"
#include "render/sites.h"

#include <inttypes.h>
#include <stdio.h>

#define FIGURE_COLUMN(name, key, meaning) ", " key " INTEGER NOT NULL"
#define FIGURE_COLUMNS SITE_FIGURES(FIGURE_COLUMN)
static const char schema[] =
	"PRAGMA user_version = 1;"
	"BEGIN;"
	"CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);"
	"CREATE TABLE processes (id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, ppid INTEGER NOT NULL,"
	" kind TEXT NOT NULL, state TEXT NOT NULL, exe TEXT, command TEXT NOT NULL);"
	"CREATE TABLE metrics (process INTEGER REFERENCES processes, name TEXT NOT NULL,"
	" value INTEGER NOT NULL, at_least INTEGER, at_most INTEGER);"
	"CREATE TABLE classes (process INTEGER NOT NULL REFERENCES processes, class TEXT NOT NULL,"
	" block_bytes INTEGER, allocated INTEGER NOT NULL, allocated_bytes INTEGER NOT NULL,"
	" freed INTEGER NOT NULL, freed_bytes INTEGER NOT NULL, kept INTEGER NOT NULL,"
	" kept_bytes INTEGER NOT NULL, died_young INTEGER NOT NULL);"
	"CREATE TABLE frames (id INTEGER PRIMARY KEY, function TEXT, file TEXT, line INTEGER,"
	" module TEXT, build_id TEXT, address INTEGER NOT NULL, inlined INTEGER NOT NULL);"
	"CREATE TABLE sites (id INTEGER PRIMARY KEY, location TEXT NOT NULL" FIGURE_COLUMNS
	", estimated INTEGER NOT NULL);"
	"CREATE TABLE intervals (site INTEGER NOT NULL REFERENCES sites, figure TEXT NOT NULL,"
	" at_least INTEGER NOT NULL, at_most INTEGER NOT NULL, standard_error INTEGER NOT NULL);"
	"CREATE TABLE stacks (site INTEGER NOT NULL REFERENCES sites, depth INTEGER NOT NULL,"
	" frame INTEGER NOT NULL REFERENCES frames, PRIMARY KEY (site, depth)) WITHOUT ROWID;";
#undef FIGURE_COLUMNS
#undef FIGURE_COLUMN

/* --- about, processes ------------------------------------------------------------------------------------ */

static void put_about(struct database *database, const char *key, char *value)
{
	put_text(database, key);
	put_taken(database, value);
	end_row(database);
}

static void put_notes(struct database *database)
{
	const struct notes *notes = &database->export->study->total.notes;
	char key[80];

	for (size_t i = 0; i < notes->count; i++) {
		snprintf(key, sizeof key, "note.%s", notes->notes[i].key);
		put_about(database, key, export_text(notes->notes[i].text));
	}
}

static void put_abouts(struct database *database)
{
	const struct sites *sites = database->export->sites;
	char period[24];

	snprintf(period, sizeof period, "%" PRIu64, sites->period_max);
	begin_table(database, "about", 2);
	put_about(database, "program", export_text("poolmem"));
	put_about(database, "command", command_of_all(database->export->study));
	put_about(database, "sites", export_comment(sites));
	put_about(database, "period", export_text(period));
	put_notes(database);
	end_table(database);
}

static void put_processes(struct database *database)
{
	const struct study *study = database->export->study;

	begin_table(database, "processes", 7);
	for (size_t i = 0; i < study->process_count; i++) {
		const struct process *process = study->processes[i].process;
		put_number(database, (int64_t)i + 1);
		put_number(database, process->record.pid);
		put_number(database, process->record.ppid);
		put_text(database, process_kind_key(process->kind));
		put_text(database, process_state_key(process->state));
		put_text(database, facts_of(study->recording, process)->exe);
		put_taken(database, command_of(study, process));
		end_row(database);
	}
	end_table(database);
}

static void put_bound(struct database *database, const struct metric_bound *bound)
{
	if (bound->is_known)
		put_number(database, bound->at_least);
	else
		put_null(database);
	if (bound->is_known && bound->at_most != INT64_MAX)
		put_number(database, bound->at_most);
	else
		put_null(database);
}

/* process: its id; 0: of all together. */
static void put_metrics_of(struct database *database, int64_t process, const struct metrics *metrics)
{
	for (enum metric which = 0; which < METRIC_COUNT; which++) {
		if (!metrics->value[which].is_known)
			continue;
		if (process)
			put_number(database, process);
		else
			put_null(database);
		put_text(database, metric_keys[which]);
		put_number(database, metrics->value[which].value);
		put_bound(database, &metrics->bound[which]);
		end_row(database);
	}
}

static void put_metrics(struct database *database)
{
	const struct study *study = database->export->study;

	begin_table(database, "metrics", 5);
	put_metrics_of(database, 0, &study->total.metrics);
	for (size_t i = 0; i < study->process_count; i++)
		put_metrics_of(database, (int64_t)i + 1, &study->processes[i].figures.metrics);
	end_table(database);
}

static void put_class(struct database *database, int64_t process, const struct class_row *row)
{
	put_number(database, process);
	put_text(database, row->name);
	if (row->kind == PM_CLASS_POOL)
		put_number(database, row->block_bytes);
	else
		put_null(database);
	put_number(database, (int64_t)row->allocated);
	put_number(database, (int64_t)row->allocated_bytes);
	put_number(database, (int64_t)row->freed);
	put_number(database, (int64_t)row->freed_bytes);
	put_number(database, (int64_t)row->kept);
	put_number(database, (int64_t)row->kept_bytes);
	put_number(database, (int64_t)row->died_young);
	end_row(database);
}

static void put_classes(struct database *database)
{
	const struct study *study = database->export->study;

	begin_table(database, "classes", 10);
	for (size_t i = 0; i < study->process_count; i++) {
		const struct class_table *classes = &study->processes[i].figures.classes;
		for (size_t j = 0; j < classes->count; j++)
			put_class(database, (int64_t)i + 1, &classes->rows[j]);
	}
	end_table(database);
}

/* --- sites ----------------------------------------------------------------------------------------------- */

/* A place of a module, whoever called it, is one frame; each call inlined there one more. */
static int64_t frame_id(struct database *database, uint32_t number, size_t call)
{
	const struct place *place = &database->export->sites->stacks.places[number];
	char key[80];

	snprintf(key, sizeof key, "%" PRIu32 " %" PRIx64 " %zu", place->module, place->offset, call);
	return (int64_t)intern(&database->frames, key) + 1;
}

static void put_frame(struct database *database, int64_t id, uint32_t number,
		      const struct call *call)
{
	const struct stacks *stacks = &database->export->sites->stacks;
	const struct place *place = &stacks->places[number];
	const struct module *module = stacks->modules[place->module];

	put_number(database, id);
	put_text(database, call->function);
	put_text(database, call->file);
	if (call->line)
		put_number(database, call->line);
	else
		put_null(database);
	put_text(database, module ? module->path : NULL);
	put_text(database, module && *module->build_id ? module->build_id : NULL);
	put_number(database, (int64_t)place->offset);
	put_number(database, call->is_inlined);
	end_row(database);
}

static void put_frames_of(struct database *database, const struct site *site)
{
	struct stacks *stacks = &database->export->sites->stacks;

	for (uint32_t at = site->place; at; at = stacks->places[at].caller) {
		size_t count;
		const struct named_call *calls = stacks_calls(stacks, at, &count);
		for (size_t i = 0; i < count; i++) {
			size_t before = database->frames.count;
			int64_t id = frame_id(database, at, i);
			if (database->frames.count > before)
				put_frame(database, id, at, &calls[i].call);
		}
	}
}

static void put_frames(struct database *database)
{
	const struct sites *sites = database->export->sites;

	begin_table(database, "frames", 8);
	for (size_t i = 0; i < sites->count; i++)
		put_frames_of(database, &sites->list[i]);
	end_table(database);
}

static void put_sites(struct database *database)
{
	struct sites *sites = database->export->sites;

	begin_table(database, "sites", SITE_FIGURE_COUNT + 3);
	for (size_t i = 0; i < sites->count; i++) {
		const struct site_sums *sums = &sites->list[i].sums;
		put_number(database, (int64_t)i + 1);
		put_taken(database, sites_name(site_location(sites, &sites->list[i])));
		for (enum site_figure which = 0; which < SITE_FIGURE_COUNT; which++)
			put_number(database, (int64_t)export_whole(sums, which));
		put_number(database, site_is_estimated(sums, SITE_ALLOCATED));
		end_row(database);
	}
	end_table(database);
}

static void put_interval(struct database *database, int64_t site, const struct site_sums *sums,
			 enum site_figure which)
{
	struct interval interval = site_interval(sums, which);

	put_number(database, site);
	put_text(database, site_figure_keys[which]);
	put_number(database, (int64_t)sites_whole(interval.low));
	put_number(database, (int64_t)sites_whole(interval.high));
	put_number(database, (int64_t)sites_whole(site_standard_error(sums, which)));
	end_row(database);
}

static void put_intervals(struct database *database)
{
	const struct sites *sites = database->export->sites;

	begin_table(database, "intervals", 5);
	for (size_t i = 0; i < sites->count; i++)
		for (enum site_figure which = 0; which < SITE_FIGURE_COUNT; which++)
			if (site_is_estimated(&sites->list[i].sums, which))
				put_interval(database, (int64_t)i + 1, &sites->list[i].sums, which);
	end_table(database);
}

static void put_stack(struct database *database, int64_t site, uint32_t place)
{
	struct walk walk = {place, 0};

	for (int64_t depth = 0; walk.place; depth++) {
		put_number(database, site);
		put_number(database, depth);
		put_number(database, frame_id(database, walk.place, walk.call));
		end_row(database);
		walk_next(&database->export->sites->stacks, &walk);
	}
}

static void put_stacks(struct database *database)
{
	const struct sites *sites = database->export->sites;

	begin_table(database, "stacks", 3);
	for (size_t i = 0; i < sites->count; i++)
		put_stack(database, (int64_t)i + 1, sites->list[i].place);
	end_table(database);
}

/* --- the whole ------------------------------------------------------------------------------------------- */

static void run(struct database *database, const char *statements)
{
	database_note(database, sqlite3_exec(database->connection, statements, NULL, NULL, NULL));
}

static void fill(struct database *database)
{
	run(database, schema);
	put_abouts(database);
	put_processes(database);
	put_metrics(database);
	put_classes(database);
	put_frames(database);
	put_sites(database);
	put_intervals(database);
	put_stacks(database);
	run(database, "COMMIT");
}

static void write_out(struct database *database, struct sink *sink)
{
	sqlite3_int64 bytes = 0;
	unsigned char *image = sqlite3_serialize(database->connection, "main", &bytes, 0);

	if (image)
		sink_bytes(sink, (const char *)image, (size_t)bytes);
	else
		database_note(database, SQLITE_NOMEM);
	sqlite3_free(image);
}

bool export_sqlite(const struct export *export, struct sink *sink, struct failure *why)
{
	struct database database = {.export = export};

	database_note(&database, sqlite3_open(":memory:", &database.connection));
	if (database.error == SQLITE_OK)
		fill(&database);
	if (database.error == SQLITE_OK)
		write_out(&database, sink);
	sqlite3_close(database.connection);
	interned_free(&database.frames);
	return database.error == SQLITE_OK ||
	       fail(why, FAILURE_WRITE, "sqlite: %s", sqlite3_errstr(database.error));
}
