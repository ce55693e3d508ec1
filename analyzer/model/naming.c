/* SPDX-License-Identifier: MIT */
/* naming.c: see naming.h. */
#include "model/naming.h"

#include "symbol/objects.h"
#include "text/allocate.h"
#include "text/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The modules of a process: its own, and those of whom it has its facts from. */
struct map {
	const struct module **modules; /* by first address, newest last */
	uint64_t *last;                /* the highest of those up to here */
	size_t count;
	bool is_made;
	struct symbols *symbols; /* NULL: nothing was asked yet */
	struct symbol_module *known;
	uint8_t *build_ids;
	char perf_map[sizeof "/tmp/perf-4294967295.map"];
};

struct naming {
	const struct recording *recording;
	struct map *maps; /* by process */
	struct objects objects;
	bool with_files, asks_network;
	struct progress *progress;
	struct naming_gap *gaps;
	size_t gap_count, gap_room;
};

static int by_first(const void *left, const void *right)
{
	const struct module *a = *(const struct module *const *)left;
	const struct module *b = *(const struct module *const *)right;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->since > b->since) - (a->since < b->since);
}

static void add_modules(struct map *map, const struct process *process)
{
	for (size_t i = 0; i < process->module_count; i++)
		map->modules[map->count++] = &process->modules[i];
}

static void make_map(const struct recording *recording, const struct process *process,
		     struct map *map)
{
	const struct process *facts = facts_of(recording, process);
	size_t most = process->module_count + facts->module_count;

	map->is_made = true;
	map->modules = allocate(most, sizeof *map->modules);
	map->last = allocate(most, sizeof *map->last);
	add_modules(map, process);
	if (facts != process)
		add_modules(map, facts);
	if (map->count)
		qsort(map->modules, map->count, sizeof *map->modules, by_first);
	for (size_t i = 0; i < map->count; i++) {
		uint64_t before = i ? map->last[i - 1] : 0, last = map->modules[i]->last;
		map->last[i] = last > before ? last : before;
	}
}

/* How many begin at the address or before it. */
static size_t count_up_to(const struct map *map, uint64_t address)
{
	return PARTITION_POINT(0, map->count, i, map->modules[i]->first <= address);
}

/* Of those that had been seen by then, the newest. */
static const struct module *find(const struct map *map, uint64_t address, uint32_t generation)
{
	const struct module *found = NULL;

	for (size_t i = count_up_to(map, address); i && map->last[i - 1] > address; i--) {
		const struct module *module = map->modules[i - 1];
		if (module->last > address && module->since <= generation &&
		    (!found || module->since > found->since))
			found = module;
	}
	return found;
}

struct naming *naming_open(const struct recording *recording, bool with_files)
{
	struct naming *naming = allocate(1, sizeof *naming);

	naming->recording = recording;
	naming->with_files = with_files;
	naming->maps = allocate(recording->process_count, sizeof *naming->maps);
	return naming;
}

void naming_ask_network(struct naming *naming)
{
	naming->asks_network = true;
}

void naming_watch(struct naming *naming, struct progress *progress)
{
	naming->progress = progress;
}

static void free_gaps(struct naming *naming)
{
	for (size_t i = 0; i < naming->gap_count; i++)
		free(naming->gaps[i].modules);
	free(naming->gaps);
	naming->gaps = NULL;
	naming->gap_count = naming->gap_room = 0;
}

void naming_close(struct naming *naming)
{
	for (size_t i = 0; i < naming->recording->process_count; i++) {
		struct map *map = &naming->maps[i];
		if (map->symbols)
			symbols_free(map->symbols);
		free(map->known);
		free(map->build_ids);
		free(map->modules);
		free(map->last);
	}
	free_gaps(naming);
	objects_close(&naming->objects);
	free(naming->maps);
	free(naming);
}

static struct map *map_of(struct naming *naming, const struct process *process)
{
	struct map *map = &naming->maps[process - naming->recording->processes];

