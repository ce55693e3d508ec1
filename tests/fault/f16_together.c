/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-builtin */ /* link: -ldl */
/*
 * F16: opens many libraries, allocates in each, and closes them all; the next round another one is at the place of each.
 * usage: f16_together ROUNDS LIBRARY...
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

enum { LIBRARIES_MAX = 256 };

static void *open_and_visit(const char *path)
{
	void *opened = dlopen(path, RTLD_NOW);
	void *(*entry)(size_t) = NULL;
	if (opened)
		*(void **)&entry = dlsym(opened, "entry");
	if (!entry)
		abort();
	entry(100);
	return opened;
}

int main(int argc, char **argv)
{
	void *opened[LIBRARIES_MAX];
	int count = argc - 2;
	if (count < 1 || count > LIBRARIES_MAX)
		return 2;
	for (int round = 0; round < atoi(argv[1]); round++) {
		for (int i = 0; i < count; i++)
			opened[i] = open_and_visit(argv[2 + (i + round) % count]);
		for (int i = 0; i < count; i++)
			dlclose(opened[i]);
	}
	return 4;
}
