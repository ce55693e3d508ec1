/* SPDX-License-Identifier: MIT */
/* gap.h: what could not be named, why, and what would help. */
#ifndef POOLMEM_SYMBOL_GAP_H
#define POOLMEM_SYMBOL_GAP_H

#include <stdint.h>

#define SYMBOL_DEBUG_HELP                                                                          \
	"install its debug symbols (on Debian: the package's -dbgsym or -dbg), or build it with -g"

/* name, what it is, what would help */
#define SYMBOL_LACKS(X)                                                                            \
	X(NOTHING, "all there", "nothing")                                                         \
	X(NO_FILE, "the file is not there",                                                        \
	  "read the capture where it was recorded, or pack it there (poolmem pack)")               \
	X(NOT_REGULAR, "not a regular file", "nothing: only regular files are opened")             \
	X(UNREADABLE, "the file may not be read", "read the capture as a user who may")            \
	X(NOT_ELF, "not an ELF file that can be read", "read the capture where it was recorded")   \
	X(TOO_LARGE, "larger than 4 GiB", "link it with -g1")                                      \
	X(CHANGED, "changed since the recording", "record again, or put the former file back")     \
	X(STRIPPED, "stripped: only exported functions have names", SYMBOL_DEBUG_HELP)             \
	X(NO_DEBUG, "no debug information: functions without lines", SYMBOL_DEBUG_HELP)            \
	X(SPLIT, "debug information in .dwo files, which are not read",                            \
	  "build without -gsplit-dwarf")                                                           \
	X(INCOMPLETE, "its debug information lacks a part", SYMBOL_DEBUG_HELP)                     \
	X(NOT_ASKED, "files are not to be read", "allow it")                                       \
	X(NOT_PACKED, "not among the names that the capture was packed with",                      \
	  "pack it again, where it was recorded")                                                  \
	X(PACKED, "as the capture says that was packed", "nothing")                                \
	X(NO_MODULE, "code of no file",                                                            \
	  "a run-time compiler that writes /tmp/perf-PID.map (node --perf-basic-prof, python3 -X perf)")

enum symbol_lack {
#define X(name, what, help) SYMBOL_##name,
	SYMBOL_LACKS(X)
#undef X
};

const char *symbol_lack_what(enum symbol_lack lack);
const char *symbol_lack_help(enum symbol_lack lack);

struct symbol_module;

/* A module with addresses that have no function or no line. */
struct symbol_gap {
	const struct symbol_module *module; /* NULL: addresses of no module */
	enum symbol_lack lack;              /* NOTHING: the file has it all, but not for these */
	const char *what, *help;            /* in words; live as long as the symbols */
	uint64_t asked;                     /* distinct addresses */
	uint64_t unnamed, unlined;          /* of them: without a function; without a line */
};

#endif
