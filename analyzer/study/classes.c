/* SPDX-License-Identifier: MIT */
/* classes.c: see classes.h. */
#include "study/classes.h"

#include "model/saturate.h"
#include "text/allocate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct class_row class_row_of(const struct pm_class *size_class)
{
	struct class_row row = {
		.kind = size_class->kind,
		.block_bytes = size_class->block_bytes,
		.request_max = size_class->request_max,
	};

	if (size_class->kind != PM_CLASS_POOL)
		snprintf(row.name, sizeof row.name, "large");
	else
		snprintf(row.name, sizeof row.name, "%u",
			 size_class->request_max ? size_class->block_bytes : 0);
	if (row.kind == PM_CLASS_LARGE_BYTES)
		row.kind = PM_CLASS_LARGE;
	return row;
}

static uint64_t deaths_in_first_epoch(const struct process *process, const struct class_count *count)
{
	uint64_t deaths = 0;
	for (uint32_t age = 0; age < process->layout->age_count; age++)
		if (process->layout->ages[age].age_max == 0)
			deaths = sum(deaths, count->freed_at[age]);
	return deaths;
}

static void fill_flow(struct class_row *row, const struct process *process, uint32_t size_class,
		      uint64_t unit)
{
	if (!process->survivors)
		return;
	struct flow flow = flow_of_class(process, size_class);
	flow_add(&row->flow_bytes, &flow, unit);
	if (process->layout->classes[size_class].kind != PM_CLASS_LARGE_BYTES)
		row->flow = flow;
}

static void fill_row(struct class_row *row, const struct process *process, uint32_t size_class)
{
	const struct class_count *count = &process->classes[size_class];
	bool counts_bytes = process->layout->classes[size_class].kind == PM_CLASS_LARGE_BYTES;
	uint64_t unit = counts_bytes ? 1 : row->block_bytes;

	row->allocated_bytes = product(count->allocated, unit);
	row->freed_bytes = product(count->freed, unit);
	row->kept_bytes = excess(row->allocated_bytes, row->freed_bytes);
	uint64_t young = process_has_ages(process) ? deaths_in_first_epoch(process, count) : 0;
	row->died_young_bytes = product(young, unit);
	fill_flow(row, process, size_class, unit);
	if (counts_bytes)
		return;
	row->allocated = count->allocated;
	row->freed = count->freed;
	row->kept = excess(row->allocated, row->freed);
	row->died_young = young;
	row->aged = process_has_ages(process) ? count->freed : 0;
}

struct class_row class_row_for(const struct process *process, uint32_t size_class)
{
	struct class_row row = class_row_of(&process->layout->classes[size_class]);

	fill_row(&row, process, size_class);
	return row;
}

uint64_t class_live_most(const struct process *process, uint32_t size_class)
{
	const struct class_count *count = &process->classes[size_class];

	return process->kind == PROCESS_FORK || process->kind == PROCESS_DEPARTED
		       ? count->allocated
		       : excess(count->allocated, count->freed);
}

uint64_t class_live_bytes_most(const struct process *process, uint32_t size_class)
{
	const struct pm_class *of = &process->layout->classes[size_class];
	bool has_bytes = size_class + 1 < process->layout->class_count &&
			 of[1].kind == PM_CLASS_LARGE_BYTES;

	if (of->kind == PM_CLASS_LARGE)
		return has_bytes ? class_live_most(process, size_class + 1) : FIGURE_MAX;
	return product(class_live_most(process, size_class), of->block_bytes);
}

static void merge(struct class_row *into, const struct class_row *row)
{
	into->allocated = sum(into->allocated, row->allocated);
	into->freed = sum(into->freed, row->freed);
	into->allocated_bytes = sum(into->allocated_bytes, row->allocated_bytes);
	into->freed_bytes = sum(into->freed_bytes, row->freed_bytes);
	into->aged = sum(into->aged, row->aged);
	into->died_young = sum(into->died_young, row->died_young);
	into->died_young_bytes = sum(into->died_young_bytes, row->died_young_bytes);
	flow_add(&into->flow, &row->flow, 1);
	flow_add(&into->flow_bytes, &row->flow_bytes, 1);
	into->kept = sum(into->kept, row->kept);
	into->kept_bytes = sum(into->kept_bytes, row->kept_bytes);
}

/* LARGE behind all pools; malloc(0) first. */
static int by_size(const void *left, const void *right)
{
	const struct class_row *a = left, *b = right;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->block_bytes != b->block_bytes)
		return a->block_bytes < b->block_bytes ? -1 : 1;
	return (a->request_max > b->request_max) - (a->request_max < b->request_max);
}

