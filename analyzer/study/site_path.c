/* SPDX-License-Identifier: MIT */
/* site_path.c: see site_path.h. */
#include "study/site_path.h"

#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

static void add_step(struct site_path *path, struct step step)
{
	path->list = allocate_more(path->list, path->count, &path->room, sizeof *path->list);
	path->list[path->count++] = step;
}

/* What libc runs main and threads by; most of it has no name where libc's debug symbols are not there. */
static bool is_start(const struct sites *sites, const struct step *step)
{
	static const char *const names[] = {
		"_start",
		"__libc_start_main",
		"__libc_start_main_impl",
		"__libc_start_call_main",
		"start_thread",
		"clone",
		"__clone",
		"clone3",
		"__clone3",
	};
	const char *function = step->call->call.function;
	const char *module = stacks_module(&sites->stacks, step->place);

	for (size_t i = 0; function && i < sizeof names / sizeof *names; i++)
		if (strcmp(function, names[i]) == 0)
			return true;
	return !function && module && strncmp(module, "libc.so", strlen("libc.so")) == 0;
}

/* The outermost call that stays is main's, or what a thread began with: never fewer than one. */
static void leave_out_start(const struct sites *sites, struct site_path *path)
{
	const struct step *list = path->list;
	size_t count = path->count;

	/* _start of a stripped program */
	if (count > 2 && !list[count - 1].call->call.function && is_start(sites, &list[count - 2]))
		count--;
	while (count > 1 && is_start(sites, &list[count - 1]))
		count--;
	path->count = count;
}

void site_path_find(struct sites *sites, const struct site *site, struct site_path *ret)
{
	struct walk walk = site_origin(sites, site);
	struct step step = {NULL, walk.place};

	ret->count = 0;
	while ((step.call = walk_next(&sites->stacks, &walk))) {
		add_step(ret, step);
		step.place = walk.place;
	}
	if (ret->count)
		leave_out_start(sites, ret);
	else
		add_step(ret, step);
}

void site_path_free(struct site_path *path)
{
	free(path->list);
}
