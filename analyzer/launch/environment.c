/* SPDX-License-Identifier: MIT */
/* environment.c: see environment.h. */
#define _GNU_SOURCE
#include "launch/environment.h"

#include "launch/allocators.h"
#include "launch/library.h"
#include "text/allocate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

bool environment_is_off(void)
{
	const char *settings = getenv("POOLMEM");

	return settings && strcmp(settings, "off") == 0;
}

static bool is_setting(const char *item, const char *key)
{
	size_t length = strlen(key);

	return strncmp(item, key, length) == 0 && item[length] == '=';
}

/* The value of that key in POOLMEM, NULL: it has none; freed by the caller.  The last one counts, as in the library. */
static char *setting(const char *key)
{
	const char *at = getenv("POOLMEM");
	size_t begin = strlen(key) + 1;
	char *value = NULL;

	while (at && *at) {
		size_t length = strcspn(at, ",");

		if (is_setting(at, key) && length > begin) {
			free(value);
			value = allocate_text(at + begin, length - begin);
		}
		at += length + (at[length] == ',');
	}
	return value;
}

char *environment_directory(void)
{
	return setting("dir");
}

bool environment_is_next(void)
{
	char *heap = setting("heap");
	bool is_next = heap && strcmp(heap, "next") == 0;

	free(heap);
	return is_next;
}

/* Copies the items that keep() wants, each with the separator behind it. */
static char *filtered(const char *list, const char *separators, bool (*keep)(const char *item))
{
	char *kept = allocate(strlen(list) + 2, 1), *end = kept;

	while (*list) {
		size_t length = strcspn(list, separators);

		if (length && keep(list)) {
			end = mempcpy(end, list, length);
			*end++ = separators[0];
		}
		list += length + (list[length] != 0);
	}
	return kept;
}

static bool is_users_setting(const char *item)
{
	return strcmp(item, "off") != 0 && !is_setting(item, "run") && !is_setting(item, "dir") &&
	       !is_setting(item, "max");
}

static bool is_called(const char *item, const char *name)
{
	size_t length = strcspn(item, ": "), own = strlen(name);

	return length >= own && strncmp(item + length - own, name, own) == 0 &&
	       (length == own || item[length - own - 1] == '/');
}

static bool is_other_library(const char *item)
{
	return !is_called(item, LIBRARY_NAME) && !is_called(item, LIBRARY_OPERATORS);
}

/*
 * before: what is preloaded besides; NULL: nothing.  It stays in front, but for an allocator whose calls are to be counted:
 * these come to us first.
 */
static char *preload_variable(const char *before, const char *library)
{
	char *kept = filtered(before ? before : "", ": ", is_other_library), *variable;
	char counting[2 * PATH_MAX];
	bool is_first = environment_is_next();

	if (is_first)
		library_with_operators(library, counting);
	if (asprintf(&variable, is_first ? "LD_PRELOAD=%2$s:%1$s" : "LD_PRELOAD=%1$s%2$s", kept,
		     is_first ? counting : library) < 0)
		abort();
	free(kept);
	return variable;
}

/* What the segments of a run take is kept low by moving them; a low `max=` would have them removed first. */
static char *settings_variable(const struct environment_plan *plan)
{
	const char *before = getenv("POOLMEM");
	char *kept = filtered(before ? before : "", ",", is_users_setting), *variable;

	if (asprintf(&variable, "POOLMEM=%s%s%s%s%smax=%" PRIu64 ",run=%" PRIu64 ",dir=%s", kept,
		     plan->surveys ? "frag=exit," : "", plan->trace ? "trace=" : "",
		     plan->trace ? plan->trace : "", plan->trace ? "," : "", plan->max_bytes,
		     plan->run_id, plan->directory) < 0)
		abort();
	free(kept);
	return variable;
}

