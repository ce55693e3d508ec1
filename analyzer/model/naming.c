/* SPDX-License-Identifier: MIT */
/* naming.c: see naming.h. */
#include "model/naming.h"

#include "text/allocate.h"

#include <stdlib.h>

/* The modules of a process: its own, and those of whom it has its facts from. */
struct map {
	const struct module **modules; /* by first address, newest last */
	uint64_t *last;                /* the highest of those up to here */
	size_t count;
	bool is_made;
};

struct naming {
	const struct recording *recording;
	struct map *maps; /* by process */
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
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (map->modules[middle]->first <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
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

struct naming *naming_open(const struct recording *recording)
{
	struct naming *naming = allocate(1, sizeof *naming);

	naming->recording = recording;
	naming->maps = allocate(recording->process_count, sizeof *naming->maps);
	return naming;
}

void naming_close(struct naming *naming)
{
	for (size_t i = 0; i < naming->recording->process_count; i++) {
		free(naming->maps[i].modules);
		free(naming->maps[i].last);
	}
	free(naming->maps);
	free(naming);
}

const struct module *naming_module(struct naming *naming, const struct process *process,
				   uint64_t address, uint32_t generation)
{
	struct map *map = &naming->maps[process - naming->recording->processes];

	if (!map->is_made)
		make_map(naming->recording, process, map);
	return find(map, address, generation);
}

size_t naming_calls(struct naming *naming, const struct code *code, const struct call **ret)
{
	(void)naming;
	(void)code;
	*ret = NULL;
	return 0;
}
