/* SPDX-License-Identifier: MIT */
/* stacks.c: see stacks.h. */
#include "study/stacks.h"

#include "text/allocate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void stacks_open(const struct recording *recording, bool with_files, struct stacks *ret)
{
	struct stacks stacks = {
		.naming = naming_open(recording, with_files), .count = 1, .module_count = 1};

	stacks.places = allocate_more(NULL, 0, &stacks.room, sizeof *stacks.places);
	stacks.modules = allocate_more(NULL, 0, &stacks.module_room, sizeof *stacks.modules);
	*ret = stacks;
}

static void free_calls(struct place *place)
{
	for (size_t i = 0; i < place->call_count; i++)
		free(place->calls[i].label);
	free(place->calls);
}

void stacks_close(struct stacks *stacks)
{
	for (size_t i = 0; i < stacks->count; i++)
		free_calls(&stacks->places[i]);
	free(stacks->places);
	free(stacks->modules);
	hash_index_free(&stacks->index);
	naming_close(stacks->naming);
}

/* --- places ---------------------------------------------------------------------------------------------- */

static bool is_same_module(const struct module *a, const struct module *b)
{
	if (*a->build_id || *b->build_id)
		return strcmp(a->build_id, b->build_id) == 0;
	return strcmp(a->path, b->path) == 0;
}

static uint32_t number_of_module(struct stacks *stacks, const struct module *module)
{
	if (!module)
		return 0;
	for (size_t i = 1; i < stacks->module_count; i++)
		if (stacks->modules[i] == module || is_same_module(stacks->modules[i], module))
			return (uint32_t)i;
	stacks->modules = allocate_more(stacks->modules, stacks->module_count, &stacks->module_room,
					sizeof *stacks->modules);
	stacks->modules[stacks->module_count] = module;
	return (uint32_t)stacks->module_count++;
}

struct wanted_place {
	const struct stacks *stacks;
	const struct place *place;
};

static bool is_place(const void *wanted, uint32_t item)
{
	const struct wanted_place *of = wanted;
	const struct place *a = of->place, *b = &of->stacks->places[item];
	return a->caller == b->caller && a->module == b->module && a->offset == b->offset;
}

static uint32_t add_place(struct stacks *stacks, const struct place *place)
{
	struct wanted_place wanted = {stacks, place};
	uint64_t hash = hash_word(hash_word(place->caller, place->module), place->offset);
	uint32_t item;

	if (hash_find(&stacks->index, hash, is_place, &wanted, &item))
		return item;
	stacks->places = allocate_more(stacks->places, stacks->count, &stacks->room,
				       sizeof *stacks->places);
	stacks->places[stacks->count] = *place;
	hash_add(&stacks->index, hash, (uint32_t)stacks->count);
	return (uint32_t)stacks->count++;
}

uint32_t *stacks_begin(const struct process *process)
{
	return allocate(process->frames->count, sizeof(uint32_t));
}

static uint32_t place_frame(struct stacks *stacks, const struct process *process,
			    const struct frame *frame, uint32_t caller)
{
	const struct module *module = naming_module(stacks->naming, process, frame->address,
						    frame->generation);
	struct place place = {
		.caller = caller,
		.module = number_of_module(stacks, module),
		.offset = frame->address - (module ? module->base : 0),
		.code = {process, module, frame->address, frame->generation},
	};
	return add_place(stacks, &place);
}

uint32_t stacks_place(struct stacks *stacks, const struct process *process, uint32_t frame,
		      uint32_t *places)
{
	const struct frame *list = process->frames->list;
	uint32_t path[FRAME_DEPTH_MAX], count = 0;

	for (; frame && !places[frame]; frame = list[frame].caller)
		path[count++] = frame;
	while (count) {
		uint32_t inner = path[--count];
		places[inner] = place_frame(stacks, process, &list[inner],
					    frame ? places[frame] : 0);
		frame = inner;
	}
	return frame ? places[frame] : 0;
}

/* --- names ----------------------------------------------------------------------------------------------- */

const char *stacks_module(const struct stacks *stacks, uint32_t place)
{
	uint32_t number = stacks->places[place].module;
	const char *path = number ? stacks->modules[number]->path : NULL;
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash && slash[1] ? slash + 1 : path;
}

static char *label_of(const struct stacks *stacks, uint32_t place, const struct call *call)
{
	const char *module = stacks_module(stacks, place);
	const char *name = call->function ? call->function : module ? module : "";
	size_t bytes = strlen(name) + sizeof "+0x0123456789abcdef";
	char *label = allocate(bytes, 1);

	if (call->function)
		snprintf(label, bytes, "%s", name);
	else
		snprintf(label, bytes, "%s%s0x%llx", name, module ? "+" : "",
			 (unsigned long long)stacks->places[place].offset);
	return label;
}

static void name(struct stacks *stacks, uint32_t number)
{
	struct place *place = &stacks->places[number];
	struct call *calls;

	place->call_count = naming_calls(stacks->naming, &place->code, &calls);
	place->calls = allocate(place->call_count, sizeof *place->calls);
	for (size_t i = 0; i < place->call_count; i++)
		place->calls[i] = (struct named_call){calls[i], label_of(stacks, number, &calls[i])};
	free(calls);
}

const struct named_call *stacks_calls(struct stacks *stacks, uint32_t place, size_t *ret_count)
{
	if (!stacks->places[place].call_count)
		name(stacks, place);
	*ret_count = stacks->places[place].call_count;
	return stacks->places[place].calls;
}

void stacks_prepare(struct stacks *stacks, const uint32_t *places, size_t count)
{
	bool *is_wanted = allocate(stacks->count, sizeof *is_wanted);
	struct code *codes = allocate(stacks->count, sizeof *codes);
	size_t wanted = 0;

	for (size_t i = 0; i < count; i++)
		for (uint32_t at = places[i]; at && !is_wanted[at]; at = stacks->places[at].caller) {
			is_wanted[at] = true;
			if (!stacks->places[at].call_count)
				codes[wanted++] = stacks->places[at].code;
		}
	naming_prepare(stacks->naming, codes, wanted);
	free(codes);
	free(is_wanted);
}

const struct named_call *walk_next(struct stacks *stacks, struct walk *walk)
{
	size_t count;

	if (!walk->place)
		return NULL;
	const struct named_call *calls = stacks_calls(stacks, walk->place, &count);
	const struct named_call *call = &calls[walk->call++];
	if (walk->call == count) {
		walk->place = stacks->places[walk->place].caller;
		walk->call = 0;
	}
	return call;
}
