/* SPDX-License-Identifier: MIT */
/*
 * tables.h: the tables of a report.  Each prints its title; none prints anything when it has no
 * row.
 */
#ifndef POOLMEM_RENDER_TABLES_H
#define POOLMEM_RENDER_TABLES_H

#include "render/view.h"
#include "study/study.h"
#include "text/sink.h"
#include "text/table.h"

/* Of any table: its title, with how many of its rows are shown, and what a word of it means. */
void table_title(struct sink *sink, const char *text, size_t shown, size_t count);
/* Of size classes: how many of the `used` the filter left. */
void table_title_of_classes(struct sink *sink, const char *text, size_t shown, size_t count,
			    size_t used);
void table_legend(struct sink *sink, const char *text);

/* A cell with a bar of so many columns for the whole: as long as the part of it is. */
void table_cell_of_part(struct table *table, double part, double whole, size_t columns);

/* The cell that names a range of ages. */
void table_cell_of_age(struct table *table, const struct age_row *row);

/* The cell that names a size class. */
void table_cell_of_class(struct table *table, const struct class_row *row);

void table_of_classes(const struct figures *figures, const struct view *view, struct sink *sink);
void table_of_pools(const struct pool_table *pools, const struct view *view, struct sink *sink);
void table_of_generations(const struct generations *generations, struct sink *sink);
void table_of_threads(const struct process_study *process, const struct view *view,
		      struct sink *sink);
void table_of_processes(const struct study *study, const struct view *view, struct sink *sink);

#endif
