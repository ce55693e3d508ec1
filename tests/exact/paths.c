/* SPDX-License-Identifier: MIT */
/* cflags: -O1 -fno-inline -fno-optimize-sibling-calls */
/* paths.c DEPTH: a block from each of the 2^DEPTH ways down through two functions that call each other, a third of them kept. */
#include <stdio.h>
#include <stdlib.h>

static unsigned long made, kept;

__attribute__((noinline)) static void at_the_end(unsigned long way)
{
	void *block = malloc(40);
	made++;
	if (way % 3)
		free(block);
	else
		kept++;
	__asm__ volatile("" : : "r"(block) : "memory");
}

static void left(unsigned depth, unsigned long way);
static void right(unsigned depth, unsigned long way);

static void on(unsigned depth, unsigned long way)
{
	if (depth) {
		left(depth - 1, 2 * way);
		right(depth - 1, 2 * way + 1);
	} else {
		at_the_end(way);
	}
	__asm__ volatile("");
}

static void left(unsigned depth, unsigned long way)
{
	on(depth, way);
	__asm__ volatile("");
}

static void right(unsigned depth, unsigned long way)
{
	on(depth, way);
	__asm__ volatile("");
}

int main(int argc, char **argv)
{
	on(argc > 1 ? (unsigned)atoi(argv[1]) : 17, 0);
	printf("%lu %lu\n", made, kept);
	return 0;
}
