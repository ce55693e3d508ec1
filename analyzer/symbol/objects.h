/* SPDX-License-Identifier: MIT */
/*
 * objects.h: the files that modules were mapped from, each once, whoever had it mapped: the same file of another
 * process or after a dlclose is the same object.  Those not in use are closed when they take much memory.
 */
#ifndef POOLMEM_SYMBOL_OBJECTS_H
#define POOLMEM_SYMBOL_OBJECTS_H

#include "symbol/object.h"
#include "symbol/package.h"

struct objects {
	struct object **list;
	size_t count, room;
	struct packages packages; /* that files are of: read when it is asked which */
};

/* path and build id stay the module's.  Opens nothing. */
struct object *objects_for(struct objects *objects, const struct symbol_module *module);

/* Closes others when they take much: they are opened again when they are asked. */
void objects_make_room(struct objects *objects, const struct object *in_use);

/* What would help; freed by the caller.  NULL: nothing better than symbol_lack_help() is known. */
char *objects_help(struct objects *objects, const char *path, enum symbol_lack lack);

void objects_close(struct objects *objects);

#endif
