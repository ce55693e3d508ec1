/* SPDX-License-Identifier: MIT */
/* object.c: see object.h. */
#include "symbol/object.h"

#include "symbol/separate.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

static const char DEBUG_DIRS[] = "/usr/lib/debug";

/* A recorded build id must be the file's; without one there is nothing to compare. */
static bool is_same(const struct object *object)
{
	return !object->id.byte_count ||
	       build_id_equal(object->id, binary_build_id(&object->binary));
}

static enum symbol_lack begin_debug(struct object *object, struct binary *of, const char *dirs)
{
	bool needs_shared = false;
	bool has_shared = separate_open_shared(of, dirs, &object->shared, &needs_shared);

	if (needs_shared && !has_shared)
		return SYMBOL_INCOMPLETE;
	object->has_debug = debug_begin(&object->debug, of, has_shared ? &object->shared : NULL);
	if (object->has_debug)
		return object->debug.is_split ? SYMBOL_SPLIT : SYMBOL_NOTHING;
	binary_close(&object->shared);
	return SYMBOL_NO_DEBUG;
}

/* Its own debug information, or that of the file beside it. */
static enum symbol_lack open_debug(struct object *object, const char *dirs, bool ask_network)
{
	enum symbol_lack lack = begin_debug(object, &object->binary, dirs);

	if (lack != SYMBOL_NO_DEBUG)
		return lack;
	if (!separate_open(&object->binary, dirs, &object->separate) &&
	    !(ask_network && separate_fetch(&object->binary, &object->separate)))
		return lack;
	return begin_debug(object, &object->separate, dirs);
}

static enum symbol_lack open_object(struct object *object, const struct symbol_options *options)
{
	enum symbol_lack lack;

	if (options->no_files)
		return SYMBOL_NOT_ASKED;
	if (!object->path || object->path[0] != '/')
		return SYMBOL_NO_FILE;
	if (!binary_open(object->path, &object->binary, &lack))
		return lack;
	if (!is_same(object)) {
		binary_close(&object->binary);
		return SYMBOL_CHANGED;
	}
	lack = open_debug(object, options->debug_dirs ? options->debug_dirs : DEBUG_DIRS,
			  options->ask_network);
	table_read(&object->table, &object->binary,
		   object->separate.path ? &object->separate : NULL);
	return lack == SYMBOL_NO_DEBUG && !object->table.is_whole ? SYMBOL_STRIPPED : lack;
}

/* Without the version that the linker put behind. */
static const char *unversioned(struct names *names, const char *symbol)
{
	size_t length = strcspn(symbol, "@");

	if (!symbol[length] || !length)
		return name_of(names, symbol);
	char *name = allocate_text(symbol, length);
	const char *shown = name_of(names, name);
	free(name);
	return shown;
}

/* C++ with its namespaces; and the name that others call a function by, not the library's own for it. */
static bool is_better(const char *symbol, const char *written)
{
	return !written || name_is_mangled(symbol) || (written[0] == '_' && symbol[0] != '_');
}

static void set_outermost(struct object *object, uint64_t address, struct names *names,
			  struct symbol_frame *frame)
{
	const char *name = table_at(&object->table, address);

	if (name && is_better(name, frame->function))
		frame->function = unversioned(names, name);
}

size_t object_frames_at(struct object *object, uint64_t address,
			const struct symbol_options *options, struct names *names,
			struct symbol_frame *ret_frames)
{
	bool is_written = true;
	size_t count = 0;

	if (!object->is_open)
		object->lack = open_object(object, options);
	object->is_open = true;
	if (object->has_debug)
		count = debug_frames_at(&object->debug, address, names, ret_frames, &is_written);
	if (!count)
		ret_frames[count++] = (struct symbol_frame){0};
	if (is_written)
		set_outermost(object, address, names, &ret_frames[count - 1]);
	return count;
}

uint64_t object_bytes(const struct object *object)
{
	return object->binary.read_bytes + object->separate.read_bytes + object->shared.read_bytes;
}

void object_close(struct object *object)
{
	if (object->has_debug)
		debug_end(&object->debug);
	object->has_debug = object->is_open = false;
	table_free(&object->table);
	binary_close(&object->shared);
	binary_close(&object->separate);
	binary_close(&object->binary);
}
