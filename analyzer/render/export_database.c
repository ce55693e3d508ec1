/* SPDX-License-Identifier: MIT */
/* export_database.c: see export_database.h. */
#include "render/export_database.h"

#include <stdio.h>
#include <stdlib.h>

enum { COLUMN_MAX = 32, STATEMENT_BYTES = 64 + 2 * COLUMN_MAX };

_Static_assert(SITE_FIGURE_COUNT + 3 <= COLUMN_MAX, "the widest table is that of sites");

void database_note(struct database *database, int code)
{
	if (code != SQLITE_OK && code != SQLITE_DONE && database->error == SQLITE_OK)
		database->error = code;
}

void begin_table(struct database *database, const char *table, size_t columns)
{
	char text[STATEMENT_BYTES];
	int used = snprintf(text, sizeof text, "INSERT INTO %s VALUES (?", table);

	for (size_t i = 1; i < columns; i++)
		used += snprintf(text + used, sizeof text - (size_t)used, ",?");
	snprintf(text + used, sizeof text - (size_t)used, ")");
	database_note(database,
		      sqlite3_prepare_v2(database->connection, text, -1, &database->insert, NULL));
}

void end_table(struct database *database)
{
	database_note(database, sqlite3_finalize(database->insert));
	database->insert = NULL;
}

void put_number(struct database *database, int64_t number)
{
	database_note(database, sqlite3_bind_int64(database->insert, ++database->column, number));
}

void put_null(struct database *database)
{
	database_note(database, sqlite3_bind_null(database->insert, ++database->column));
}

void put_text(struct database *database, const char *text)
{
	if (!text) {
		put_null(database);
		return;
	}
	char *shown = export_text(text);
	database_note(database, sqlite3_bind_text(database->insert, ++database->column, shown, -1,
						  SQLITE_TRANSIENT));
	free(shown);
}

void put_taken(struct database *database, char *text)
{
	put_text(database, text);
	free(text);
}

void end_row(struct database *database)
{
	if (database->error == SQLITE_OK)
		database_note(database, sqlite3_step(database->insert));
	sqlite3_reset(database->insert);
	database->column = 0;
}
