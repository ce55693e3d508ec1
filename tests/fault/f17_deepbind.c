/* link: -ldl */
/* SPDX-License-Identifier: MIT */
/* F17: blocks cross between a library opened with RTLD_DEEPBIND and the program.
   usage: f17_deepbind LIBRARY ours|theirs      who frees */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *(*deep_take)(size_t);
static void (*deep_give)(void *);

/* The program frees, asks for the size of, and resizes what the library allocated. */
static void free_theirs(void)
{
	int right = 0;
	for (size_t bytes = 1; bytes < 300000; bytes = bytes * 3 / 2 + 1) {
		unsigned char *block = deep_take(bytes);
		right += malloc_usable_size(block) >= bytes;
		block = realloc(block, bytes * 2);
		right += block[0] == 7 && block[bytes - 1] == 7;
		errno = 77;
		free(block);
		right += errno == 77;
		free(deep_take(bytes));
	}
	printf("%d right\n", right);
}

int main(int argc, char **argv)
{
	void *library = argc > 2 ? dlopen(argv[1], RTLD_NOW | RTLD_DEEPBIND) : NULL;
	if (!library)
		return 2;
	deep_take = (void *(*)(size_t))dlsym(library, "deep_take");
	deep_give = (void (*)(void *))dlsym(library, "deep_give");
	if (strcmp(argv[2], "ours") == 0)
		free_theirs();
	else
		deep_give(malloc(100));
	deep_give(deep_take(1000));
	puts("done");
	return 0;
}
