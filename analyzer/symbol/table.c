/* SPDX-License-Identifier: MIT */
/* table.c: see table.h. */
#include "symbol/table.h"

#include "text/allocate.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

struct symbol {
	uint64_t first, bytes;
	uint64_t behind; /* where its section ends: it is no longer than that */
	const char *name;
	unsigned rank; /* of names for one address the highest is shown */
};

struct symbols_read {
	struct symbol *list;
	size_t count, room;
};

static Elf_Scn *section_of(Elf *elf, GElf_Word type, GElf_Shdr *ret)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, ret) && ret->sh_type == type && ret->sh_entsize)
			return section;
	return NULL;
}

/* Who is called from elsewhere has the better known name; and underscores are for internals. */
static unsigned rank_of(const GElf_Sym *symbol, const char *name)
{
	unsigned binding = GELF_ST_BIND(symbol->st_info);

	return (symbol->st_size ? 8 : 0) +
	       (binding == STB_GLOBAL  ? 4
		: binding == STB_WEAK  ? 4
		: binding == STB_LOCAL ? 0
				       : 2) +
	       (name[0] == '_' ? name[1] == 'Z' || name[1] == 'R' : 2);
}

static bool is_function(const GElf_Sym *symbol, const char *name)
{
	unsigned type = GELF_ST_TYPE(symbol->st_info);

	return name && *name && *name != '$' && symbol->st_shndx != SHN_UNDEF &&
	       (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

static bool is_code(Elf *elf, GElf_Word section, uint64_t address, uint64_t *ret_behind)
{
	GElf_Shdr header;

	if (!gelf_getshdr(elf_getscn(elf, section), &header) || !(header.sh_flags & SHF_EXECINSTR))
		return false;
	*ret_behind = header.sh_addr + header.sh_size;
	return address >= header.sh_addr && address < *ret_behind;
}

static void read_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
			 struct symbols_read *read)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = data ? data->d_size / header->sh_entsize : 0;
	GElf_Sym symbol;
	uint64_t behind;

	for (size_t i = 0; i < count && i < INT32_MAX && gelf_getsym(data, (int)i, &symbol); i++) {
		const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
		if (!is_function(&symbol, name) ||
		    !is_code(elf, symbol.st_shndx, symbol.st_value, &behind))
			continue;
		read->list = allocate_more(read->list, read->count, &read->room, sizeof *read->list);
		read->list[read->count++] = (struct symbol){symbol.st_value, symbol.st_size, behind,
							    name, rank_of(&symbol, name)};
	}
}

static int by_address(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return -strcmp(a->name, b->name);
}

/* A symbol without a size reaches to the next one. */
static uint64_t end_of(const struct symbols_read *read, size_t i)
{
	const struct symbol *symbol = &read->list[i];
	size_t next = i + 1;

	if (symbol->bytes)
		return symbol->bytes < symbol->behind - symbol->first ? symbol->first + symbol->bytes
								      : symbol->behind;
	while (next < read->count && read->list[next].first == symbol->first)
		next++;
	return next < read->count && read->list[next].first < symbol->behind ? read->list[next].first
									     : symbol->behind;
}

/* One name for each address, the last of its symbols; a label inside a function is not a function. */
static void keep(struct table *table, const struct symbols_read *read)
{
	uint64_t covered = 0;

	for (size_t i = 0; i < read->count; i++) {
		const struct symbol *symbol = &read->list[i];
		if (i + 1 < read->count && read->list[i + 1].first == symbol->first)
			continue;
		if (!symbol->bytes && symbol->first < covered)
			continue;
		uint64_t end = end_of(read, i);
		if (symbol->bytes && end > covered)
			covered = end;
		table->names = allocate_more(table->names, table->count, &table->room,
					     sizeof *table->names);
		table->names[table->count] = symbol->name;
		spans_add(&table->spans, symbol->first, end, (uint32_t)table->count++);
	}
	spans_sort(&table->spans);
}

static bool read_type(const struct binary *binary, GElf_Word type, struct symbols_read *read)
{
	GElf_Shdr header;
	Elf_Scn *section = binary ? section_of(binary->elf, type, &header) : NULL;

	if (section)
		read_symbols(binary->elf, section, &header, read);
	return read->count;
}

void table_read(struct table *table, const struct binary *binary, const struct binary *separate)
{
	struct symbols_read read = {0};

	table->is_whole = read_type(binary, SHT_SYMTAB, &read) ||
			  read_type(separate, SHT_SYMTAB, &read);
	if (!table->is_whole)
		read_type(binary, SHT_DYNSYM, &read);
	if (read.count)
		qsort(read.list, read.count, sizeof *read.list, by_address);
	keep(table, &read);
	free(read.list);
}

const char *table_at(const struct table *table, uint64_t address)
{
	uint32_t item;
	return spans_at(&table->spans, address, &item) ? table->names[item] : NULL;
}

void table_free(struct table *table)
{
	spans_free(&table->spans);
	free(table->names);
	*table = (struct table){0};
}
