/* SPDX-License-Identifier: MIT */
/*
 * naming.h: the code that a return address belongs to: the module of the process that had it then, and what the
 * call before it is called.
 */
#ifndef POOLMEM_MODEL_NAMING_H
#define POOLMEM_MODEL_NAMING_H

#include "model/recording.h"
#include "symbol/packing.h"
#include "text/progress.h"

/* Of one address the innermost call comes first; those outside it had it inlined into them, to the last, which did not. */
struct call {
	const char *function; /* NULL: not known; bytes of unknown origin */
	const char *file;     /* NULL: not known */
	uint32_t line;        /* 0: not known */
	bool is_inlined;      /* into the next one */
};

/* A return address in a module. */
struct code {
	const struct process *process;
	const struct module *module; /* NULL: not known */
	uint64_t address;
	uint32_t generation; /* of the modules it was seen in */
};

/* Modules that lack the same: what that is, and what would help. */
struct naming_gap {
	const char *what, *help;
	const char **modules; /* paths; NULL: code of none */
	size_t module_count;
	uint64_t unnamed, unlined; /* addresses without a function; without a line */
};

struct naming;

/*
 * with_files false: no file that the recording names is opened, and no name taken from a packed one.  Of a packed
 * recording names come from itself alone.
 */
struct naming *naming_open(const struct recording *recording, bool with_files);
void naming_close(struct naming *naming);

/* Asks servers, too, for debug information that is not here.  Before the first name. */
void naming_ask_network(struct naming *naming);

/* Tells how far naming_prepare() has come.  NULL: nobody. */
void naming_watch(struct naming *naming, struct progress *progress);

/* Whose code a process had at an address when its modules were of that generation. */
const struct module *naming_module(struct naming *naming, const struct process *process,
				   uint64_t address, uint32_t generation);

/* Finds what will be asked for, each file once; it is known afterwards, and asking cheap.  Changes the order. */
void naming_prepare(struct naming *naming, struct code *codes, size_t count);

/* All code in the stacks of recorded blocks. */
void naming_prepare_all(struct naming *naming);

/* What was asked for so far, as payload of a NAMES section, freed by the caller; NULL on failure. */
void *naming_pack(struct naming *naming, size_t *ret_byte_count, struct packing_sums *ret_sums,
		  struct failure *why);

/* Returns how many calls, at least one.  Freed by the caller; what it points to stays until the naming is closed. */
size_t naming_calls(struct naming *naming, const struct code *code, struct call **ret);

/* What was missing for the addresses asked for so far, most addresses first; good until the next call. */
size_t naming_gaps(struct naming *naming, const struct naming_gap **ret);

#endif
