/* SPDX-License-Identifier: MIT */
/* objects.c: see objects.h. */
#define _GNU_SOURCE 1

#include "symbol/objects.h"

#include "text/allocate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of files that stay open besides the one in use. */
static const uint64_t OTHERS_BYTES_MAX = UINT64_C(128) << 20;

static bool is_of(const struct object *object, const struct symbol_module *module)
{
	return object->path && module->path && strcmp(object->path, module->path) == 0 &&
	       object->id.byte_count == module->build_id_bytes &&
	       (!module->build_id_bytes ||
		memcmp(object->id.bytes, module->build_id, module->build_id_bytes) == 0);
}

struct object *objects_for(struct objects *objects, const struct symbol_module *module)
{
	for (size_t i = 0; i < objects->count; i++)
		if (is_of(objects->list[i], module))
			return objects->list[i];
	struct object *object = allocate(1, sizeof *object);

	object->path = module->path;
	object->id = (struct build_id){module->build_id, module->build_id_bytes};
	objects->list = allocate_more(objects->list, objects->count, &objects->room,
				      sizeof *objects->list);
	objects->list[objects->count++] = object;
	return object;
}

void objects_make_room(struct objects *objects, const struct object *in_use)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < objects->count; i++)
		if (objects->list[i] != in_use)
			bytes += object_bytes(objects->list[i]);
	for (size_t i = 0; i < objects->count && bytes > OTHERS_BYTES_MAX; i++) {
		if (objects->list[i] == in_use)
			continue;
		bytes -= object_bytes(objects->list[i]);
		object_close(objects->list[i]);
	}
}

/* Who packages it has its debug symbols; what nobody packages was built here. */
char *objects_help(struct objects *objects, const char *path, enum symbol_lack lack)
{
	char *help = NULL;

	if (lack != SYMBOL_STRIPPED && lack != SYMBOL_NO_DEBUG && lack != SYMBOL_INCOMPLETE)
		return NULL;
	char *package = package_of(&objects->packages, NULL, path);
	char *debug = package ? package_debug(package) : NULL;
	int made = 0;

	if (debug)
		made = asprintf(&help, "install %s, or build it with -g", debug);
	else if (packages_known(&objects->packages))
		made = asprintf(&help, "compile it with -g%s: no package has this file",
				lack == SYMBOL_STRIPPED ? " and do not strip it" : "");
	free(package);
	free(debug);
	return made < 0 ? NULL : help;
}

void objects_close(struct objects *objects)
{
	for (size_t i = 0; i < objects->count; i++) {
		object_close(objects->list[i]);
		free(objects->list[i]);
	}
	free(objects->list);
	packages_free(&objects->packages);
	*objects = (struct objects){0};
}