uint64_t environment_run_id(void)
{
	uint64_t id = 0;

	while (id == 0) {
		if (getrandom(&id, sizeof(id), 0) != sizeof(id))
			id = (uint64_t)time(NULL) << 20 | (uint64_t)getpid();
		id &= INT64_MAX;
	}
	return id;
}

char **environment_make(const struct environment_plan *plan)
{
	size_t before = 0, count = 0;

	while (environ[before])
		before++;
	char **copy = allocate(before + 3, sizeof(*copy));

	for (size_t i = 0; i < before; i++)
		if (!is_setting(environ[i], "LD_PRELOAD") && !is_setting(environ[i], "POOLMEM"))
			copy[count++] = allocate_text(environ[i], strlen(environ[i]));
	copy[count++] = preload_variable(getenv("LD_PRELOAD"), plan->library);
	copy[count++] = settings_variable(plan);
	return copy;
}

char **environment_fixed(const struct environment_plan *plan, char *const *base,
			 const char *settings)
{
	const char *preload = NULL;
	size_t before = 0, count = 0;

	while (base[before])
		before++;
	char **copy = allocate(before + 3, sizeof(*copy));

	for (size_t i = 0; i < before; i++)
		if (is_setting(base[i], "LD_PRELOAD"))
			preload = strchr(base[i], '=') + 1;
		else
			copy[count++] = allocate_text(base[i], strlen(base[i]));
	copy[count++] = preload_variable(preload, plan->library);
	if (asprintf(&copy[count], "POOLMEM=%s,max=%020" PRIu64 ",run=%020" PRIu64 ",dir=%s",
		     settings, plan->max_bytes, plan->run_id, plan->directory) < 0)
		abort();
	return copy;
}

static bool is_replaced(const char *item, const char *const *variables, size_t count)
{
	size_t length = strcspn(item, "=") + 1;

	for (size_t i = 0; i < count; i++)
		if (variables[i] && strncmp(item, variables[i], length) == 0)
			return true;
	return is_setting(item, "LD_PRELOAD") || is_setting(item, "POOLMEM");
}

static bool is_allocator(const char *item)
{
	size_t length = strcspn(item, ": ");
	char *name = allocate_text(item, length), path[PATH_MAX];
	bool is = strchr(name, '/') ? library_is_allocator(name)
				    : allocators_locate(name, path) && library_is_allocator(path);

	free(name);
	return is && is_other_library(item);
}

static bool is_no_allocator(const char *item)
{
	return is_other_library(item) && !is_allocator(item);
}

char *environment_allocators(void)
{
	const char *before = getenv("LD_PRELOAD");
	char *list = filtered(before ? before : "", ": ", is_allocator);
	size_t length = strlen(list);

	if (length)
		list[length - 1] = 0;
	return list;
}

/* NULL: nothing is preloaded, and the variable is not there. */
static char *preload_before_others(const char *libraries)
{
	const char *before = getenv("LD_PRELOAD");
	char *kept = filtered(before ? before : "", ": ", is_no_allocator), *variable = NULL;
	const char *between = *libraries && *kept ? ":" : "";

	if ((*libraries || *kept) &&
	    asprintf(&variable, "LD_PRELOAD=%s%s%s", libraries, between, kept) < 0)
		abort();
	free(kept);
	return variable;
}

char **environment_under(const char *libraries, const char *const *variables, size_t variable_count)
{
	size_t before = 0, count = 0;

	while (environ[before])
		before++;
	char **copy = allocate(before + variable_count + 2, sizeof(*copy));

	for (size_t i = 0; i < before; i++)
		if (!is_replaced(environ[i], variables, variable_count))
			copy[count++] = allocate_text(environ[i], strlen(environ[i]));
	for (size_t i = 0; i < variable_count; i++)
		if (variables[i])
			copy[count++] = allocate_text(variables[i], strlen(variables[i]));
	copy[count] = preload_before_others(libraries);
	return copy;
}

void environment_free(char **environment)
{
	for (char **at = environment; at && *at; at++)
		free(*at);
	free(environment);
}
