/* SPDX-License-Identifier: MIT */
/* allocators.c: see allocators.h.  Libraries are looked for where the loader would, without loading them. */
#define _GNU_SOURCE
#include "launch/allocators.h"

#include "launch/library.h"
#include "text/allocate.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char CACHE[] = "/etc/ld.so.cache";

struct known {
	const char *name;
	enum allocator_kind kind;
	const char *libraries, *variable, *package;
};

#define KNOWN(name, kind, libraries, variable, package)                                            \
	{name, ALLOCATOR_##kind, libraries, variable, package},
static const struct known known[] = {ALLOCATORS(KNOWN)};
#undef KNOWN

static bool is_fit(const char *path, char ret_path[PATH_MAX])
{
	struct failure why;

	return access(path, R_OK) == 0 && library_check(path, ret_path, &why);
}

static bool find_in_path(const char *directories, const char *name, char ret_path[PATH_MAX])
{
	char path[PATH_MAX];

	for (const char *at = directories; at && *at;) {
		int length = (int)strcspn(at, ":");
		int bytes = snprintf(path, sizeof path, "%.*s/%s", length, at, name);
		if (length && bytes < (int)sizeof path && is_fit(path, ret_path))
			return true;
		at += length + (at[length] != 0);
	}
	return false;
}

/* Paths stand in the loader's cache as they are, whatever its version: each with a NUL before and behind. */
static bool find_in_text(const char *text, size_t bytes, const char *name, char ret_path[PATH_MAX])
{
	size_t length = strlen(name) + 1;
	const char *end = text + bytes;

	for (const char *at = text; (at = memmem(at, (size_t)(end - at), name, length)); at++) {
		const char *begin = at;
		while (begin > text && begin[-1])
			begin--;
		if (*begin == '/' && at > begin && at[-1] == '/' && is_fit(begin, ret_path))
			return true;
	}
	return false;
}

static bool find_in_cache(const char *name, char ret_path[PATH_MAX])
{
	int fd = open(CACHE, O_RDONLY | O_CLOEXEC);
	struct stat status;
	bool found = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0 && status.st_size > 0) {
		size_t bytes = (size_t)status.st_size;
		void *text = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
		found = text != MAP_FAILED && find_in_text(text, bytes, name, ret_path);
		if (text != MAP_FAILED)
			munmap(text, bytes);
	}
	close(fd);
	return found;
}

bool allocators_locate(const char *name, char ret_path[PATH_MAX])
{
	static const char usual[] = "/usr/local/lib:/usr/local/lib64:/lib:/lib64:/usr/lib:/usr/lib64";

	return find_in_path(getenv("LD_LIBRARY_PATH"), name, ret_path) ||
	       find_in_cache(name, ret_path) || find_in_path(usual, name, ret_path);
}

static bool find_one_of(const char *names, char ret_path[PATH_MAX])
{
	char name[NAME_MAX];

	for (const char *at = names; *at;) {
		int length = (int)strcspn(at, " ");
		snprintf(name, sizeof name, "%.*s", length, at);
		if (allocators_locate(name, ret_path))
			return true;
		at += length + (at[length] != 0);
	}
	return false;
}

static struct allocator find(const struct known *known, const char *libpoolmem)
{
	struct allocator allocator = {.name = allocate_text(known->name, strlen(known->name)),
				      .kind = known->kind,
				      .variable = known->variable,
				      .package = known->package};
	if (known->kind == ALLOCATOR_POOLMEM)
		snprintf(allocator.path, sizeof allocator.path, "%s", libpoolmem);
	else if (!find_one_of(known->libraries, allocator.path))
		fail(&allocator.missing, FAILURE_NOTHING, "not here; the package %s brings it",
		     known->package);
	return allocator;
}

void allocators_find(const char *libpoolmem, struct allocators *ret)
{
	ret->count = 0;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		ret->list[ret->count++] = find(&known[i], libpoolmem);
}

struct allocator *allocators_named(struct allocators *allocators, const char *name)
{
	for (size_t i = 0; i < allocators->count; i++)
		if (strcmp(allocators->list[i].name, name) == 0)
			return &allocators->list[i];
	return NULL;
}

bool allocators_add(struct allocators *allocators, const char *given, struct failure *why)
{
	const char *equal = strchr(given, '=');
	char path[PATH_MAX];

	if (!equal || equal == given || !equal[1])
		return fail(why, FAILURE_USAGE, "'%s': NAME=PATH of a library is wanted", given);
	char *name = allocate_text(given, (size_t)(equal - given));
	struct allocator *place = allocators_named(allocators, name);
	if (!place && allocators->count == ALLOCATOR_MAX) {
		free(name);
		return fail(why, FAILURE_USAGE, "more than %d allocators", ALLOCATOR_MAX);
	}
	if (place)
		free((char *)place->name);
	else
		place = &allocators->list[allocators->count++];
	*place = (struct allocator){.name = name, .kind = ALLOCATOR_LIBRARY};
	if (library_check(equal + 1, path, &place->missing))
		memcpy(place->path, path, sizeof path);
	return true;
}

void allocators_keep(struct allocators *allocators, const bool wanted[ALLOCATOR_MAX])
{
	size_t kept = 0;

	for (size_t i = 0; i < allocators->count; i++)
		if (wanted[i])
			allocators->list[kept++] = allocators->list[i];
		else
			free((char *)allocators->list[i].name);
	allocators->count = kept;
}

void allocators_free(struct allocators *allocators)
{
	for (size_t i = 0; i < allocators->count; i++)
		free((char *)allocators->list[i].name);
	allocators->count = 0;
}
