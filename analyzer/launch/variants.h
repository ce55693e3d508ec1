/* SPDX-License-Identifier: MIT */
/* variants.h: libraries with another value of one parameter of our own allocator, where poolmem's is. */
#ifndef POOLMEM_LAUNCH_VARIANTS_H
#define POOLMEM_LAUNCH_VARIANTS_H

#include "launch/allocators.h"
#include "study/variants.h"

/* poolmem as it is, then what was chosen.  What is missing says why. */
struct variants_found {
	struct allocators allocators;
	const struct variant *of[VARIANT_COUNT + 1]; /* NULL: poolmem as it is */
	char *setting[VARIANT_COUNT]; /* of the environment; as long as the list is used */
};

/*
 * library: of poolmem, or NULL; the others lie beside it, in what-if/, or in ../libexec/poolmem/what-if/.  false: there is no
 * such library, or one of a value that was named is not there.
 */
bool variants_find(const struct variant_choice *choice, const char *library,
		   struct variants_found *ret, struct failure *why);

void variants_free(struct variants_found *found);

#endif
