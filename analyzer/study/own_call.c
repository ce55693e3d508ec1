/* SPDX-License-Identifier: MIT */
/* own_call.c: see own_call.h. */
#include "study/own_call.h"

#include "study/wrapper.h"

#include <string.h>

static const char *const of_system[] = {
	"libc.so", "ld-linux", "libstdc++.so", "libc++.so", "libgcc_s.so", "libpoolmem.so",
};

static bool is_of_system(const char *module)
{
	for (size_t i = 0; module && i < sizeof of_system / sizeof *of_system; i++)
		if (strncmp(module, of_system[i], strlen(of_system[i])) == 0)
			return true;
	return false;
}

struct own_call own_call_of(struct sites *sites, const struct site *site)
{
	struct stacks *stacks = &sites->stacks;
	struct walk walk = {site->place, 0}, before = walk;
	struct own_call own = {NULL, NULL, 0};

	while ((own.call = walk_next(stacks, &walk))) {
		const char *module = stacks_module(stacks, before.place);
		own.module = stacks->places[before.place].module;
		bool passes_on = is_wrapper(&sites->skipped, own.call->call.function, module);
		if (!passes_on && !is_of_system(module))
			return own;
		if (!passes_on)
			own.through = own.call;
		before = walk;
	}
	walk = site_origin(sites, site);
	own = (struct own_call){.module = stacks->places[walk.place].module};
	own.call = walk_next(stacks, &walk);
	return own;
}

static int text_order(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

int own_call_order(const struct own_call *a, const struct own_call *b)
{
	int order;

	if (!a->call || !b->call)
		return (a->call != NULL) - (b->call != NULL);
	if (a->module != b->module)
		return a->module < b->module ? -1 : 1;
	if ((order = text_order(a->call->label, b->call->label)) ||
	    (order = text_order(a->call->call.file, b->call->call.file)))
		return order;
	return (a->call->call.line > b->call->call.line) - (a->call->call.line < b->call->call.line);
}
