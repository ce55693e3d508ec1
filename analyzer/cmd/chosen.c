/* SPDX-License-Identifier: MIT */
/* chosen.c: see chosen.h. */
#define _GNU_SOURCE
#include "cmd/chosen.h"

#include "cmd/suggest.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

static bool want(struct chosen *chosen, const char *name)
{
	struct allocator *allocator = allocators_named(chosen->allocators, name);

	if (allocator)
		chosen->wanted[allocator - chosen->allocators->list] = true;
	return allocator;
}

static bool fail_unknown(const struct chosen *chosen, const char *option, const char *name,
			 struct failure *why)
{
	const char *words[ALLOCATOR_MAX];
	size_t count = chosen->allocators->count;

	for (size_t i = 0; i < count; i++)
		words[i] = chosen->allocators->list[i].name;
	const char *near = suggest(name, words, count);

	if (near)
		return fail(why, FAILURE_USAGE,
			    "%s: there is no allocator '%.100s'; did you mean '%s'?", option, name,
			    near);
	return fail(why, FAILURE_USAGE, "%s: there is no allocator '%.100s'", option, name);
}

bool chosen_add(struct chosen *chosen, const char *given, struct failure *why)
{
	if (!allocators_add(chosen->allocators, given, why))
		return false;
	char *name = allocate_text(given, strcspn(given, "="));

	want(chosen, name);
	free(name);
	return true;
}

bool chosen_list(struct chosen *chosen, const char *option, const char *list, struct failure *why)
{
	char *copy = allocate_text(list, strlen(list)), *rest = copy, *name;
	bool is_good = true;

	while (is_good && (name = strsep(&rest, ",")))
		is_good = !*name ||
			  (strchr(name, '=')
				   ? chosen_add(chosen, name, why)
				   : want(chosen, name) || fail_unknown(chosen, option, name, why));
	free(copy);
	return is_good;
}
