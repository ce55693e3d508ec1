/* SPDX-License-Identifier: MIT */
/* symbols.c: see symbols.h. */
#include "symbol/symbols.h"

#include "symbol/jit.h"
#include "symbol/objects.h"
#include "symbol/packed.h"
#include "symbol/packing.h"
#include "text/allocate.h"
#include "text/hash.h"

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
	struct objects own_objects;
	struct objects *objects;
	struct object **object_of;              /* by module; NULL: not asked yet */
	const struct packed_module **packed_of; /* by module, one more for addresses in none; the same */
	struct symbol_gap *gaps;                /* so, too */
	struct symbol_gap *missing;
	struct jit jit;
	bool is_jit_read;
	struct names names;
	struct answers answers;
};

struct symbols *symbols_open(const struct symbol_module *modules, size_t count,
			     const struct symbol_options *options)
{
	struct symbols *symbols = allocate(1, sizeof *symbols);

	symbols->modules = modules;
	symbols->module_count = count;
	if (options)
		symbols->options = *options;
	symbols->objects = symbols->options.objects ? symbols->options.objects
						    : &symbols->own_objects;
	symbols->object_of = allocate(count, sizeof *symbols->object_of);
	symbols->packed_of = allocate(count + 1, sizeof *symbols->packed_of);
	symbols->gaps = allocate(count + 1, sizeof *symbols->gaps);
	symbols->missing = allocate(count + 1, sizeof *symbols->missing);
	for (size_t i = 0; i < count; i++)
		symbols->gaps[i].module = &modules[i];
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
	size_t at = hash_word(address, place);

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

static void set_gap(struct symbol_gap *gap, enum symbol_lack lack)
{
	if (gap->what && gap->lack == lack)
		return;
	gap->lack = lack;
	gap->what = symbol_lack_what(lack);
	gap->help = symbol_lack_help(lack);
}

static size_t frames_of_none(struct symbols *symbols, uint64_t address, struct symbol_frame *frame)
{
	if (!symbols->is_jit_read && symbols->options.perf_map && !symbols->options.no_files)
		jit_read(&symbols->jit, symbols->options.perf_map);
	symbols->is_jit_read = true;
	set_gap(&symbols->gaps[symbols->module_count], SYMBOL_NO_MODULE);
	*frame = (struct symbol_frame){
		.function = name_of(&symbols->names, jit_at(&symbols->jit, address))};
	return 1;
}

static size_t frames_of_file(struct symbols *symbols, size_t at, uint64_t address,
			     struct symbol_frame *frames)
{
	const struct symbol_module *module = &symbols->modules[at];

	if (!symbols->object_of[at])
		symbols->object_of[at] = objects_for(symbols->objects, module);
	struct object *object = symbols->object_of[at];
	objects_make_room(symbols->objects, object);
	size_t count = object_frames_at(object, address - module->base, &symbols->options,
					&symbols->names, frames);
	set_gap(&symbols->gaps[at], object->lack);
	return count;
}

static void set_packed_gap(struct symbols *symbols, size_t at, const struct packed_module *packed)
{
	struct symbol_gap *gap = &symbols->gaps[at];
	const char *help, *what = packed_lack(symbols->options.packed, packed, &help);

	set_gap(gap, what ? SYMBOL_PACKED : SYMBOL_NOTHING);
	gap->what = what ? what : gap->what;
	gap->help = help ? help : gap->help;
}

static size_t frames_of_packed(struct symbols *symbols, size_t at, uint64_t address,
			       struct symbol_frame *frames)
{
	const struct packed *packed = symbols->options.packed;
	const struct symbol_module *module = at < symbols->module_count ? &symbols->modules[at]
									: NULL;
	const struct packed_module **of = &symbols->packed_of[at];

	if (!*of)
		*of = packed_find(packed, module, symbols->options.pid);
	size_t count = *of ? packed_frames_at(packed, *of, address - (module ? module->base : 0),
					      frames)
			   : 0;
	if (*of && count)
		set_packed_gap(symbols, at, *of);
	else
		set_gap(&symbols->gaps[at], SYMBOL_NOT_PACKED);
	if (!count)
		frames[count++] = (struct symbol_frame){0};
	return count;
}

static size_t frames_of(struct symbols *symbols, size_t at, uint64_t address,
			struct symbol_frame *frames)
{
	bool is_of_module = at < symbols->module_count;
	bool is_packed = symbols->options.packed && !symbols->options.no_files;
	size_t count = is_packed      ? frames_of_packed(symbols, at, address, frames)
		       : is_of_module ? frames_of_file(symbols, at, address, frames)
				      : frames_of_none(symbols, address, frames);

	for (size_t i = 0; is_of_module && i < count; i++)
		frames[i].module = symbols->modules[at].path;
	return count;
}

static void answer(struct symbols *symbols, struct answer *answer, size_t at, uint64_t address)
{
	struct symbol_frame frames[CHAIN_MAX];
	struct symbol_gap *gap = &symbols->gaps[at];
	size_t count = frames_of(symbols, at, address, frames);

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

/* A help that was found stays: it is asked for once. */
static void find_help(struct symbols *symbols, struct symbol_gap *gap)
{
	if (!gap->module || gap->help != symbol_lack_help(gap->lack))
		return;
	char *help = objects_help(symbols->objects, gap->module->path, gap->lack);
	if (help)
		gap->help = name_of(&symbols->names, help);
	free(help);
}

size_t symbols_missing(struct symbols *symbols, const struct symbol_gap **ret_gaps)
{
	size_t count = 0;

	for (size_t i = 0; i <= symbols->module_count; i++) {
		if (!is_missing(&symbols->gaps[i]))
			continue;
		find_help(symbols, &symbols->gaps[i]);
		symbols->missing[count++] = symbols->gaps[i];
	}
	*ret_gaps = symbols->missing;
	return count;
}

/* Numbers of modules in `packing`, + 1; of those that were asked. */
static uint32_t *pack_modules(struct symbols *symbols, struct packing *packing)
{
	uint32_t *numbers = allocate(symbols->module_count + 1, sizeof *numbers);

	for (size_t i = 0; i <= symbols->module_count; i++) {
		struct symbol_gap *gap = &symbols->gaps[i];
		bool is_lacking = gap->lack != SYMBOL_NOTHING;
		if (is_missing(gap))
			find_help(symbols, gap);
		if (gap->asked)
			numbers[i] = 1 + packing_module(packing, gap->module, symbols->options.pid,
							is_lacking ? gap->what : NULL,
							is_lacking ? gap->help : NULL);
	}
	return numbers;
}

void symbols_pack(struct symbols *symbols, struct packing *packing)
{
	uint32_t *numbers = pack_modules(symbols, packing);

	for (size_t i = 0; i < symbols->answers.room; i++) {
		const struct answer *answer = &symbols->answers.slots[i];
		if (!answer->place)
			continue;
		size_t at = answer->place - 1;
		uint64_t base = at < symbols->module_count ? symbols->modules[at].base : 0;
		packing_add(packing, numbers[at] - 1, answer->address - base, answer->frames,
			    answer->count);
	}
	free(numbers);
}

void symbols_free(struct symbols *symbols)
{
	for (size_t i = 0; i < symbols->answers.room; i++)
		free(symbols->answers.slots[i].frames);
	free(symbols->answers.slots);
	objects_close(&symbols->own_objects);
	free(symbols->object_of);
	free(symbols->packed_of);
	free(symbols->gaps);
	free(symbols->missing);
	jit_free(&symbols->jit);
	names_free(&symbols->names);
	free(symbols);
}
