/* SPDX-License-Identifier: MIT */
/* packing.c: see packing.h. */
#include "symbol/packing.h"

#include "text/allocate.h"
#include "text/intern.h"

#include <poolmem/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { LEVEL = 9, TABLE_ALIGNMENT = 8 };

struct code {
	uint64_t address;
	uint32_t module;
	uint32_t first_call, call_count; /* in packing.calls */
};

/* Texts by number here, by offset in what comes of it. */
struct packing {
	struct interned texts;
	struct pm_names_module *modules;
	struct code *codes;
	struct pm_names_call *calls;
	size_t module_count, module_room, code_count, code_room, call_count, call_room;
};

struct packing *packing_begin(void)
{
	struct packing *packing = allocate(1, sizeof *packing);

	intern(&packing->texts, "");
	return packing;
}

static uint32_t number_of(struct packing *packing, const char *text)
{
	if (!text)
		return 0;
	if (strlen(text) <= PM_NAMES_TEXT)
		return intern(&packing->texts, text);
	char *cut = allocate_text(text, PM_NAMES_TEXT);
	uint32_t number = intern(&packing->texts, cut);
	free(cut);
	return number;
}

static uint32_t build_id_of(struct packing *packing, const struct symbol_module *module)
{
	char *hex = allocate(2 * module->build_id_bytes + 1, 1), *end = hex;

	for (size_t i = 0; i < module->build_id_bytes; i++)
		end += sprintf(end, "%02x", module->build_id[i]);
	uint32_t number = number_of(packing, hex);
	free(hex);
	return number;
}

uint32_t packing_module(struct packing *packing, const struct symbol_module *module, uint32_t pid,
			const char *lack, const char *help)
{
	struct pm_names_module record = {
		.path = module ? number_of(packing, module->path) : 0,
		.build_id = module ? build_id_of(packing, module) : 0,
		.lack = number_of(packing, lack),
		.help = number_of(packing, help),
		.pid = module ? 0 : pid,
	};

	for (size_t i = 0; i < packing->module_count; i++) {
		const struct pm_names_module *known = &packing->modules[i];
		if (known->path == record.path && known->build_id == record.build_id &&
		    known->pid == record.pid)
			return (uint32_t)i;
	}
	packing->modules = allocate_more(packing->modules, packing->module_count,
					 &packing->module_room, sizeof *packing->modules);
	packing->modules[packing->module_count] = record;
	return (uint32_t)packing->module_count++;
}

void packing_add(struct packing *packing, uint32_t module, uint64_t address,
		 const struct symbol_frame *frames, size_t frame_count)
{
	packing->codes = allocate_more(packing->codes, packing->code_count, &packing->code_room,
				       sizeof *packing->codes);
	packing->codes[packing->code_count++] = (struct code){
		address, module, (uint32_t)packing->call_count, (uint32_t)frame_count};
	for (size_t i = 0; i < frame_count; i++) {
		packing->calls = allocate_more(packing->calls, packing->call_count,
					       &packing->call_room, sizeof *packing->calls);
		packing->calls[packing->call_count++] = (struct pm_names_call){
			.function = number_of(packing, frames[i].function),
			.file = number_of(packing, frames[i].file),
			.line = frames[i].line,
			.flags = frames[i].is_inlined ? PM_NAMES_INLINED : 0,
		};
	}
}

/* --- laying out ------------------------------------------------------------------------------------------ */

static int by_place(const void *left, const void *right)
{
	const struct code *a = left, *b = right;
	if (a->module != b->module)
		return a->module < b->module ? -1 : 1;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return (a->first_call > b->first_call) - (a->first_call < b->first_call);
}

static void drop_repeated(struct packing *packing)
{
	size_t kept = 0;

	if (packing->code_count)
		qsort(packing->codes, packing->code_count, sizeof *packing->codes, by_place);
	for (size_t i = 0; i < packing->code_count; i++) {
		const struct code *code = &packing->codes[i], *last = &packing->codes[kept - 1];
		if (kept && code->module == last->module && code->address == last->address)
			continue;
		packing->codes[kept++] = *code;
	}
	packing->code_count = kept;
}

/* What the tables become: room is known before a byte is written. */
struct layout {
	struct pm_names_index index;
	uint32_t *offset; /* of texts, by number */
	uint64_t bytes;
};

static struct pm_table place_table(struct layout *layout, uint32_t stride, uint64_t count)
{
	struct pm_table table = {layout->bytes, stride, (uint32_t)count};

	layout->bytes += stride * count;
	layout->bytes += -layout->bytes % TABLE_ALIGNMENT;
	return table;
}

static uint64_t place_texts(const struct packing *packing, struct layout *layout)
{
	uint64_t bytes = 0;

	layout->offset = allocate(packing->texts.count, sizeof *layout->offset);
	for (size_t i = 0; i < packing->texts.count; i++) {
		layout->offset[i] = (uint32_t)bytes;
		bytes += strlen(packing->texts.list[i]) + 1;
	}
	return bytes;
}

