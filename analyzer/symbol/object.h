/* SPDX-License-Identifier: MIT */
/* object.h: one file that was mapped, with its symbols and its debug information.  Opened when it is asked. */
#ifndef POOLMEM_SYMBOL_OBJECT_H
#define POOLMEM_SYMBOL_OBJECT_H

#include "symbol/debug.h"
#include "symbol/table.h"

struct object {
	const char *path; /* as recorded, with the build id: whoever asks has checked nothing */
	struct build_id id;
	bool is_open, has_debug;
	enum symbol_lack lack;
	struct binary binary, separate, shared;
	struct table table;
	struct debug debug;
};

/* At most CHAIN_MAX frames, innermost first, without their module; at least one, which may know nothing. */
size_t object_frames_at(struct object *object, uint64_t address,
			const struct symbol_options *options, struct names *names,
			struct symbol_frame *ret_frames);

/* Of memory that it takes while it is open. */
uint64_t object_bytes(const struct object *object);

/* Opened again when it is asked. */
void object_close(struct object *object);

#endif
