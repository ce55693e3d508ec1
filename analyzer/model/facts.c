/* SPDX-License-Identifier: MIT */
/* facts.c: exe, arguments, settings, parents and modules of a process. */
#include "source/facts.h"

#include "model/parts.h"
#include "text/allocate.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *text_of(const struct fact *fact)
{
	size_t bytes = fact->byte_count < PATH_MAX ? fact->byte_count : PATH_MAX;
	return allocate_text(fact->payload, strnlen((const char *)fact->payload, bytes));
}

static void set_text(char **member, char *text)
{
	free(*member);
	*member = text;
}

/* Texts that each end with a NUL; the last one may lack it. */
static void read_argv(const struct fact *fact, struct process *process)
{
	size_t room = process->argv_count;
	for (size_t at = 0; at < fact->byte_count;) {
		const char *text = (const char *)fact->payload + at;
		size_t length = strnlen(text, fact->byte_count - at);
		process->argv = allocate_more(process->argv, process->argv_count, &room,
					      sizeof *process->argv);
		process->argv[process->argv_count++] = allocate_text(text, length);
		at += length + 1;
	}
}

/* key=value NUL key=value NUL, shown with commas as the user wrote them. */
static char *options_of(const struct fact *fact)
{
	char *text = allocate_text(fact->payload, fact->byte_count);
	size_t length = fact->byte_count;

	while (length && !text[length - 1])
		length--;
	for (size_t i = 0; i < length; i++)
		if (!text[i])
			text[i] = ',';
	return text;
}

static void read_parents(const struct fact *fact, struct process *process)
{
	free(process->parents);
	process->parent_count = fact->byte_count / sizeof *process->parents;
	process->parents = allocate(process->parent_count, sizeof *process->parents);
	memcpy(process->parents, fact->payload, process->parent_count * sizeof *process->parents);
}

static char *hex_of(const unsigned char *bytes, size_t byte_count)
{
	char *text = allocate(byte_count * 2 + 1, 1);
	for (size_t i = 0; i < byte_count; i++)
		sprintf(text + i * 2, "%02x", bytes[i]);
	return text;
}

/* What grows, and holds, while the modules of a process come in. */
struct modules {
	size_t room;
	uint32_t generation;
	char *directory; /* NULL: not known */
};

/* Words that this poolmem does not know are left out, those that the file lacks are 0. */
static void read_inside(const struct fact *fact, struct process *process)
{
	size_t bytes = PM_INSIDE_COUNT * sizeof *process->inside;

	free(process->inside);
	process->inside = allocate(1, bytes);
	memcpy(process->inside, fact->payload, fact->byte_count < bytes ? fact->byte_count : bytes);
}

static void read_generation(const struct fact *fact, struct modules *modules)
{
	if (fact->byte_count >= sizeof modules->generation)
		memcpy(&modules->generation, fact->payload, sizeof modules->generation);
}

static char *join(const char *directory, const unsigned char *path, size_t bytes)
{
	size_t length = strlen(directory);
	char *joined = allocate(length + bytes + 2, 1);

	snprintf(joined, length + bytes + 2, "%s/%.*s", directory, (int)bytes, (const char *)path);
	return joined;
}

/* The loader has no name for the program itself, and others as they were asked for. */
static char *path_of(const unsigned char *path, size_t bytes, const struct process *process,
		     const char *directory)
{
	const char *exe = process->exe ? process->exe : "";

	if (!bytes)
		return allocate_text(exe, strlen(exe));
	if (directory && *path != '/' && memchr(path, '/', bytes))
		return join(directory, path, bytes);
	return allocate_text(path, bytes);
}

static void read_module(const struct fact *fact, struct modules *modules, struct process *process)
{
	struct pm_module module;

	if (fact->byte_count < sizeof module) {
		process->facts_cut = true;
		return;
	}
	memcpy(&module, fact->payload, sizeof module);
	const unsigned char *names = fact->payload + sizeof module;
	size_t left = fact->byte_count - sizeof module;
	if (module.build_id_bytes > left || module.path_bytes > left - module.build_id_bytes) {
		process->facts_cut = true;
		return;
	}
	process->modules = allocate_more(process->modules, process->module_count, &modules->room,
					 sizeof *process->modules);
	process->modules[process->module_count++] = (struct module){
		.base = module.base,
		.first = module.first,
		.last = module.last,
		.since = modules->generation,
		.build_id = hex_of(names, module.build_id_bytes),
		.path = path_of(names + module.build_id_bytes, module.path_bytes, process,
				modules->directory),
	};
}

/* `value` in place of what key= has in "key=value,key=value", where it is there. */
static void replace_value(char **options, const char *key, const char *value)
{
	size_t key_bytes = strlen(key);
	char *item = *options;

	while (item && strncmp(item, key, key_bytes) != 0) {
		item = strchr(item, ',');
		item += item != NULL;
	}
	if (!item)
		return;
	const char *rest = item + strcspn(item, ",");
	size_t before = (size_t)(item - *options) + key_bytes;
	size_t bytes = before + strlen(value) + strlen(rest) + 1;
	char *replaced = allocate(bytes, 1);
	snprintf(replaced, bytes, "%.*s%s%s", (int)before, *options, value, rest);
	set_text(options, replaced);
}

/* What was asked for while it ran stands for what it was started with. */
static void update_options(struct process *process)
{
	uint64_t period = process->record.site_period;
	char bytes[24];

	if (!process->options || !process->record.site_since_ns)
		return;
	replace_value(&process->options, "sites=",
		      !period       ? "off"
		      : period == 1 ? "all"
				    : "sample");
	snprintf(bytes, sizeof bytes, "%" PRIu64, period);
	if (period > 1)
		replace_value(&process->options, "sites.period=", bytes);
}

void read_facts(const struct image *image, struct process *process)
{
	struct facts facts;
	struct fact fact;
	struct modules modules = {.generation = 0};

	facts_open(image, PM_CHUNK_FACTS, process->chunk, &facts);
	while (facts_next(&facts, &fact)) {
		if (fact.tag == PM_FACT_EXE)
			set_text(&process->exe, text_of(&fact));
		else if (fact.tag == PM_FACT_NEXT)
			set_text(&process->next_allocator, text_of(&fact));
		else if (fact.tag == PM_FACT_OPTIONS)
			set_text(&process->options, options_of(&fact));
		else if (fact.tag == PM_FACT_ARGV)
			read_argv(&fact, process);
		else if (fact.tag == PM_FACT_PARENTS)
			read_parents(&fact, process);
		else if (fact.tag == PM_FACT_MODULE)
			read_module(&fact, &modules, process);
		else if (fact.tag == PM_FACT_INSIDE)
			read_inside(&fact, process);
		else if (fact.tag == PM_FACT_GENERATION)
			read_generation(&fact, &modules);
		else if (fact.tag == PM_FACT_DIRECTORY)
			set_text(&modules.directory, text_of(&fact));
	}
	update_options(process);
	process->facts_cut |= facts.is_cut;
	facts_close(&facts);
	free(modules.directory);
}