static int descending(uint64_t a, uint64_t b, const void *left, const void *right)
{
	return a != b ? (a < b ? 1 : -1) : by_size(left, right);
}

static int by_allocated(const void *left, const void *right)
{
	const struct class_row *a = left, *b = right;
	return descending(a->allocated, b->allocated, a, b);
}

static int by_freed(const void *left, const void *right)
{
	const struct class_row *a = left, *b = right;
	return descending(a->freed, b->freed, a, b);
}

static int signed_descending(int64_t a, int64_t b, const void *left, const void *right)
{
	return a != b ? (a < b ? 1 : -1) : by_size(left, right);
}

static int by_live(const void *left, const void *right)
{
	return signed_descending(class_net_blocks(left), class_net_blocks(right), left, right);
}

static int by_bytes(const void *left, const void *right)
{
	return signed_descending(class_net_bytes(left), class_net_bytes(right), left, right);
}

static int by_old(const void *left, const void *right)
{
	const struct class_row *a = left, *b = right;
	return descending(a->flow.entered[2], b->flow.entered[2], a, b);
}

static int by_young(const void *left, const void *right)
{
	const struct class_row *a = left, *b = right;
	return descending(a->died_young, b->died_young, a, b);
}

int64_t class_net_blocks(const struct class_row *row)
{
	return (int64_t)row->allocated - (int64_t)row->freed;
}

int64_t class_net_bytes(const struct class_row *row)
{
	return (int64_t)row->allocated_bytes - (int64_t)row->freed_bytes;
}

/* Rows of one size next to each other become one; unused ones go. */
static void merge_rows(struct class_table *table)
{
	size_t kept = 0;

	qsort(table->rows, table->count, sizeof *table->rows, by_size);
	for (size_t i = 0; i < table->count; i++) {
		struct class_row *row = &table->rows[i];
		if (kept && by_size(&table->rows[kept - 1], row) == 0)
			merge(&table->rows[kept - 1], row);
		else
			table->rows[kept++] = *row;
	}
	table->count = kept;
}

void classes_add(struct class_table *table, const struct process *process)
{
	uint32_t class_count = process->layout->class_count;
	size_t room = table->count + class_count;
	struct class_row *rows = allocate(room, sizeof *rows);

	if (table->count)
		memcpy(rows, table->rows, table->count * sizeof *rows);
	free(table->rows);
	table->rows = rows;
	for (uint32_t c = 0; c < class_count; c++) {
		if (!process->classes[c].allocated && !process->classes[c].freed)
			continue;
		rows[table->count++] = class_row_for(process, c);
	}
	merge_rows(table);
	table->flows_unknown += !process->survivors;
	table->has_inherited |= process->record.inherited_blocks != 0 ||
				process->kind == PROCESS_DEPARTED;
}

/* Keeps the rows with most bytes in generation 2, in their order. */
static void note_lasting(struct class_table *table, const struct class_row *row)
{
	size_t at = table->lasting_count;

	if (!row->flow_bytes.live[2])
		return;
	while (at && row->flow_bytes.live[2] > table->lasting[at - 1].flow_bytes.live[2])
		at--;
	if (at == LASTING_MAX)
		return;
	if (table->lasting_count < LASTING_MAX)
		table->lasting_count++;
	memmove(&table->lasting[at + 1], &table->lasting[at],
		(table->lasting_count - at - 1) * sizeof *row);
	table->lasting[at] = *row;
}

void classes_finish(struct class_table *table, const struct query *query)
{
	static int (*const order[])(const void *, const void *) = {
		[ORDER_ALLOCATED] = by_allocated, [ORDER_FREED] = by_freed, [ORDER_LIVE] = by_live,
		[ORDER_BYTES] = by_bytes,         [ORDER_SIZE] = by_size,   [ORDER_OLD] = by_old,
		[ORDER_YOUNG] = by_young,
	};
	size_t kept = 0;

	strcpy(table->all.name, "all");
	table->used_count = table->count;
	for (size_t i = 0; i < table->count; i++) {
		merge(&table->all, &table->rows[i]);
		if (table->rows[i].allocated > table->busiest.allocated)
			table->busiest = table->rows[i];
		if (table->rows[i].died_young > table->youngest.died_young)
			table->youngest = table->rows[i];
		if (table->rows[i].flow.entered[2] > table->oldest.flow.entered[2])
			table->oldest = table->rows[i];
		note_lasting(table, &table->rows[i]);
		if (query_wants_class(query, table->rows[i].name))
			table->rows[kept++] = table->rows[i];
	}
	table->count = kept;
	if (kept)
		qsort(table->rows, kept, sizeof *table->rows, order[query->order]);
}

void classes_free(struct class_table *table)
{
	free(table->rows);
}
