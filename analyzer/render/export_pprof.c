/* SPDX-License-Identifier: MIT */
/*
 * export_pprof.c: a profile in the format of pprof, gzip'ed.
 *
 * A sample is what a stack allocated of one size.  A location is a place of a module, whoever called it: its address is
 * that of the call's last byte, as the recorded one is where the call returns to and may belong to the next line.
 */
#define _GNU_SOURCE 1

#include "render/export.h"

#include "render/export_proto.h"
#include "text/allocate.h"
#include "text/intern.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

/* Numbers of fields, by message. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_TIME_NS = 9,
	PROFILE_DURATION_NS = 10,
	PROFILE_PERIOD_TYPE = 11,
	PROFILE_PERIOD = 12,
	PROFILE_COMMENT = 13,
	PROFILE_DEFAULT_TYPE = 14,
	VALUE_TYPE = 1,
	VALUE_UNIT = 2,
	SAMPLE_LOCATION = 1,
	SAMPLE_VALUE = 2,
	SAMPLE_LABEL = 3,
	LABEL_KEY = 1,
	LABEL_NUMBER = 3,
	LABEL_UNIT = 4,
	MAPPING_ID = 1,
	MAPPING_START = 2,
	MAPPING_LIMIT = 3,
	MAPPING_FILE = 5,
	MAPPING_BUILD_ID = 6,
	MAPPING_HAS_FUNCTIONS = 7,
	MAPPING_HAS_FILES = 8,
	MAPPING_HAS_LINES = 9,
	MAPPING_HAS_INLINED = 10,
	LOCATION_ID = 1,
	LOCATION_MAPPING = 2,
	LOCATION_ADDRESS = 3,
	LOCATION_LINE = 4,
	LINE_FUNCTION = 1,
	LINE_NUMBER = 2,
	FUNCTION_ID = 1,
	FUNCTION_NAME = 2,
	FUNCTION_SYSTEM_NAME = 3,
	FUNCTION_FILE = 4,
};

static const struct {
	const char *type, *unit;
	enum site_figure figure;
	enum site_order order; /* that makes it the one shown first */
} values[] = {
	{"alloc_objects", "count", SITE_ALLOCATED, SITE_ORDER_BLOCKS},
	{"alloc_space", "bytes", SITE_ALLOCATED_BYTES, SITE_ORDER_ALLOCATED},
	{"inuse_objects", "count", SITE_LIVE, SITE_ORDER_COUNT},
	{"inuse_space", "bytes", SITE_LIVE_BYTES, SITE_ORDER_LIVE},
};

enum { VALUE_COUNT = sizeof values / sizeof *values };

/* What is known of a module, as far as it was asked for. */
struct mapping {
	uint32_t id; /* 0: no location is in it */
	bool has_functions, has_files, has_lines, has_inlined;
};

/* Ids are numbers of what is interned, plus 1. */
struct profile {
	const struct export *export;
	struct interned strings, functions, locations;
	struct proto out, samples, location_list, function_list;
	struct mapping *mappings; /* by number of the module */
	uint32_t *modules;        /* by id of the mapping, less 1 */
	uint32_t mapping_count;
};

static uint64_t number_of(struct profile *profile, const char *text)
{
	return intern(&profile->strings, text);
}

/* Takes the text. */
static uint64_t number_of_taken(struct profile *profile, char *text)
{
	uint64_t number = number_of(profile, text);
	free(text);
	return number;
}

/* --- functions, locations, mappings ---------------------------------------------------------------------- */

static uint64_t function_of(struct profile *profile, const struct named_call *call)
{
	char *name = export_label(call), *file = export_file(call), *key = NULL;
	size_t count = profile->functions.count;
	struct proto message = {.used = 0};

	if (asprintf(&key, "%s\n%s", name, file) < 0)
		abort();
	uint64_t id = intern(&profile->functions, key) + 1;
	if (profile->functions.count > count) {
		proto_number(&message, FUNCTION_ID, id);
		proto_number(&message, FUNCTION_NAME, number_of(profile, name));
		proto_number(&message, FUNCTION_SYSTEM_NAME, number_of(profile, name));
		proto_number(&message, FUNCTION_FILE, number_of(profile, file));
		proto_put(&profile->function_list, PROFILE_FUNCTION, &message);
	}
	proto_free(&message);
	free(key);
	free(file);
	free(name);
	return id;
}

static void put_line(struct profile *profile, const struct named_call *call, struct proto *location)
{
	struct proto line = {.used = 0};

	proto_number(&line, LINE_FUNCTION, function_of(profile, call));
	proto_number(&line, LINE_NUMBER, call ? call->call.line : 0);
	proto_put(location, LOCATION_LINE, &line);
	proto_free(&line);
}

