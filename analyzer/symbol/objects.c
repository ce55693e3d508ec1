/* SPDX-License-Identifier: MIT */
/* objects.c: see objects.h. */
#include "symbol/objects.h"

#include "text/allocate.h"

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

void objects_close(struct objects *objects)
{
	for (size_t i = 0; i < objects->count; i++) {
		object_close(objects->list[i]);
		free(objects->list[i]);
	}
	free(objects->list);
	*objects = (struct objects){0};
}
