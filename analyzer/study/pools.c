/* SPDX-License-Identifier: MIT */
/* pools.c: see pools.h. */
#include "study/pools.h"

#include "model/saturate.h"
#include "study/classes.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

static void merge(struct pool_row *into, const struct pool_row *row)
{
	into->pools = sum(into->pools, row->pools);
	into->capacity = sum(into->capacity, row->capacity);
	into->live = sum(into->live, row->live);
	into->bytes = sum(into->bytes, row->bytes);
	into->touched_bytes = sum(into->touched_bytes, row->touched_bytes);
	into->live_bytes = sum(into->live_bytes, row->live_bytes);
}

static struct pool_row row_of(const struct process *process, const struct pool *pool)
{
	uint64_t page_bytes = process->layout->page_bytes;
	struct class_row named = class_row_of(&process->layout->classes[pool->size_class]);
	struct pool_row row = {
		.block_bytes = named.block_bytes,
		.pools = 1,
		.capacity = pool->capacity,
		.live = pool->live,
		.bytes = pool->pages * page_bytes,
		.touched_bytes = pool->touched_pages * page_bytes,
		.live_bytes = product(pool->live, named.block_bytes),
	};
	memcpy(row.name, named.name, sizeof row.name);
	return row;
}

/* A row for each class that has pools, in the order of the class table. */
static struct pool_row *rows_by_class(const struct process *process,
				      const struct inheritance *inheritance)
{
	struct pool_row *rows = allocate(process->layout->class_count, sizeof *rows);

	for (size_t i = 0; i < process->pool_count; i++) {
		const struct pool *pool = &process->pools[i];
		if (pool->state != PM_POOL_LIVE ||
		    is_inherited_arena(inheritance, &process->arenas[pool->arena]))
			continue;
		struct pool_row one = row_of(process, pool);
		struct pool_row *row = &rows[pool->size_class];
		if (row->pools)
			merge(row, &one);
		else
			*row = one;
	}
	return rows;
}

static int by_size(const void *left, const void *right)
{
	const struct pool_row *a = left, *b = right;
	if (a->block_bytes != b->block_bytes)
		return a->block_bytes < b->block_bytes ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void merge_rows(struct pool_table *table)
{
	size_t kept = 0;

	if (table->count)
		qsort(table->rows, table->count, sizeof *table->rows, by_size);
	for (size_t i = 0; i < table->count; i++) {
		struct pool_row *row = &table->rows[i];
		if (kept && by_size(&table->rows[kept - 1], row) == 0)
			merge(&table->rows[kept - 1], row);
		else
			table->rows[kept++] = *row;
	}
	table->count = kept;
}

static void add_pool_rows(struct pool_table *table, const struct process *process,
			  const struct inheritance *inheritance)
{
	uint32_t class_count = process->layout->class_count;
	struct pool_row *more = rows_by_class(process, inheritance);
	struct pool_row *rows = allocate(table->count + class_count, sizeof *rows);

	if (table->count)
		memcpy(rows, table->rows, table->count * sizeof *rows);
	for (uint32_t c = 0; c < class_count; c++)
		if (more[c].pools)
			rows[table->count++] = more[c];
	free(more);
	free(table->rows);
	table->rows = rows;
	merge_rows(table);
}

static uint64_t units_in(uint64_t bits)
{
	return (uint64_t)__builtin_popcountll(bits);
}

/* A block with arenas of its own, or what is kept of one. */
static void add_huge(struct arena_figures *total, const struct arena *arena)
{
	total->mapped_bytes = sum(total->mapped_bytes, arena->huge_bytes);
	if (arena->is_kept) {
		total->free_bytes = sum(total->free_bytes, arena->huge_bytes);
		total->dirty_bytes = sum(total->dirty_bytes, arena->huge_bytes);
	} else {
		total->huge_blocks += arena->huge_bytes != 0;
		total->huge_bytes = sum(total->huge_bytes, arena->huge_bytes);
	}
}

static void add_arenas(struct arena_figures *total, const struct process *process,
		       const struct inheritance *inheritance)
{
	uint64_t unit_bytes = process->layout->unit_bytes;

	for (size_t i = 0; i < process->arena_count; i++) {
		const struct arena *arena = &process->arenas[i];
		if (is_inherited_arena(inheritance, arena))
			continue;
		total->arenas++;
		total->mapped_bytes = sum(total->mapped_bytes, arena->mapped_units * unit_bytes);
		total->free_bytes = sum(total->free_bytes, units_in(arena->free_units) * unit_bytes);
		total->dirty_bytes = sum(total->dirty_bytes,
					 units_in(arena->free_units & arena->dirty_units) *
						 unit_bytes);
		add_huge(total, arena);
	}
}

static void add_large(struct arena_figures *total, const struct process *process,
		      const struct inheritance *inheritance)
{
	for (size_t i = 0; i < process->pool_count; i++) {
		const struct pool *pool = &process->pools[i];
		if (pool->state != PM_POOL_LARGE ||
		    is_inherited_arena(inheritance, &process->arenas[pool->arena]))
			continue;
		total->large_blocks++;
		total->large_bytes = sum(total->large_bytes,
					 product(pool->pages, process->layout->page_bytes));
	}
}

void pools_add(struct pool_table *table, const struct process *process,
	       const struct inheritance *inheritance)
{
	add_pool_rows(table, process, inheritance);
	add_arenas(&table->arenas, process, inheritance);
	add_large(&table->arenas, process, inheritance);
}

void pools_finish(struct pool_table *table, const struct query *query)
{
	size_t kept = 0;

	strcpy(table->all.name, "all");
	table->used_count = table->count;
	for (size_t i = 0; i < table->count; i++) {
		merge(&table->all, &table->rows[i]);
		if (query_wants_class(query, table->rows[i].name))
			table->rows[kept++] = table->rows[i];
	}
	table->count = kept;
}

void pools_free(struct pool_table *table)
{
	free(table->rows);
}
