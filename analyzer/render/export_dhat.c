/* SPDX-License-Identifier: MIT */
/*
 * export_dhat.c: what valgrind's DHAT would have written, for its viewer.  Time is counted in epochs.
 *
 * The highest of a stack by itself is not known: what was live of it at the peak of the process or lives at the end
 * stands for it.  Nor is it known when the peak was: the end stands for that.
 */
#define _GNU_SOURCE 1

#include "render/command.h"
#include "render/export.h"
#include "render/json.h"
#include "render/sites.h"
#include "study/lifetimes.h"
#include "text/allocate.h"
#include "text/intern.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* X(key, figure) */
#define POINT_FIGURES(X)                                                                           \
	X(tb, SITE_ALLOCATED_BYTES)                                                                \
	X(tbk, SITE_ALLOCATED)                                                                     \
	X(gb, SITE_PEAK_BYTES)                                                                     \
	X(gbk, SITE_PEAK)                                                                          \
	X(eb, SITE_LIVE_BYTES)                                                                     \
	X(ebk, SITE_LIVE)

/* Stacks of one text are one point: the viewer refuses others. */
struct point {
#define POINT_FIELD(key, figure) double key;
	POINT_FIGURES(POINT_FIELD)
#undef POINT_FIELD
	double tl;
	json_t *fs;
};

struct points {
	struct sites *sites;
	struct interned frames, stacks;
	struct point *list;
	size_t room;
};

/* "0x1196: parse (work.c:19)", as valgrind has them. */
static char *frame_text(const struct stacks *stacks, uint32_t number, const struct call *call)
{
	const struct place *place = &stacks->places[number];
	const struct module *module = stacks->modules[place->module];
	const char *function = call->function ? call->function : "???";
	char *text = NULL;
	int length;

	if (call->file && call->line)
		length = asprintf(&text, "0x%" PRIX64 ": %s (%s:%u)", place->offset, function,
				  call->file, call->line);
	else if (module)
		length = asprintf(&text, "0x%" PRIX64 ": %s (in %s)", place->offset, function,
				  module->path);
	else
		length = asprintf(&text, "0x%" PRIX64 ": %s", place->offset, function);
	if (length < 0)
		abort();
	char *shown = export_text(text);
	free(text);
	return shown;
}

static void append_place(struct points *points, struct walk at, json_t *stack)
{
	size_t count;
	const struct named_call *calls = stacks_calls(&points->sites->stacks, at.place, &count);

	for (size_t i = at.call; i < count; i++) {
		char *text = frame_text(&points->sites->stacks, at.place, &calls[i].call);
		json_array_append_new(stack, json_count(intern(&points->frames, text)));
		free(text);
	}
}

/* Innermost first. */
static json_t *stack_json(struct points *points, struct walk at)
{
	json_t *stack = json_array();

	if (!at.place)
		json_array_append_new(stack, json_count(intern(&points->frames, export_unknown)));
	for (; at.place; at = (struct walk){points->sites->stacks.places[at.place].caller, 0})
		append_place(points, at, stack);
	return stack;
}

static struct point *point_of(struct points *points, const struct site *site)
{
	json_t *stack = stack_json(points, site_origin(points->sites, site));
	char *key = json_dumps(stack, JSON_COMPACT);
	size_t before = points->stacks.count, number = intern(&points->stacks, key);

	free(key);
	points->list = allocate_more(points->list, number, &points->room, sizeof *points->list);
	if (points->stacks.count > before)
		points->list[number].fs = stack;
	else
		json_decref(stack);
	return &points->list[number];
}

static void add_sites(struct points *points, const double *lifetimes)
{
	for (size_t i = 0; i < points->sites->count; i++) {
		const struct site *site = &points->sites->list[i];
		struct point *point = point_of(points, site);
#define ADD(key, figure) point->key += site_value(&site->sums, figure);
		POINT_FIGURES(ADD)
#undef ADD
		point->tl += lifetimes[site->place];
	}
}

static double higher(double a, double b)
{
	return a > b ? a : b;
}

static json_t *point_json(const struct point *point)
{
	json_t *object = json_object();

#define PUT(key, figure) json_put(object, #key, json_count(sites_whole(point->key)));
	POINT_FIGURES(PUT)
#undef PUT
	json_put(object, "tl", json_count(sites_whole(point->tl)));
	json_put(object, "mb", json_count(sites_whole(higher(point->gb, point->eb))));
	json_put(object, "mbk", json_count(sites_whole(higher(point->gbk, point->ebk))));
	json_put(object, "fs", point->fs);
	return object;
}

static json_t *text_json(char *text)
{
	char *shown = export_text(text);
	json_t *json = json_text(shown);

	free(shown);
	free(text);
	return json;
}

static json_t *mode_json(const struct sites *sites)
{
	char *comment = export_comment(sites), *text = NULL;

	if (asprintf(&text, "heap (%s; lifetimes are estimates; when the peak was is not known)",
		     comment) < 0)
		abort();
	free(comment);
	return text_json(text);
}

static void put_facts(json_t *document, const struct export *export)
{
	json_t *end = json_count(epochs_at_most(export->study) + 1); /* one has begun */

	json_put(document, "dhatFileVersion", json_count(2));
	json_put(document, "mode", mode_json(export->sites));
	json_put(document, "verb", json_text("Allocated"));
	json_put(document, "bklt", json_true());
	json_put(document, "bkacc", json_false());
	json_put(document, "tu", json_text("epochs"));
	json_put(document, "Mtu", json_text("Mepoch"));
	json_put(document, "tuth", json_count(1));
	json_put(document, "cmd", text_json(command_of_all(export->study)));
	json_put(document, "pid", json_count(export->study->processes[0].process->record.pid));
	json_put(document, "te", end);
	json_put(document, "tg", json_incref(end));
}

static void put_points(json_t *document, struct points *points)
{
	json_t *list = json_array(), *frames = json_array();

	for (size_t i = 0; i < points->stacks.count; i++)
		json_array_append_new(list, point_json(&points->list[i]));
	for (size_t i = 0; i < points->frames.count; i++)
		json_array_append_new(frames, json_text(points->frames.list[i]));
	json_put(document, "pps", list);
	json_put(document, "ftbl", frames);
}

bool export_dhat(const struct export *export, struct sink *sink, struct failure *why)
{
	struct points points = {.sites = export->sites};
	double *lifetimes = lifetimes_of(export->study, export->sites);
	json_t *document = json_object();

	(void)why;
	intern(&points.frames, "[root]");
	add_sites(&points, lifetimes);
	put_facts(document, export);
	put_points(document, &points);
	free(lifetimes);
	free(points.list);
	interned_free(&points.frames);
	interned_free(&points.stacks);
	json_print(document, sink);
	return true;
}
