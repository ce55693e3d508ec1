/* SPDX-License-Identifier: MIT */
/* variants.c: see variants.h. */
#define _GNU_SOURCE
#include "launch/variants.h"

#include "launch/environment.h"
#include "launch/library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pages of the kernel are given back one by one: a pool is no shorter. */
static bool is_shorter_than_page(const struct variant *variant)
{
	return variant->parameter == VARIANT_POOL &&
	       strtol(variant_value(variant), NULL, 10) * 1024 < sysconf(_SC_PAGESIZE);
}

static void name_directory(const struct variant *variant, char ret_name[NAME_MAX])
{
	snprintf(ret_name, NAME_MAX, "%.*s-%s", (int)strcspn(variant->name, "="), variant->name,
		 variant_value(variant));
}

/* libpoolmem: an absolute path. */
static bool find_built(const struct variant *variant, const char *libpoolmem,
		       struct allocator *allocator)
{
	static const char *const places[] = {"what-if", "../libexec/poolmem/what-if"};
	int directory = (int)(strrchr(libpoolmem, '/') - libpoolmem);
	char name[NAME_MAX], path[PATH_MAX], found[PATH_MAX];
	struct failure *why = &allocator->missing;

	name_directory(variant, name);
	if (is_shorter_than_page(variant))
		return fail(why, FAILURE_NOTHING, "pages of this machine are longer");
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		int bytes = snprintf(path, sizeof path, "%.*s/%s/%s/" LIBRARY_NAME, directory,
				     libpoolmem, places[i], name);
		if (bytes >= (int)sizeof path || access(path, F_OK) != 0)
			continue;
		if (!library_check(path, found, why))
			return false;
		memcpy(allocator->path, found, sizeof found);
		return true;
	}
	return fail(why, FAILURE_NOTHING,
		    "no what-if/%s/" LIBRARY_NAME " beside %.200s, which `make` builds, nor in "
		    "../libexec/poolmem, where `make install` puts it",
		    name, libpoolmem);
}

/* Behind what the user has set: the last one counts. */
static char *setting_of(const struct variant *variant)
{
	const char *others = environment_is_off() ? NULL : getenv("POOLMEM");
	char *setting;

	if (asprintf(&setting, "POOLMEM=%s%s%s", others ? others : "", others && *others ? "," : "",
		     variant->how) < 0)
		abort();
	return setting;
}

static void put(struct variants_found *found, const char *libpoolmem, const struct variant *variant)
{
	struct allocator *allocator = &found->allocators.list[found->allocators.count];

	*allocator = (struct allocator){.name = variant ? variant->name : "poolmem",
					.kind = variant ? ALLOCATOR_LIBRARY : ALLOCATOR_POOLMEM};
	if (variant && variant->kind == VARIANT_BUILT) {
		find_built(variant, libpoolmem, allocator);
	} else {
		snprintf(allocator->path, sizeof allocator->path, "%s", libpoolmem);
		if (variant)
			allocator->variable = found->setting[variant - variants] = setting_of(
				variant);
	}
	found->of[found->allocators.count++] = variant;
}

bool variants_find(const struct variant_choice *choice, const char *library,
		   struct variants_found *ret, struct failure *why)
{
	char libpoolmem[PATH_MAX];

	*ret = (struct variants_found){.allocators.count = 0};
	if (!library_find(library, libpoolmem, why))
		return false;
	put(ret, libpoolmem, NULL);
	for (size_t i = 0; i < VARIANT_COUNT; i++) {
		if (!choice->is_chosen[i])
			continue;
		put(ret, libpoolmem, &variants[i]);
		const struct allocator *last = &ret->allocators.list[ret->allocators.count - 1];
		if (choice->is_named[i] && !last->path[0]) {
			fail(why, FAILURE_NOTHING, "%s: %.360s", last->name, last->missing.text);
			variants_free(ret);
			return false;
		}
	}
	return true;
}

void variants_free(struct variants_found *found)
{
	for (size_t i = 0; i < VARIANT_COUNT; i++)
		free(found->setting[i]);
	*found = (struct variants_found){.allocators.count = 0};
}