static uint64_t kept_calls(const struct packing *packing)
{
	uint64_t count = 0;

	for (size_t i = 0; i < packing->code_count; i++)
		count += packing->codes[i].call_count;
	return count;
}

static bool lay_out(const struct packing *packing, struct layout *ret, struct failure *why)
{
	struct layout layout = {.bytes = sizeof layout.index};
	uint64_t text_bytes = place_texts(packing, &layout);

	layout.index.texts = place_table(&layout, 1, text_bytes);
	layout.index.modules = place_table(&layout, sizeof(struct pm_names_module),
					   packing->module_count);
	layout.index.codes = place_table(&layout, sizeof(struct pm_names_code), packing->code_count);
	layout.index.calls = place_table(&layout, sizeof(struct pm_names_call), kept_calls(packing));
	*ret = layout;
	if (layout.bytes <= PM_NAMES_BYTES)
		return true;
	free(layout.offset);
	fail(why, FAILURE_WRITE, "the names take more than 1 GiB");
	return false;
}

static void put_modules(const struct packing *packing, const struct layout *layout,
			struct pm_names_module *out)
{
	for (size_t i = 0; i < packing->module_count; i++) {
		out[i] = packing->modules[i];
		out[i].path = layout->offset[out[i].path];
		out[i].build_id = layout->offset[out[i].build_id];
		out[i].lack = layout->offset[out[i].lack];
		out[i].help = layout->offset[out[i].help];
	}
	for (size_t i = 0; i < packing->code_count; i++)
		out[packing->codes[i].module].code_count++;
}

static void put_codes(const struct packing *packing, const struct layout *layout,
		      struct pm_names_code *out, struct pm_names_call *calls)
{
	for (size_t i = 0; i < packing->code_count; i++) {
		const struct code *code = &packing->codes[i];
		out[i] = (struct pm_names_code){code->address, code->call_count, 0};
		for (uint32_t c = 0; c < code->call_count; c++, calls++) {
			*calls = packing->calls[code->first_call + c];
			calls->function = layout->offset[calls->function];
			calls->file = layout->offset[calls->file];
		}
	}
}

static unsigned char *put_tables(const struct packing *packing, const struct layout *layout)
{
	unsigned char *tables = allocate(layout->bytes, 1);

	memcpy(tables, &layout->index, sizeof layout->index);
	for (size_t i = 0; i < packing->texts.count; i++) {
		const char *text = packing->texts.list[i];
		memcpy(tables + layout->index.texts.offset + layout->offset[i], text,
		       strlen(text) + 1);
	}
	put_modules(packing, layout, (void *)(tables + layout->index.modules.offset));
	put_codes(packing, layout, (void *)(tables + layout->index.codes.offset),
		  (void *)(tables + layout->index.calls.offset));
	return tables;
}

static void *compress(const unsigned char *tables, uint64_t bytes, size_t *ret_byte_count,
		      struct failure *why)
{
	struct pm_names opening = {.version = PM_NAMES_VERSION, .bytes = bytes};
	size_t room = ZSTD_compressBound(bytes);
	char *payload = allocate(sizeof opening + room, 1);

	memcpy(payload, &opening, sizeof opening);
	size_t got = ZSTD_compress(payload + sizeof opening, room, tables, bytes, LEVEL);
	*ret_byte_count = sizeof opening + got;
	if (!ZSTD_isError(got))
		return payload;
	fail(why, FAILURE_WRITE, "cannot compress the names: %s", ZSTD_getErrorName(got));
	free(payload);
	return NULL;
}

static struct packing_sums count_names(const struct packing *packing)
{
	struct packing_sums sums = {.codes = packing->code_count};

	for (size_t i = 0; i < packing->code_count; i++) {
		const struct code *code = &packing->codes[i];
		const struct pm_names_call *first = &packing->calls[code->first_call];
		sums.named += first[code->call_count - 1].function != 0;
		sums.lined += first->line != 0;
	}
	return sums;
}

static void free_packing(struct packing *packing)
{
	interned_free(&packing->texts);
	free(packing->modules);
	free(packing->codes);
	free(packing->calls);
	free(packing);
}

void *packing_end(struct packing *packing, size_t *ret_byte_count, struct packing_sums *ret_sums,
		  struct failure *why)
{
	struct layout layout;
	void *payload = NULL;

	drop_repeated(packing);
	*ret_sums = count_names(packing);
	if (lay_out(packing, &layout, why)) {
		unsigned char *tables = put_tables(packing, &layout);
		payload = compress(tables, layout.bytes, ret_byte_count, why);
		free(tables);
		free(layout.offset);
	}
	free_packing(packing);
	return payload;
}