	if (!map->is_made)
		make_map(naming->recording, process, map);
	return map;
}

const struct module *naming_module(struct naming *naming, const struct process *process,
				   uint64_t address, uint32_t generation)
{
	return find(map_of(naming, process), address, generation);
}

/* --- names ----------------------------------------------------------------------------------------------- */

static unsigned digit_of(char hex)
{
	return hex <= '9' ? (unsigned)(hex - '0') : (unsigned)(hex - 'a' + 10);
}

/* Our own digits, two for each byte. */
static size_t bytes_of(const char *hex, uint8_t *ret)
{
	size_t count = 0;

	for (; hex[2 * count]; count++)
		ret[count] = (uint8_t)(digit_of(hex[2 * count]) << 4 | digit_of(hex[2 * count + 1]));
	return count;
}

static void describe_modules(struct map *map)
{
	size_t bytes = 0;

	for (size_t i = 0; i < map->count; i++)
		bytes += strlen(map->modules[i]->build_id) / 2;
	map->build_ids = allocate(bytes, 1);
	map->known = allocate(map->count, sizeof *map->known);
	bytes = 0;
	for (size_t i = 0; i < map->count; i++) {
		const struct module *module = map->modules[i];
		size_t count = bytes_of(module->build_id, map->build_ids + bytes);
		map->known[i] = (struct symbol_module){
			.path = module->path,
			.build_id = map->build_ids + bytes,
			.build_id_bytes = count,
			.base = module->base,
			.first = module->first,
			.last = module->last,
			.since = module->since,
		};
		bytes += count;
	}
}

static struct symbols *symbols_of(struct naming *naming, const struct process *process)
{
	struct map *map = map_of(naming, process);
	if (map->symbols)
		return map->symbols;
	describe_modules(map);
	snprintf(map->perf_map, sizeof map->perf_map, "/tmp/perf-%u.map", process->record.pid);
	struct symbol_options options = {.perf_map = naming->with_files ? map->perf_map : NULL,
					 .pid = process->record.pid,
					 .no_files = !naming->with_files,
					 .ask_network = naming->asks_network,
					 .packed = naming->recording->names,
					 .objects = &naming->objects};
	map->symbols = symbols_open(map->known, map->count, &options);
	return map->symbols;
}

/* By file, then by address in it. */
static int by_place(const void *left, const void *right)
{
	const struct code *a = left, *b = right;
	if (!a->module || !b->module)
		return !!a->module - !!b->module;
	int order = strcmp(a->module->path, b->module->path);
	if (!order)
		order = strcmp(a->module->build_id, b->module->build_id);
	uint64_t at = a->address - a->module->base, other = b->address - b->module->base;
	return order ? order : (at > other) - (at < other);
}

void naming_prepare(struct naming *naming, struct code *codes, size_t count)
{
	const struct symbol_frame *frames;

	if (count)
		qsort(codes, count, sizeof *codes, by_place);
	for (size_t i = 0; i < count; i++) {
		progress_step(naming->progress, i, count);
		symbols_at(symbols_of(naming, codes[i].process), codes[i].address,
			   codes[i].generation, &frames);
	}
	progress_end(naming->progress);
}

/* Codes of all frames that a stack of the process leads through.  Returns how many; codes NULL: counts only. */
static size_t codes_of(struct naming *naming, const struct process *process, struct code *codes)
{
	const struct frame *list = process->frames->list;
	bool *is_seen = allocate(process->frames->count, sizeof *is_seen);
	size_t count = 0;

	for (size_t i = 0; i < process->site_count; i++)
		for (uint32_t at = process->sites[i].frame; at && !is_seen[at];
		     at = list[at].caller) {
			is_seen[at] = true;
			if (codes)
				codes[count] = (struct code){process,
							     naming_module(naming, process,
									   list[at].address,
									   list[at].generation),
							     list[at].address, list[at].generation};
			count++;
		}
	free(is_seen);
	return count;
}

