/* SPDX-License-Identifier: MIT */
/* site_name.c: see site_name.h. */
#define _GNU_SOURCE 1

#include "study/site_name.h"

#include "study/site_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "parse.constprop.0", "parse(int) [clone .part.1]": which copies a compiler makes of a function is no change. */
static size_t length_of_name(const char *function)
{
	static const char *const endings[] = {" [clone ", ".constprop.", ".isra.",
					      ".part.",   ".cold",       ".lto_priv."};
	size_t length = strlen(function);

	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		const char *found = strstr(function, endings[i]);
		if (found && found != function && (size_t)(found - function) < length)
			length = (size_t)(found - function);
	}
	return length;
}

static bool has_build(const struct sites *sites, const char *build_id)
{
	for (size_t i = 1; sites && *build_id && i < sites->stacks.module_count; i++)
		if (strcmp(sites->stacks.modules[i]->build_id, build_id) == 0)
			return true;
	return false;
}

bool site_is_program(const struct recording *recording, const struct module *module)
{
	for (size_t i = 0; recording && module && module->path && i < recording->process_count; i++) {
		const char *exe = recording->processes[i].exe;
		if (exe && strcmp(exe, module->path) == 0)
			return true;
	}
	return false;
}

static void put_unnamed(const struct site_naming *naming, const struct stacks *stacks,
			uint32_t place, FILE *out)
{
	const struct module *module = stacks->modules[stacks->places[place].module];

	if (site_is_program(naming->recording, module))
		fprintf(out, "(program)");
	else
		fprintf(out, "%s", module ? stacks_module(stacks, place) : "");
	if (module && has_build(naming->left, module->build_id) &&
	    has_build(naming->right, module->build_id))
		fprintf(out, "+%llx", (unsigned long long)stacks->places[place].offset);
}

const char *site_file_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static void put_step(const struct site_naming *naming, const struct stacks *stacks,
		     const struct step *step, FILE *out)
{
	const struct call *call = step->call ? &step->call->call : NULL;
	const char *file = call && call->file ? call->file : "";

	if (call && call->function)
		fwrite(call->function, 1, length_of_name(call->function), out);
	else if (call)
		put_unnamed(naming, stacks, step->place, out);
	fprintf(out, "\n%s", site_file_name(file));
	if (naming->by_line && call)
		fprintf(out, ":%u", call->line);
	fprintf(out, "\n");
}

char *site_name(const struct site_naming *naming, struct sites *sites, const struct site *site)
{
	struct site_path path = {.list = NULL};
	char *name = NULL;
	size_t bytes;
	FILE *out = open_memstream(&name, &bytes);

	if (!out)
		abort();
	site_path_find(sites, site, &path);
	for (size_t i = 0; i < path.count; i++)
		put_step(naming, &sites->stacks, &path.list[i], out);
	site_path_free(&path);
	if (fclose(out))
		abort();
	return name;
}
