/* SPDX-License-Identifier: MIT */
/* name.h: names of functions, demangled, each kept once.  Of no length but bounded; not escaped. */
#ifndef POOLMEM_SYMBOL_NAME_H
#define POOLMEM_SYMBOL_NAME_H

#include <stdbool.h>
#include <stddef.h>

struct names {
	struct name *slots;
	size_t count, room; /* room: a power of two, or 0 */
};

/* NULL for NULL and for an empty name.  Lives as long as `names`. */
const char *name_of(struct names *names, const char *linkage_name);

/* Whether the name says more than an identifier: C++ or Rust. */
bool name_is_mangled(const char *name);
void names_free(struct names *names);

#endif
