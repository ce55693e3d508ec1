/* SPDX-License-Identifier: MIT */
/* package.c: see package.h. */
#define _GNU_SOURCE 1

#include "symbol/package.h"

#include "symbol/file.h"
#include "text/allocate.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char INFO_DIR[] = "/var/lib/dpkg/info", SUFFIX[] = ".list";
enum { LIST_BYTES_MAX = 16 << 20, ALL_BYTES_MAX = 256 << 20 };

static void add_list(struct packages *packages, const char *dir, const char *name, size_t length)
{
	char path[PATH_MAX];
	enum symbol_lack lack;
	struct file file;
	char *bytes = NULL;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (!file_open(path, &file, &lack))
		return;
	if (file.bytes <= LIST_BYTES_MAX && packages->files.bytes < ALL_BYTES_MAX &&
	    file_read(&file, &bytes)) {
		buffer_add(&packages->files, "*", 1);
		buffer_add(&packages->files, name, length);
		buffer_add(&packages->files, "\n", 1);
		buffer_add(&packages->files, bytes, file.bytes);
		buffer_add(&packages->files, "\n", 1);
	}
	free(bytes);
	file_close(&file);
}

static void read_lists(struct packages *packages, const char *dir)
{
	DIR *lists = opendir(dir);
	struct dirent *entry;

	packages->is_read = true;
	if (!lists)
		return;
	buffer_add(&packages->files, "\n", 1);
	while ((entry = readdir(lists))) {
		size_t length = strlen(entry->d_name), suffix = sizeof SUFFIX - 1;
		if (length > suffix && strcmp(entry->d_name + length - suffix, SUFFIX) == 0)
			add_list(packages, dir, entry->d_name, length - suffix);
	}
	closedir(lists);
}

bool packages_known(const struct packages *packages)
{
	return packages->files.bytes > 1;
}

/* Of the line at `at` the list that it is in; without the architecture. */
static char *package_at(const struct packages *packages, const char *at)
{
	while (at > packages->files.data && !(at[0] == '*' && at[-1] == '\n'))
		at--;
	return at > packages->files.data ? allocate_text(at + 1, strcspn(at + 1, ":\n")) : NULL;
}

static char *find(const struct packages *packages, const char *prefix, const char *path)
{
	char *line;

	if (asprintf(&line, "\n%s%s\n", prefix, path) < 0)
		return NULL;
	const char *at = packages->files.data ? strstr(packages->files.data, line) : NULL;
	free(line);
	return at ? package_at(packages, at) : NULL;
}

/* A file below /usr/lib may be listed as of /lib, and the other way round: they are one. */
char *package_of(struct packages *packages, const char *dir, const char *path)
{
	if (!packages->is_read)
		read_lists(packages, dir ? dir : INFO_DIR);
	if (!path || path[0] != '/' || strchr(path, '\n'))
		return NULL;
	char *found = find(packages, "", path);
	if (!found && strncmp(path, "/usr/", 5) == 0)
		found = find(packages, "", path + 4);
	else if (!found)
		found = find(packages, "/usr", path);
	return found;
}

/* "3.11" of python3.11, libpython3.11-minimal and their like. */
static size_t python_version(const char *package, const char **ret_version)
{
	static const char name[] = "python";
	const char *at = strncmp(package, "lib", 3) == 0 ? package + 3 : package;

	if (strncmp(at, name, sizeof name - 1) != 0 || !isdigit((unsigned char)at[sizeof name - 1]))
		return 0;
	*ret_version = at + sizeof name - 1;
	return strspn(*ret_version, "0123456789.");
}

char *package_debug(const char *package)
{
	const char *version;
	size_t length = python_version(package, &version);
	char *name = NULL;
	int made;

	if (length && memchr(version, '.', length))
		made = asprintf(&name, "python%.*s-dbg", (int)length, version);
	else
		made = asprintf(&name, "%s%s", package,
				strcmp(package, "libc6") == 0 ? "-dbg" : "-dbgsym");
	if (made < 0)
		abort();
	return name;
}

void packages_free(struct packages *packages)
{
	buffer_free(&packages->files);
	*packages = (struct packages){.is_read = false};
}