/* What has no name has no line: whoever reads it may know a name. */
static void put_lines(struct profile *profile, struct walk at, struct mapping *mapping,
		      struct proto *location)
{
	size_t count;
	const struct named_call *calls = stacks_calls(&profile->export->sites->stacks, at.place,
						      &count);

	for (size_t i = at.call; i < count; i++) {
		if (!calls[i].call.function)
			continue;
		mapping->has_functions = true;
		mapping->has_files |= calls[i].call.file != NULL;
		mapping->has_lines |= calls[i].call.line != 0;
		mapping->has_inlined |= calls[i].call.is_inlined;
		put_line(profile, &calls[i], location);
	}
}

static uint32_t mapping_of(struct profile *profile, uint32_t module)
{
	struct mapping *mapping = &profile->mappings[module];

	if (module && !mapping->id) {
		profile->modules[profile->mapping_count++] = module;
		mapping->id = profile->mapping_count;
	}
	return mapping->id;
}

static void put_location(struct profile *profile, struct walk at, uint64_t id)
{
	const struct stacks *stacks = &profile->export->sites->stacks;
	const struct place *place = &stacks->places[at.place];
	const struct module *module = stacks->modules[place->module];
	uint64_t address = place->offset + (module ? module->base : 0);
	struct proto message = {.used = 0};

	proto_number(&message, LOCATION_ID, id);
	proto_number(&message, LOCATION_MAPPING, mapping_of(profile, place->module));
	proto_number(&message, LOCATION_ADDRESS, address ? address - 1 : 0);
	if (at.place)
		put_lines(profile, at, &profile->mappings[place->module], &message);
	else
		put_line(profile, NULL, &message);
	proto_put(&profile->location_list, PROFILE_LOCATION, &message);
	proto_free(&message);
}

/* From a call of the place on: those inlined before it are left out.  Place 0: what stands for a stack that is not known. */
static uint64_t location_of(struct profile *profile, struct walk at)
{
	const struct place *place = &profile->export->sites->stacks.places[at.place];
	size_t count = profile->locations.count;
	char key[96];

	snprintf(key, sizeof key, "%d %" PRIu32 " %" PRIx64 " %zu", at.place != 0, place->module,
		 place->offset, at.call);
	uint64_t id = intern(&profile->locations, key) + 1;
	if (profile->locations.count > count)
		put_location(profile, at, id);
	return id;
}

static void put_mapping(struct profile *profile, uint32_t number)
{
	const struct module *module = profile->export->sites->stacks.modules[number];
	const struct mapping *mapping = &profile->mappings[number];
	struct proto message = {.used = 0};

	proto_number(&message, MAPPING_ID, mapping->id);
	proto_number(&message, MAPPING_START, module->first);
	proto_number(&message, MAPPING_LIMIT, module->last);
	proto_number(&message, MAPPING_FILE, number_of_taken(profile, export_text(module->path)));
	proto_number(&message, MAPPING_BUILD_ID,
		     number_of_taken(profile, export_text(module->build_id)));
	proto_number(&message, MAPPING_HAS_FUNCTIONS, mapping->has_functions);
	proto_number(&message, MAPPING_HAS_FILES, mapping->has_files);
	proto_number(&message, MAPPING_HAS_LINES, mapping->has_lines);
	proto_number(&message, MAPPING_HAS_INLINED, mapping->has_inlined);
	proto_put(&profile->out, PROFILE_MAPPING, &message);
	proto_free(&message);
}

/* The first mapping names the program. */
static void begin_with_program(struct profile *profile)
{
	const struct stacks *stacks = &profile->export->sites->stacks;
	const struct process *process = profile->export->study->processes[0].process;

	for (uint32_t i = 1; i < stacks->module_count; i++)
		if (process->module_count && stacks->modules[i] == &process->modules[0])
			mapping_of(profile, i);
}

/* --- samples --------------------------------------------------------------------------------------------- */

static void put_label(struct profile *profile, const struct site_class *row, struct proto *sample)
{
	struct proto label = {.used = 0};

	if (row->kind != PM_CLASS_POOL)
		return;
	proto_number(&label, LABEL_KEY, number_of(profile, "bytes"));
	proto_number(&label, LABEL_NUMBER, row->block_bytes);
	proto_number(&label, LABEL_UNIT, number_of(profile, "bytes"));
	proto_put(sample, SAMPLE_LABEL, &label);
	proto_free(&label);
}

static void put_sample(struct profile *profile, const struct site *site,
		       const struct site_class *row)
{
	const struct place *places = profile->export->sites->stacks.places;
	struct walk first = site_origin(profile->export->sites, site);
	struct proto sample = {.used = 0}, list = {.used = 0};

	proto_append(&list, location_of(profile, first));
	for (uint32_t at = places[first.place].caller; at; at = places[at].caller)
		proto_append(&list, location_of(profile, (struct walk){at, 0}));
	proto_put(&sample, SAMPLE_LOCATION, &list);
	for (size_t i = 0; i < VALUE_COUNT; i++)
		proto_append(&list, export_whole(&row->sums, values[i].figure));
	proto_put(&sample, SAMPLE_VALUE, &list);
	put_label(profile, row, &sample);
	proto_put(&profile->samples, PROFILE_SAMPLE, &sample);
	proto_free(&list);
	proto_free(&sample);
}

