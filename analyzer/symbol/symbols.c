/* SPDX-License-Identifier: MIT */
/* symbols.c: see symbols.h. */
#include "symbol/symbols.h"

#include "symbol/jit.h"
#include "symbol/object.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1024 };

/* An address that was asked for, in the module that it was in. */
struct answer {
	uint64_t address;
	uint32_t place; /* 1 + module; 1 + module count: in none; 0: a free slot */
	uint32_t count;
	struct symbol_frame *frames;
};

struct answers {
	struct answer *slots;
	size_t count, room; /* room: a power of two, or 0 */
};

struct symbols {
	const struct symbol_module *modules;
	size_t module_count;
	struct symbol_options options;
	struct object *objects; /* each file once */
	size_t object_count;
	uint32_t *object_of;     /* by module */
	struct symbol_gap *gaps; /* by module, one more for addresses in none */
	struct symbol_gap *missing;
	struct jit jit;
	bool is_jit_read;
	struct names names;
	struct answers answers;
};

static struct build_id id_of(const struct symbol_module *module)
{
	return (struct build_id){module->build_id, module->build_id_bytes};
}

static bool is_of(const struct object *object, const struct symbol_module *module)
{
	struct build_id id = id_of(module);

	return object->path && module->path && strcmp(object->path, module->path) == 0 &&
	       object->id.byte_count == id.byte_count &&
	       (!id.byte_count || build_id_equal(object->id, id));
}

/* The same file again, from another process or after a dlclose, is the same object. */
static uint32_t object_for(struct symbols *symbols, const struct symbol_module *module)
{
	size_t i = 0;

	while (i < symbols->object_count && !is_of(&symbols->objects[i], module))
		i++;
	if (i == symbols->object_count)
		symbols->objects[symbols->object_count++] = (struct object){.path = module->path,
									    .id = id_of(module)};
	return (uint32_t)i;
}

struct symbols *symbols_open(const struct symbol_module *modules, size_t count,
			     const struct symbol_options *options)
{
	struct symbols *symbols = allocate(1, sizeof *symbols);

	symbols->modules = modules;
	symbols->module_count = count;
	if (options)
		symbols->options = *options;
	symbols->objects = allocate(count, sizeof *symbols->objects);
	symbols->object_of = allocate(count, sizeof *symbols->object_of);
	symbols->gaps = allocate(count + 1, sizeof *symbols->gaps);
	symbols->missing = allocate(count + 1, sizeof *symbols->missing);
	for (size_t i = 0; i < count; i++) {
		symbols->object_of[i] = object_for(symbols, &modules[i]);
		symbols->gaps[i].module = &modules[i];
	}
	symbols->gaps[count].lack = SYMBOL_NO_MODULE;
	return symbols;
}

/* The newest module that covers the address; the count of modules: none does. */
static size_t module_at(const struct symbols *symbols, uint64_t address, uint32_t generation)
{
	size_t found = symbols->module_count;

	for (size_t i = 0; i < symbols->module_count; i++) {
		const struct symbol_module *module = &symbols->modules[i];
		if (module->since <= generation && address >= module->first &&
		    address < module->last &&
		    (found == symbols->module_count ||
		     module->since >= symbols->modules[found].since))
			found = i;
	}
	return found;
}

static struct answer *slot_of(const struct answers *answers, uint64_t address, uint32_t place)
{
	size_t at = (size_t)((address + place) * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	for (;; at++) {
		struct answer *answer = &answers->slots[at & (answers->room - 1)];
		if (!answer->place || (answer->address == address && answer->place == place))
			return answer;
	}
}

static void grow(struct answers *answers)
{
	struct answers more = {.count = answers->count,
			       .room = answers->room ? answers->room * 2 : FIRST_ROOM};

	more.slots = allocate(more.room, sizeof *more.slots);
	for (size_t i = 0; i < answers->room; i++) {
		const struct answer *answer = &answers->slots[i];
		if (answer->place)
			*slot_of(&more, answer->address, answer->place) = *answer;
	}
	free(answers->slots);
	*answers = more;
}

static size_t frames_of_none(struct symbols *symbols, uint64_t address, struct symbol_frame *frame)
{
	if (!symbols->is_jit_read && symbols->options.perf_map && !symbols->options.no_files)
		jit_read(&symbols->jit, symbols->options.perf_map);
	symbols->is_jit_read = true;
	*frame = (struct symbol_frame){
		.function = name_of(&symbols->names, jit_at(&symbols->jit, address))};
	return 1;
}

static size_t frames_of(struct symbols *symbols, size_t at, uint64_t address,
			struct symbol_frame *frames)
{
	const struct symbol_module *module = &symbols->modules[at];
	struct object *object = &symbols->objects[symbols->object_of[at]];
	size_t count = object_frames_at(object, address - module->base, &symbols->options,
					&symbols->names, frames);

	symbols->gaps[at].lack = object->lack;
	for (size_t i = 0; i < count; i++)
		frames[i].module = module->path;
	return count;
}

static void answer(struct symbols *symbols, struct answer *answer, size_t at, uint64_t address)
{
	struct symbol_frame frames[CHAIN_MAX];
	struct symbol_gap *gap = &symbols->gaps[at];
	size_t count = at < symbols->module_count ? frames_of(symbols, at, address, frames)
						  : frames_of_none(symbols, address, frames);

	gap->asked++;
	gap->unnamed += !frames[count - 1].function;
	gap->unlined += !frames[0].line;
	*answer = (struct answer){address, (uint32_t)at + 1, (uint32_t)count,
				  allocate(count, sizeof *frames)};
	memcpy(answer->frames, frames, count * sizeof *frames);
	symbols->answers.count++;
}

size_t symbols_at(struct symbols *symbols, uint64_t address, uint32_t generation,
		  const struct symbol_frame **ret_frames)
{
	uint64_t called = address - !!address;
	size_t at = module_at(symbols, called, generation);

	if (symbols->answers.count >= symbols->answers.room / 2)
		grow(&symbols->answers);
	struct answer *found = slot_of(&symbols->answers, called, (uint32_t)at + 1);
	if (!found->place)
		answer(symbols, found, at, called);
	*ret_frames = found->frames;
	return found->count;
}

/* Code made at run time has no lines: that is no gap. */
static bool is_missing(const struct symbol_gap *gap)
{
	return gap->unnamed || (gap->module && gap->unlined);
}

size_t symbols_missing(struct symbols *symbols, const struct symbol_gap **ret_gaps)
{
	size_t count = 0;

	for (size_t i = 0; i <= symbols->module_count; i++)
		if (is_missing(&symbols->gaps[i]))
			symbols->missing[count++] = symbols->gaps[i];
	*ret_gaps = symbols->missing;
	return count;
}

void symbols_free(struct symbols *symbols)
{
	for (size_t i = 0; i < symbols->answers.room; i++)
		free(symbols->answers.slots[i].frames);
	free(symbols->answers.slots);
	for (size_t i = 0; i < symbols->object_count; i++)
		object_close(&symbols->objects[i]);
	free(symbols->objects);
	free(symbols->object_of);
	free(symbols->gaps);
	free(symbols->missing);
	jit_free(&symbols->jit);
	names_free(&symbols->names);
	free(symbols);
}
