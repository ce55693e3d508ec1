/* SPDX-License-Identifier: MIT */
/* export_database.h: an SQLite database in memory, filled table by table. */
#ifndef POOLMEM_RENDER_EXPORT_DATABASE_H
#define POOLMEM_RENDER_EXPORT_DATABASE_H

#include "render/export.h"
#include "text/intern.h"

#include <sqlite3.h>

struct database {
	const struct export *export; /* what it is made of */
	struct interned frames;      /* those that have a row */
	sqlite3 *connection;
	sqlite3_stmt *insert;
	int column, error; /* the first error; SQLITE_OK: none so far */
};

/* Remembers the first code that is an error. */
void database_note(struct database *database, int code);

/* Between these two rows of one table are put, cell by cell. */
void begin_table(struct database *database, const char *table, size_t columns);
void end_table(struct database *database);

void put_number(struct database *database, int64_t number);
void put_null(struct database *database);
void put_text(struct database *database, const char *text); /* NULL: null */
void put_taken(struct database *database, char *text);      /* frees it */
void end_row(struct database *database);

#endif
