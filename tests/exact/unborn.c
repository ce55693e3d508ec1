/* SPDX-License-Identifier: MIT */
/* unborn.c: with little of the address space left, blocks come far from others and go: no table of births fits besides. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

int main(void)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	unsigned long pages;
	if (!statm || fscanf(statm, "%lu", &pages) != 1)
		return 2;
	fclose(statm);
	struct rlimit limit = {(pages << 12) + (3 << 20), (pages << 12) + (3 << 20)};
	if (setrlimit(RLIMIT_AS, &limit))
		return 2;
	mallopt(M_MMAP_THRESHOLD, 100000); /* mappings of their own */
	for (unsigned i = 0; i < 10000; i++) {
		void *volatile block = malloc(200000);
		if (!block)
			return 3;
		free(block);
	}
	return 0;
}
