/* SPDX-License-Identifier: MIT */
/* packing.h: names on their way into a capture: the writing half of packed.h. */
#ifndef POOLMEM_SYMBOL_PACKING_H
#define POOLMEM_SYMBOL_PACKING_H

#include "symbol/symbols.h"
#include "text/failure.h"

/* All names that were asked for so far, and what was missing; as it stands in symbols.h, of each module once. */
struct packing *packing_begin(void);

/* module NULL: code of no file in processes of this pid.  The first word on what is missing counts. */
uint32_t packing_module(struct packing *packing, const struct symbol_module *module, uint32_t pid,
			const char *lack, const char *help);

/* address: as for packed_frames_at().  Once more of the same place is left out. */
void packing_add(struct packing *packing, uint32_t module, uint64_t address,
		 const struct symbol_frame *frames, size_t frame_count);

/* Places of modules, without those that came twice. */
struct packing_sums {
	size_t codes, named, lined;
};

/* The payload of a NAMES section, freed by the caller; NULL on failure.  Lets go of `packing`. */
void *packing_end(struct packing *packing, size_t *ret_byte_count, struct packing_sums *ret_sums,
		  struct failure *why);

#endif
