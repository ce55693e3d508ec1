/* SPDX-License-Identifier: MIT */
/* library.c: see library.h. */
#include "launch/library.h"

#include "launch/elf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The directory of this program. */
static bool own_directory(char ret_path[PATH_MAX])
{
	ssize_t bytes = readlink("/proc/self/exe", ret_path, PATH_MAX - 1);

	if (bytes <= 0)
		return false;
	ret_path[bytes] = 0;
	char *slash = strrchr(ret_path, '/');

	if (!slash)
		return false;
	*slash = 0;
	return true;
}

static bool find_installed(char ret_path[PATH_MAX])
{
	static const char *const places[] = {"", "/../lib/poolmem", "/../lib"};
	char own[PATH_MAX], path[PATH_MAX];

	if (!own_directory(own))
		return false;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int length = snprintf(path, sizeof(path), "%s%s/" LIBRARY_NAME, own, places[i]);

		if (length < (int)sizeof(path) && realpath(path, ret_path))
			return true;
	}
	return false;
}

static bool is_ours(const struct elf_image *image)
{
	return elf_defines(image, "malloc") && elf_defines(image, "poolmem_v1_get_stats");
}

static bool is_allocator(const struct elf_image *image)
{
	return elf_defines(image, "malloc");
}

/* NULL, or why the loader would not preload this file, or not to any use. */
static const char *unfit(int fd, bool (*is_fit)(const struct elf_image *))
{
	struct elf_image image;

	if (fd < 0)
		return strerror(errno);
	switch (elf_read(fd, &image)) {
	case ELF_FOREIGN: return "no ELF file";
	case ELF_DAMAGED: return "not a sound ELF file";
	case ELF_SOUND: break;
	}
	if (!image.native)
		return "for another processor";
	if (!is_allocator(&image))
		return "it has no malloc";
	return is_fit(&image) ? NULL : "it is another allocator";
}

/* what: that the file should be. */
static bool check(const char *path, const char *what, bool (*is_fit)(const struct elf_image *),
		  struct failure *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *reason = unfit(fd, is_fit);

	if (fd >= 0)
		close(fd);
	if (reason)
		return fail(why, FAILURE_NOTHING, "%s is no %s: %s", path, what, reason);
	if (strpbrk(path, ": \t\n$"))
		return fail(
			why, FAILURE_NOTHING,
			"%s: LD_PRELOAD cannot hold a path with a space, a colon or a dollar sign",
			path);
	return true;
}

static bool resolve(const char *given, char ret_path[PATH_MAX], struct failure *why)
{
	return realpath(given, ret_path) ||
	       fail(why, FAILURE_NOTHING, "%s: %s", given, strerror(errno));
}

bool library_check(const char *given, char ret_path[PATH_MAX], struct failure *why)
{
	return resolve(given, ret_path, why) && check(ret_path, "allocator", is_allocator, why);
}

bool library_find(const char *given, char ret_path[PATH_MAX], struct failure *why)
{
	if (given && !resolve(given, ret_path, why))
		return false;
	if (!given && !find_installed(ret_path))
		return fail(why, FAILURE_NOTHING,
			    LIBRARY_NAME
			    " is neither beside poolmem nor in ../lib: give --lib PATH");
	return check(ret_path, LIBRARY_NAME, is_ours, why);
}

bool library_is_allocator(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct elf_image image;
	bool is = fd >= 0 && elf_read(fd, &image) == ELF_SOUND && is_allocator(&image);

	if (fd >= 0)
		close(fd);
	return is;
}

void library_with_operators(const char *library, char ret_paths[2 * PATH_MAX])
{
	const char *slash = strrchr(library, '/');
	int directory = slash ? (int)(slash - library) + 1 : 0;
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%.*s%s", directory, library, LIBRARY_OPERATORS);
	snprintf(ret_paths, 2 * (size_t)PATH_MAX, "%s%s%s", library,
		 access(path, R_OK) == 0 ? ":" : "", access(path, R_OK) == 0 ? path : "");
}
