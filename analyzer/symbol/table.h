/* SPDX-License-Identifier: MIT */
/* table.h: functions by the symbols of an ELF file: a name and a range, no lines. */
#ifndef POOLMEM_SYMBOL_TABLE_H
#define POOLMEM_SYMBOL_TABLE_H

#include "symbol/binary.h"
#include "symbol/name.h"
#include "symbol/spans.h"

struct table {
	struct spans spans;
	const char **names; /* of the file, NUL behind; live as long as it is open */
	size_t count, room;
	bool is_whole; /* static functions are in it */
};

/* From the first of both that has its .symtab, else from .dynsym.  separate: may be NULL. */
void table_read(struct table *table, const struct binary *binary, const struct binary *separate);

/* As the file has it; NULL: unknown. */
const char *table_at(const struct table *table, uint64_t address);
void table_free(struct table *table);

#endif