void naming_prepare_all(struct naming *naming)
{
	const struct recording *recording = naming->recording;
	size_t count = 0, used = 0;

	for (size_t i = 0; i < recording->process_count; i++)
		count += codes_of(naming, &recording->processes[i], NULL);
	struct code *codes = allocate(count, sizeof *codes);
	for (size_t i = 0; i < recording->process_count; i++)
		used += codes_of(naming, &recording->processes[i], codes + used);
	naming_prepare(naming, codes, count);
	free(codes);
}

void *naming_pack(struct naming *naming, size_t *ret_byte_count, struct packing_sums *ret_sums,
		  struct failure *why)
{
	struct packing *packing = packing_begin();

	for (size_t i = 0; i < naming->recording->process_count; i++)
		if (naming->maps[i].symbols)
			symbols_pack(naming->maps[i].symbols, packing);
	return packing_end(packing, ret_byte_count, ret_sums, why);
}

size_t naming_calls(struct naming *naming, const struct code *code, struct call **ret)
{
	const struct symbol_frame *frames;
	struct symbols *symbols = symbols_of(naming, code->process);
	size_t count = symbols_at(symbols, code->address, code->generation, &frames);
	struct call *calls = allocate(count, sizeof *calls);

	for (size_t i = 0; i < count; i++)
		calls[i] = (struct call){frames[i].function, frames[i].file, frames[i].line,
					 frames[i].is_inlined};
	*ret = calls;
	return count;
}

/* --- what is missing ------------------------------------------------------------------------------------- */

static struct naming_gap *gap_of(struct naming *naming, const struct symbol_gap *found)
{
	for (size_t i = 0; i < naming->gap_count; i++)
		if (strcmp(naming->gaps[i].what, found->what) == 0 &&
		    strcmp(naming->gaps[i].help, found->help) == 0)
			return &naming->gaps[i];
	naming->gaps = allocate_more(naming->gaps, naming->gap_count, &naming->gap_room,
				     sizeof *naming->gaps);
	struct naming_gap *gap = &naming->gaps[naming->gap_count++];
	*gap = (struct naming_gap){.what = found->what, .help = found->help};
	return gap;
}

static bool has_module(const struct naming_gap *gap, const char *path)
{
	for (size_t i = 0; i < gap->module_count; i++)
		if (gap->modules[i] == path ||
		    (path && gap->modules[i] && strcmp(gap->modules[i], path) == 0))
			return true;
	return false;
}

static void add_gap(struct naming *naming, const struct symbol_gap *found)
{
	const char *path = found->module ? found->module->path : NULL;

	if (found->lack == SYMBOL_NOTHING)
		return;
	struct naming_gap *gap = gap_of(naming, found);
	gap->unnamed += found->unnamed;
	gap->unlined += found->unlined;
	if (has_module(gap, path))
		return;
	gap->modules = reallocarray(gap->modules, gap->module_count + 1, sizeof *gap->modules);
	gap->modules[gap->module_count++] = path;
}

static int most_first(const void *left, const void *right)
{
	const struct naming_gap *a = left, *b = right;
	uint64_t of_a = a->unnamed + a->unlined, of_b = b->unnamed + b->unlined;
	if (of_a != of_b)
		return of_a < of_b ? 1 : -1;
	int order = strcmp(a->what, b->what);
	return order ? order : strcmp(a->help, b->help);
}

size_t naming_gaps(struct naming *naming, const struct naming_gap **ret)
{
	free_gaps(naming);
	for (size_t i = 0; i < naming->recording->process_count; i++) {
		const struct symbol_gap *gaps;
		struct symbols *symbols = naming->maps[i].symbols;
		size_t count = symbols ? symbols_missing(symbols, &gaps) : 0;
		for (size_t g = 0; g < count; g++)
			add_gap(naming, &gaps[g]);
	}
	if (naming->gap_count)
		qsort(naming->gaps, naming->gap_count, sizeof *naming->gaps, most_first);
	*ret = naming->gaps;
	return naming->gap_count;
}
