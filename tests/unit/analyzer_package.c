/* SPDX-License-Identifier: MIT */
/* Which package has the debug symbols of a file: from lists as dpkg keeps them. */
#define _GNU_SOURCE 1

#include "symbol/package.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/poolmem-package.XXXXXX";

static void write_list(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	file = fopen(path, "w");
	cr_assert(file);
	fputs(text, file);
	fclose(file);
}

static void make_lists(void)
{
	cr_assert(mkdtemp(dir));
	write_list("libz1:amd64.list", "/.\n/lib/x86_64-linux-gnu/libz.so.1.2\n/usr/share/doc/z\n");
	write_list("tool.list", "/.\n/usr/bin/tool\n/usr/bin/tool-more");
	write_list("tool.md5sums", "\n/usr/bin/other\n");
	write_list("both:i386.list", "/usr/lib/both.so\n");
}

static void remove_lists(void)
{
	char command[256];
	snprintf(command, sizeof command, "rm -r %s", dir);
	cr_assert_eq(system(command), 0);
}

static void expect(struct packages *packages, const char *path, const char *package)
{
	char *found = package_of(packages, dir, path);

	if (package)
		cr_expect(found && strcmp(found, package) == 0, "%s: %s", path, found);
	else
		cr_expect_null(found, "%s: %s", path, found);
	free(found);
}

Test(package, of_a_file, .init = make_lists, .fini = remove_lists)
{
	struct packages packages = {0};

	expect(&packages, "/lib/x86_64-linux-gnu/libz.so.1.2", "libz1");
	expect(&packages, "/usr/lib/x86_64-linux-gnu/libz.so.1.2", "libz1");
	expect(&packages, "/lib/both.so", "both");
	expect(&packages, "/usr/bin/tool", "tool");
	expect(&packages, "/usr/bin/too", NULL);
	expect(&packages, "/usr/bin/other", NULL);
	expect(&packages, "/home/one/tool", NULL);
	expect(&packages, "", NULL);
	expect(&packages, NULL, NULL);
	expect(&packages, "/usr/share/doc/z\n/usr", NULL);
	cr_expect(packages_known(&packages));
	packages_free(&packages);
}

Test(package, none_at_all)
{
	struct packages packages = {0};

	cr_expect_null(package_of(&packages, "/nonexistent", "/usr/bin/tool"));
	cr_expect_not(packages_known(&packages));
	packages_free(&packages);
}

static void expect_debug(const char *package, const char *debug)
{
	char *name = package_debug(package);

	cr_expect_str_eq(name, debug);
	free(name);
}

Test(package, with_its_debug_symbols)
{
	expect_debug("libz1", "libz1-dbgsym");
	expect_debug("libc6", "libc6-dbg");
	expect_debug("libpython3.11-minimal", "python3.11-dbg");
	expect_debug("python3.11", "python3.11-dbg");
	expect_debug("python3-numpy", "python3-numpy-dbgsym");
	expect_debug("pythonic", "pythonic-dbgsym");
}
