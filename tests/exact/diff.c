/* SPDX-License-Identifier: MIT */
/* cflags: -g -O1 -fno-ipa-icf -fno-inline -fno-optimize-sibling-calls */
/*
 * diff.c: does what its arguments say: SITE:COUNT:FREED allocates COUNT blocks in site_SITE and frees FREED of them, the
 * last first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 100000 };

static void *blocks[COUNT_MAX];

static void *obtain(size_t size)
{
	void *block = malloc(size);
	__asm__ volatile("");
	return block;
}

#define SITE(name, call)                                                                           \
	static void site_##name(unsigned i)                                                        \
	{                                                                                          \
		blocks[i] = call;                                                                  \
		__asm__ volatile("");                                                              \
	}

SITE(one, malloc(16))
SITE(two, malloc(48))
SITE(three, calloc(8, 14))
SITE(four, malloc(1008))
SITE(five, malloc(102400))
SITE(six, obtain(64))
SITE(seven, obtain(80))

static const struct {
	const char *name;
	void (*call)(unsigned i);
} sites[] = {
	{"one", site_one},   {"two", site_two}, {"three", site_three}, {"four", site_four},
	{"five", site_five}, {"six", site_six}, {"seven", site_seven},
};

static void run(const char *name, unsigned count, unsigned freed)
{
	for (unsigned s = 0; s < sizeof sites / sizeof *sites; s++) {
		if (strcmp(sites[s].name, name) != 0)
			continue;
		for (unsigned i = 0; i < count; i++)
			sites[s].call(i);
		while (freed--)
			free(blocks[--count]);
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char name[16];
		unsigned count, freed;
		if (sscanf(argv[i], "%15[a-z]:%u:%u", name, &count, &freed) != 3 || freed > count ||
		    count > COUNT_MAX)
			return 2;
		run(name, count, freed);
	}
	return 0;
}
