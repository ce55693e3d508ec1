/* SPDX-License-Identifier: MIT */
/* packed.c: see packed.h. */
#include "symbol/packed.h"

#include "text/allocate.h"
#include "text/partition.h"

#include <poolmem/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* What unpacks to more is a trap: names take a tenth of their size or more. */
enum { UNPACKED_PER_BYTE = 256, UNPACKED_LEAST = 65536, ID_BYTES_MAX = 64 };

struct packed_module {
	struct pm_names_module record;
	uint32_t first_code;
};

struct packed {
	unsigned char *tables;
	uint64_t byte_count;
	struct pm_names_index index;
	struct packed_module *modules;
	uint32_t *first_call; /* by code */
};

static bool damaged(struct failure *why, const char *field, uint64_t value)
{
	return fail(why, FAILURE_UNREADABLE, "damaged: NAMES section says %s %llu", field,
		    (unsigned long long)value);
}

static void copy_record(const struct packed *packed, const struct pm_table *table, uint32_t index,
			void *ret, size_t known_bytes)
{
	memcpy(ret, packed->tables + table->offset + (uint64_t)index * table->stride, known_bytes);
}

static struct pm_names_code code_at(const struct packed *packed, uint32_t index)
{
	struct pm_names_code code;
	copy_record(packed, &packed->index.codes, index, &code, sizeof code);
	return code;
}

static struct pm_names_call call_at(const struct packed *packed, uint32_t index)
{
	struct pm_names_call call;
	copy_record(packed, &packed->index.calls, index, &call, sizeof call);
	return call;
}

/* --- verifying ------------------------------------------------------------------------------------------- */

static bool unpack(const struct pm_names *opening, const void *frame, size_t frame_bytes,
		   struct packed *packed, struct failure *why)
{
	uint64_t most = UNPACKED_LEAST + (uint64_t)frame_bytes * UNPACKED_PER_BYTE;

	if (opening->bytes < sizeof packed->index || opening->bytes > most ||
	    opening->bytes > PM_NAMES_BYTES)
		return damaged(why, "bytes", opening->bytes);
	packed->byte_count = opening->bytes;
	packed->tables = allocate(packed->byte_count, 1);
	size_t got = ZSTD_decompress(packed->tables, packed->byte_count, frame, frame_bytes);
	if (ZSTD_isError(got))
		return fail(why, FAILURE_UNREADABLE, "damaged: NAMES section: %s",
			    ZSTD_getErrorName(got));
	return got == packed->byte_count || damaged(why, "bytes", opening->bytes);
}

static bool fits(const struct packed *packed, const struct pm_table *table, size_t known_bytes)
{
	return table->stride >= known_bytes && table->offset <= packed->byte_count &&
	       table->count <= (packed->byte_count - table->offset) / table->stride;
}

static bool verify_index(struct packed *packed, struct failure *why)
{
	struct pm_names_index *index = &packed->index;

	memcpy(index, packed->tables, sizeof *index);
	if (!fits(packed, &index->texts, 1) || index->texts.stride != 1)
		return damaged(why, "texts", index->texts.count);
	if (!fits(packed, &index->modules, sizeof(struct pm_names_module)))
		return damaged(why, "modules", index->modules.count);
	if (!fits(packed, &index->codes, sizeof(struct pm_names_code)))
		return damaged(why, "codes", index->codes.count);
	if (!fits(packed, &index->calls, sizeof(struct pm_names_call)))
		return damaged(why, "calls", index->calls.count);
	return true;
}

static bool verify_texts(const struct packed *packed, struct failure *why)
{
	const struct pm_table *texts = &packed->index.texts;
	const char *text = (const char *)packed->tables + texts->offset;
	const char *end = text + texts->count;

	if (!texts->count || *text || end[-1])
		return damaged(why, "texts", texts->count);
	for (size_t bytes; text < end; text += bytes + 1)
		if ((bytes = strlen(text)) > PM_NAMES_TEXT)
			return damaged(why, "a text of bytes", bytes);
	return true;
}

static bool are_texts(const struct packed *packed, const uint32_t *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text[i] >= packed->index.texts.count)
			return false;
	return true;
}

static bool verify_calls(const struct packed *packed, struct failure *why)
{
	for (uint32_t i = 0; i < packed->index.calls.count; i++) {
		struct pm_names_call call = call_at(packed, i);
		uint32_t text[] = {call.function, call.file};
		if (!are_texts(packed, text, sizeof text / sizeof *text))
			return damaged(why, "text in call", i);
	}
	return true;
}

static bool verify_codes(struct packed *packed, struct failure *why)
{
	uint64_t next_call = 0;

	packed->first_call = allocate(packed->index.codes.count, sizeof *packed->first_call);
	for (uint32_t i = 0; i < packed->index.codes.count; i++) {
		struct pm_names_code code = code_at(packed, i);
		if (!code.call_count || code.call_count > PM_NAMES_CALLS)
			return damaged(why, "call_count", code.call_count);
		packed->first_call[i] = (uint32_t)next_call;
		next_call += code.call_count;
		if (next_call > packed->index.calls.count)
			return damaged(why, "call_count", code.call_count);
	}
	return true;
}