static void put_samples(struct profile *profile)
{
	const struct sites *sites = profile->export->sites;

	for (size_t i = 0; i < sites->count; i++) {
		const struct site *site = &sites->list[i];
		for (size_t j = 0; j < site->class_count; j++)
			put_sample(profile, site, &sites->classes[site->first_class + j]);
	}
}

/* --- the whole ------------------------------------------------------------------------------------------- */

static void put_type(struct profile *profile, unsigned field, const char *type, const char *unit)
{
	struct proto message = {.used = 0};

	proto_number(&message, VALUE_TYPE, number_of(profile, type));
	proto_number(&message, VALUE_UNIT, number_of(profile, unit));
	proto_put(&profile->out, field, &message);
	proto_free(&message);
}

static const char *default_type(enum site_order order)
{
	for (size_t i = 0; i < VALUE_COUNT; i++)
		if (values[i].order == order)
			return values[i].type;
	return "inuse_space";
}

static void put_facts(struct profile *profile)
{
	const struct export *export = profile->export;
	const struct process *first = export->study->processes[0].process;
	struct proto comments = {.used = 0};

	proto_number(&profile->out, PROFILE_TIME_NS, first->record.began_real_ns);
	proto_number(&profile->out, PROFILE_DURATION_NS,
		     metric(&export->study->total.metrics, METRIC_PROCESS_ELAPSED));
	put_type(profile, PROFILE_PERIOD_TYPE, "space", "bytes");
	proto_number(&profile->out, PROFILE_PERIOD, export->sites->period_max);
	proto_append(&comments, number_of_taken(profile, export_comment(export->sites)));
	proto_put(&profile->out, PROFILE_COMMENT, &comments);
	proto_number(&profile->out, PROFILE_DEFAULT_TYPE,
		     number_of(profile, default_type(export->sites->order)));
	proto_free(&comments);
}

static void make(struct profile *profile)
{
	number_of(profile, "");
	for (size_t i = 0; i < VALUE_COUNT; i++)
		put_type(profile, PROFILE_SAMPLE_TYPE, values[i].type, values[i].unit);
	begin_with_program(profile);
	put_samples(profile);
	proto_join(&profile->out, &profile->samples);
	for (uint32_t i = 0; i < profile->mapping_count; i++)
		put_mapping(profile, profile->modules[i]);
	proto_join(&profile->out, &profile->location_list);
	proto_join(&profile->out, &profile->function_list);
	put_facts(profile);
	for (size_t i = 0; i < profile->strings.count; i++)
		proto_text(&profile->out, PROFILE_STRING, profile->strings.list[i]);
}

static bool put_gzip(const struct proto *profile, struct sink *sink, struct failure *why)
{
	enum { GZIP = 16, MEMORY = 8, PART = 1 << 30 };
	z_stream stream = {.next_in = profile->bytes};
	unsigned char part[16384];
	int done = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP,
				MEMORY, Z_DEFAULT_STRATEGY);

	if (done != Z_OK)
		return fail(why, FAILURE_WRITE, "zlib cannot compress");
	for (size_t left = profile->used; done == Z_OK;) {
		stream.avail_in = left < PART ? (unsigned)left : PART;
		unsigned given = stream.avail_in;
		stream.next_out = part;
		stream.avail_out = sizeof part;
		done = deflate(&stream, left == given ? Z_FINISH : Z_NO_FLUSH);
		left -= given - stream.avail_in;
		sink_bytes(sink, (const char *)part, sizeof part - stream.avail_out);
	}
	deflateEnd(&stream);
	return done == Z_STREAM_END || fail(why, FAILURE_WRITE, "zlib cannot compress");
}

static void profile_free(struct profile *profile)
{
	interned_free(&profile->strings);
	interned_free(&profile->functions);
	interned_free(&profile->locations);
	proto_free(&profile->out);
	proto_free(&profile->samples);
	proto_free(&profile->location_list);
	proto_free(&profile->function_list);
	free(profile->mappings);
	free(profile->modules);
}

bool export_pprof(const struct export *export, struct sink *sink, struct failure *why)
{
	size_t modules = export->sites->stacks.module_count;
	struct profile profile = {.export = export};

	profile.mappings = allocate(modules, sizeof *profile.mappings);
	profile.modules = allocate(modules, sizeof *profile.modules);
	make(&profile);
	bool done = put_gzip(&profile.out, sink, why);
	profile_free(&profile);
	return done;
}
