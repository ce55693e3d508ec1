/* SPDX-License-Identifier: MIT */
/*
 * names_builder.h: a NAMES section laid by hand, for tests: no compressor and nothing of the analyzer.  Its zstd frame
 * holds the tables as they are, so that a mutation of the file is one of the tables.
 */
#ifndef POOLMEM_TESTS_NAMES_BUILDER_H
#define POOLMEM_TESTS_NAMES_BUILDER_H

#include "unit/segment_builder.h"

struct names_builder {
	struct bytes texts, modules, codes, calls;
	uint32_t more_bytes; /* by which each record is longer than this version's */
};

static inline struct names_builder names_begin(uint32_t more_bytes)
{
	struct names_builder names = {.more_bytes = more_bytes};
	bytes_add(&names.texts, "", 1);
	return names;
}

static inline uint32_t names_text(struct names_builder *names, const char *text)
{
	uint32_t at = text && *text ? (uint32_t)names->texts.count : 0;
	if (at)
		bytes_add(&names->texts, text, strlen(text) + 1);
	return at;
}

/* Codes that follow are of this module. */
static inline void names_module(struct names_builder *names, struct pm_names_module module)
{
	bytes_add(&names->modules, &module, sizeof module);
	bytes_zero(&names->modules, names->more_bytes);
}

/* Calls that follow are of this code. */
static inline void names_code(struct names_builder *names, uint64_t address)
{
	size_t stride = sizeof(struct pm_names_module) + names->more_bytes;
	struct pm_names_code code = {.address = address};
	((struct pm_names_module *)(names->modules.data + names->modules.count - stride))->code_count++;
	bytes_add(&names->codes, &code, sizeof code);
	bytes_zero(&names->codes, names->more_bytes);
}

static inline void names_call(struct names_builder *names, const char *function, const char *file,
			      uint32_t line, uint32_t flags)
{
	size_t stride = sizeof(struct pm_names_code) + names->more_bytes;
	struct pm_names_call call = {names_text(names, function), names_text(names, file), line,
				     flags};
	((struct pm_names_code *)(names->codes.data + names->codes.count - stride))->call_count++;
	bytes_add(&names->calls, &call, sizeof call);
	bytes_zero(&names->calls, names->more_bytes);
}

static inline struct pm_table names_table(struct bytes *tables, const struct bytes *table,
					  uint32_t stride)
{
	struct pm_table where = {tables->count, stride, (uint32_t)(table->count / stride)};
	bytes_add(tables, table->data, table->count);
	return where;
}

/* The tables behind their index. */
static inline struct bytes names_tables(struct names_builder *names)
{
	struct bytes tables = {NULL, 0};
	struct pm_names_index index;
	uint32_t more = names->more_bytes;

	bytes_zero(&tables, sizeof index);
	index.modules = names_table(&tables, &names->modules, sizeof(struct pm_names_module) + more);
	index.codes = names_table(&tables, &names->codes, sizeof(struct pm_names_code) + more);
	index.calls = names_table(&tables, &names->calls, sizeof(struct pm_names_call) + more);
	index.texts = names_table(&tables, &names->texts, 1);
	memcpy(tables.data, &index, sizeof index);
	return tables;
}

/* The payload of a section: one block that is not compressed (RFC 8878: of at most 128 KiB). */
static inline struct bytes names_payload(const struct bytes *tables)
{
	struct pm_names opening = {.version = PM_NAMES_VERSION, .bytes = tables->count};
	uint32_t magic = UINT32_C(0xfd2fb528), count = (uint32_t)tables->count;
	uint32_t block = count << 3 | 1;
	struct bytes payload = {NULL, 0};

	bytes_add(&payload, &opening, sizeof opening);
	bytes_add(&payload, &magic, sizeof magic);
	bytes_add(&payload, "\xa0", 1); /* one segment, its size in four bytes */
	bytes_add(&payload, &count, sizeof count);
	bytes_add(&payload, &block, 3);
	bytes_add(&payload, tables->data, tables->count);
	return payload;
}

static inline void names_free(struct names_builder *names)
{
	bytes_free(&names->texts);
	bytes_free(&names->modules);
	bytes_free(&names->codes);
	bytes_free(&names->calls);
}

static inline void capture_names(struct bytes *capture, struct names_builder *names)
{
	struct bytes tables = names_tables(names), payload = names_payload(&tables);

	capture_section(capture, PM_SECTION_NAMES, payload.data, payload.count);
	bytes_free(&payload);
	bytes_free(&tables);
	names_free(names);
}

/* Of the module `seed` as builder_module_of() makes it. */
static inline void names_module_of(struct names_builder *names, const char *path, unsigned seed,
				   const char *lack, const char *help)
{
	char build_id[41];

	for (unsigned i = 0; i < 20; i++)
		snprintf(build_id + 2 * (size_t)i, 3, "%02x", (i * 13 + seed) & 255);
	names_module(names, (struct pm_names_module){.path = names_text(names, path),
						     .build_id = names_text(names, build_id),
						     .lack = names_text(names, lack),
						     .help = names_text(names, help)});
}

/* Names of the code of builder_example_sited(), but for one plugin, which is not there. */
static inline struct names_builder names_of_example(uint32_t more_bytes)
{
	struct names_builder names = names_begin(more_bytes);

	names_module_of(&names, "/usr/bin/example", 7, NULL, NULL);
	names_code(&names, 0x100f);
	names_call(&names, "main", "/home/one/src/main.c", 12, 0);
	names_code(&names, 0x11ff);
	names_call(&names, "load", "/home/one/src/load.c", 40, 0);
	names_code(&names, 0x1343);
	names_call(&names, "grow", "/home/one/src/array.h", 7, PM_NAMES_INLINED);
	names_call(&names, "std::map<int, std::vector<int> >::at(int const&)", NULL, 0,
		   PM_NAMES_INLINED);
	names_call(&names, "parse", "/home/one/src/parse.c", 99, 0);
	names_code(&names, 0x13ff);
	names_call(&names, NULL, NULL, 0, 0);
	names_code(&names, 0x14ff);
	names_call(&names, "deep\x1b[31m<&>", "/home/\xff.c", UINT32_MAX, 0);
	names_module_of(&names, "/nonexistent/plugins/first.so", 8, "its lines were lost",
			"install first-dbgsym");
	names_code(&names, 0x4ff);
	names_call(&names, "first_step", NULL, 0, 0);
	return names;
}

#endif
