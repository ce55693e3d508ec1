/* SPDX-License-Identifier: MIT */
/*
 * packed.h: names that `poolmem pack` stored in a capture (struct pm_names).  Hostile until opened, verified once
 * there, trusted after.
 */
#ifndef POOLMEM_SYMBOL_PACKED_H
#define POOLMEM_SYMBOL_PACKED_H

#include "symbol/symbols.h"
#include "text/failure.h"

/* payload: of the section; not needed any more afterwards.  NULL on failure. */
struct packed *packed_open(const void *payload, size_t byte_count, struct failure *why);
void packed_free(struct packed *packed); /* NULL is fine, too */

/* The module of that path and build id; module NULL: code of no file in the processes of a pid.  NULL: not there. */
const struct packed_module *packed_find(const struct packed *packed,
					const struct symbol_module *module, uint32_t pid);

/* What was missing for its code, and what would have helped; NULL: nothing. */
const char *packed_lack(const struct packed *packed, const struct packed_module *module,
			const char **ret_help);

/*
 * At most CHAIN_MAX frames, without their module; texts live as long as `packed`.  Returns 0 where none were stored.
 */
size_t packed_frames_at(const struct packed *packed, const struct packed_module *module,
			uint64_t address, struct symbol_frame *ret_frames);

#endif
