/* SPDX-License-Identifier: MIT */
/* debug.h: DWARF of one file: functions, inlined frames and lines, by its compilation units. */
#ifndef POOLMEM_SYMBOL_DEBUG_H
#define POOLMEM_SYMBOL_DEBUG_H

#include "symbol/binary.h"
#include "symbol/name.h"
#include "symbol/symbols.h"
#include "symbol/unit.h"

enum {
	CHAIN_MAX = 128, /* frames for one address: more are not told apart */
	LISTED_MAX = 16, /* units whose functions are kept: who asks in order of address needs one */
};

struct debug {
	Elf *elf, *shared_elf;
	Dwarf *dwarf, *shared;
	struct unit *units;
	size_t count, room;
	struct spans spans;
	uint64_t work;
	uint64_t line_rows; /* that libdw keeps until it is closed */
	struct unit *listed[LISTED_MAX];
	size_t listed_next;
	bool is_split; /* some of it is in .dwo files */
};

/* shared: what .gnu_debugaltlink names, or NULL.  Both stay open as long as this.  False: there is none. */
bool debug_begin(struct debug *debug, struct binary *binary, struct binary *shared);

/*
 * Innermost first.  Names live as long as `names`.
 * ret_is_written: the outermost name is as written, or unknown.  Returns 0 where there is nothing at all.
 */
size_t debug_frames_at(struct debug *debug, uint64_t address, struct names *names,
		       struct symbol_frame *ret_frames, bool *ret_is_written);
void debug_end(struct debug *debug);

#endif