static bool verify_order(const struct packed *packed, const struct packed_module *module,
			 struct failure *why)
{
	for (uint32_t i = 1; i < module->record.code_count; i++) {
		struct pm_names_code code = code_at(packed, module->first_code + i);
		if (code.address <= code_at(packed, module->first_code + i - 1).address)
			return damaged(why, "out of order address", code.address);
	}
	return true;
}

static bool verify_modules(struct packed *packed, struct failure *why)
{
	uint32_t next_code = 0;

	packed->modules = allocate(packed->index.modules.count, sizeof *packed->modules);
	for (uint32_t i = 0; i < packed->index.modules.count; i++) {
		struct packed_module *module = &packed->modules[i];
		copy_record(packed, &packed->index.modules, i, &module->record,
			    sizeof module->record);
		const struct pm_names_module *record = &module->record;
		uint32_t text[] = {record->path, record->build_id, record->lack, record->help};
		if (!are_texts(packed, text, sizeof text / sizeof *text))
			return damaged(why, "text in module", i);
		if (record->code_count > packed->index.codes.count - next_code)
			return damaged(why, "code_count", record->code_count);
		module->first_code = next_code;
		next_code += record->code_count;
		if (!verify_order(packed, module, why))
			return false;
	}
	return true;
}

static bool open_payload(struct packed *packed, const void *payload, size_t byte_count,
			 struct failure *why)
{
	struct pm_names opening;

	if (byte_count < sizeof opening)
		return damaged(why, "bytes", byte_count);
	memcpy(&opening, payload, sizeof opening);
	if (opening.version > PM_NAMES_VERSION)
		return fail(
			why, FAILURE_UNREADABLE,
			"its names are of version %u, this poolmem reads up to %d: take a newer one",
			opening.version, PM_NAMES_VERSION);
	return unpack(&opening, (const char *)payload + sizeof opening, byte_count - sizeof opening,
		      packed, why) &&
	       verify_index(packed, why) && verify_texts(packed, why) &&
	       verify_calls(packed, why) && verify_codes(packed, why) && verify_modules(packed, why);
}

struct packed *packed_open(const void *payload, size_t byte_count, struct failure *why)
{
	struct packed *packed = allocate(1, sizeof *packed);

	if (open_payload(packed, payload, byte_count, why))
		return packed;
	packed_free(packed);
	return NULL;
}

void packed_free(struct packed *packed)
{
	if (!packed)
		return;
	free(packed->tables);
	free(packed->modules);
	free(packed->first_call);
	free(packed);
}

/* --- asking ---------------------------------------------------------------------------------------------- */

/* NULL: none. */
static const char *text_at(const struct packed *packed, uint32_t text)
{
	const char *texts = (const char *)packed->tables + packed->index.texts.offset;
	return text ? texts + text : NULL;
}

static bool is_text(const struct packed *packed, uint32_t text, const char *other)
{
	const char *found = text_at(packed, text);
	return strcmp(found ? found : "", other ? other : "") == 0;
}

static bool has_build_id(const struct packed *packed, const struct pm_names_module *record,
			 const struct symbol_module *module)
{
	char hex[2 * ID_BYTES_MAX + 1] = "", *end = hex;

	if (module->build_id_bytes > ID_BYTES_MAX)
		return false;
	for (size_t i = 0; i < module->build_id_bytes; i++)
		end += sprintf(end, "%02x", module->build_id[i]);
	return is_text(packed, record->build_id, hex);
}

const struct packed_module *packed_find(const struct packed *packed,
					const struct symbol_module *module, uint32_t pid)
{
	for (uint32_t i = 0; i < packed->index.modules.count; i++) {
		const struct pm_names_module *record = &packed->modules[i].record;
		bool is_it = module ? record->path && is_text(packed, record->path, module->path) &&
					      has_build_id(packed, record, module)
				    : !record->path && record->pid == pid;
		if (is_it)
			return &packed->modules[i];
	}
	return NULL;
}

const char *packed_lack(const struct packed *packed, const struct packed_module *module,
			const char **ret_help)
{
	*ret_help = text_at(packed, module->record.help);
	return text_at(packed, module->record.lack);
}

/* The index of the code; the count of codes: none. */
static uint32_t find_code(const struct packed *packed, const struct packed_module *module,
			  uint64_t address)
{
	size_t first = module->first_code, end = first + module->record.code_count;
	uint32_t found = (uint32_t)PARTITION_POINT(first, end, i,
						   code_at(packed, (uint32_t)i).address < address);

	return found < end && code_at(packed, found).address == address ? found
									: packed->index.codes.count;
}

size_t packed_frames_at(const struct packed *packed, const struct packed_module *module,
			uint64_t address, struct symbol_frame *ret_frames)
{
	uint32_t at = find_code(packed, module, address);

	if (at == packed->index.codes.count)
		return 0;
	uint32_t count = code_at(packed, at).call_count;
	for (uint32_t i = 0; i < count; i++) {
		struct pm_names_call call = call_at(packed, packed->first_call[at] + i);
		ret_frames[i] = (struct symbol_frame){
			.function = text_at(packed, call.function),
			.file = text_at(packed, call.file),
			.line = call.line,
			.is_inlined = call.flags & PM_NAMES_INLINED,
		};
	}
	return count;
}
