/* SPDX-License-Identifier: MIT */
/* export_speedscope.c: profiles in the format of speedscope, one for each of four figures, of the same stacks. */
#define _GNU_SOURCE 1

#include "render/command.h"
#include "render/export.h"
#include "render/json.h"
#include "text/intern.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *name;
	enum site_figure figure;
	enum site_order order; /* that makes it the one shown first */
} profiles[] = {
	{"allocated", SITE_ALLOCATED_BYTES, SITE_ORDER_ALLOCATED},
	{"live", SITE_LIVE_BYTES, SITE_ORDER_LIVE},
	{"peak", SITE_PEAK_BYTES, SITE_ORDER_PEAK},
	{"leaked", SITE_LEAKED_BYTES, SITE_ORDER_LEAKED},
};

enum { PROFILE_COUNT = sizeof profiles / sizeof *profiles };

struct frames_of_stacks {
	struct interned known; /* "name\nfile": calls of a function are one frame, as its readers expect */
	json_t *list;
};

static json_t *frame_json(const char *name, const char *file)
{
	json_t *object = json_object();

	json_put(object, "name", json_text(name));
	if (*file)
		json_put(object, "file", json_text(file));
	return object;
}

static json_t *frame_number(struct frames_of_stacks *frames, const struct named_call *call)
{
	char *name = export_label(call), *file = export_file(call), *key = NULL;
	size_t before = frames->known.count;

	if (asprintf(&key, "%s\n%s", name, file) < 0)
		abort();
	uint32_t number = intern(&frames->known, key);
	if (frames->known.count > before)
		json_array_append_new(frames->list, frame_json(name, file));
	free(key);
	free(file);
	free(name);
	return json_count(number);
}

/* Outermost first. */
static json_t *stack_json(struct frames_of_stacks *frames, struct sites *sites,
			  const struct site *site)
{
	struct walk walk = site_origin(sites, site);
	const struct named_call *call;
	json_t *stack = json_array();

	while ((call = walk_next(&sites->stacks, &walk)))
		json_array_insert_new(stack, 0, frame_number(frames, call));
	if (!site->place)
		json_array_append_new(stack, frame_number(frames, NULL));
	return stack;
}

static json_t *stacks_json(struct frames_of_stacks *frames, struct sites *sites)
{
	json_t *stacks = json_array();

	for (size_t i = 0; i < sites->count; i++)
		json_array_append_new(stacks, stack_json(frames, sites, &sites->list[i]));
	return stacks;
}

static json_t *profile_json(size_t which, const struct sites *sites, json_t *stacks)
{
	json_t *object = json_object(), *samples = json_array(), *weights = json_array();
	uint64_t end = 0;
	char name[64];

	for (size_t i = 0; i < sites->count; i++) {
		uint64_t weight = export_whole(&sites->list[i].sums, profiles[which].figure);
		if (!weight)
			continue;
		json_array_append(samples, json_array_get(stacks, i));
		json_array_append_new(weights, json_count(weight));
		end += weight;
	}
	snprintf(name, sizeof name, "%s%s", profiles[which].name,
		 sites->period_max > 1 ? " (estimates from a sample)" : "");
	json_put(object, "type", json_text("sampled"));
	json_put(object, "name", json_text(name));
	json_put(object, "unit", json_text("bytes"));
	json_put(object, "startValue", json_count(0));
	json_put(object, "endValue", json_count(end));
	json_put(object, "samples", samples);
	json_put(object, "weights", weights);
	return object;
}

static json_t *title_json(const struct export *export)
{
	char *command = command_of_all(export->study), *shown = export_text(command);
	json_t *title = json_text(shown);

	free(shown);
	free(command);
	return title;
}

static size_t first_shown(enum site_order order)
{
	for (size_t i = 0; i < PROFILE_COUNT; i++)
		if (profiles[i].order == order)
			return i;
	return 0;
}

bool export_speedscope(const struct export *export, struct sink *sink, struct failure *why)
{
	struct frames_of_stacks frames = {.list = json_array()};
	json_t *document = json_object(), *shared = json_object(), *list = json_array();
	json_t *stacks = stacks_json(&frames, export->sites);

	(void)why;
	for (size_t i = 0; i < PROFILE_COUNT; i++)
		json_array_append_new(list, profile_json(i, export->sites, stacks));
	json_put(document, "$schema",
		 json_text("https://www.speedscope.app/file-format-schema.json"));
	json_put(document, "exporter", json_text("poolmem"));
	json_put(document, "name", title_json(export));
	json_put(document, "activeProfileIndex", json_count(first_shown(export->sites->order)));
	json_put(shared, "frames", frames.list);
	json_put(document, "shared", shared);
	json_put(document, "profiles", list);
	json_decref(stacks);
	interned_free(&frames.known);
	json_print(document, sink);
	return true;
}
