/* SPDX-License-Identifier: MIT */
/*
 * symbols.h: addresses of a recorded process to functions, files and lines.
 *
 * Names are bytes of files, demangled and of bounded length, not escaped.  Nothing here asks a network unless it is told to.
 */
#ifndef POOLMEM_SYMBOL_SYMBOLS_H
#define POOLMEM_SYMBOL_SYMBOLS_H

#include "symbol/gap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As the capture recorded it; strings and bytes are borrowed as long as the symbols are open. */
struct symbol_module {
	const char *path;        /* absolute; what is not is no file */
	const uint8_t *build_id; /* the file must have it */
	size_t build_id_bytes;   /* 0: not recorded; any file at the path will do */
	uint64_t base;           /* what the loader added to addresses of the file */
	uint64_t first, last;    /* its first byte, and behind its last one */
	uint32_t since;          /* generation from which on it was mapped; 0: from the start */
};

struct packed;
struct packing;
struct objects;

struct symbol_options {
	const char *debug_dirs; /* separated by colons; NULL: /usr/lib/debug */
	const char *perf_map;   /* names of code made at run time: /tmp/perf-PID.map; NULL: none */
	uint32_t pid;
	bool no_files;               /* open none */
	bool ask_network;            /* servers for debug information that is not here */
	const struct packed *packed; /* names from here, and from no file; NULL: from files */
	struct objects *objects; /* files, shared with other symbols, open as long as they are; NULL: own ones */
};

struct symbol_frame {
	const char *function; /* NULL: unknown */
	const char *file;     /* as compiled, with the directory of compilation; NULL: unknown */
	const char *module;   /* path; NULL: in none */
	unsigned line;        /* 0: unknown */
	bool is_inlined;      /* into the next frame */
};

/* Opens no file yet.  options NULL: all defaults. */
struct symbols *symbols_open(const struct symbol_module *modules, size_t count,
			     const struct symbol_options *options);

/*
 * address: a return address; looked up is the byte before it, in the call.  generation: which modules were mapped
 * then: of those with since <= generation that cover the address the newest.  Frames innermost first, at least one;
 * they live as long as `symbols`.
 */
size_t symbols_at(struct symbols *symbols, uint64_t address, uint32_t generation,
		  const struct symbol_frame **ret_frames);

/* By module, of the addresses asked for so far; lives until the next call. */
size_t symbols_missing(struct symbols *symbols, const struct symbol_gap **ret_gaps);

/* What was asked for so far. */
void symbols_pack(struct symbols *symbols, struct packing *packing);

void symbols_free(struct symbols *symbols);

#endif
