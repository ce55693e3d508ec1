/* SPDX-License-Identifier: MIT */
/*
 * A program that locks its memory, now and for ever.  Prints what it got and whether freed memory that is
 * handed out again by calloc is zero; on stderr its resident KiB.   usage: f40_lock
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { SMALL = 4000, LARGE = 8, LARGE_BYTES = 100000, ROUNDS = 25 };

static long resident_kib(void)
{
	static char text[4096];
	FILE *file = fopen("/proc/self/status", "re");
	size_t bytes = file ? fread(text, 1, sizeof text - 1, file) : 0;
	const char *line = strstr(text, "VmRSS:");
	if (file)
		fclose(file);
	return bytes && line ? strtol(line + 6, NULL, 10) : 0;
}

static unsigned not_zero(const char *block, size_t bytes)
{
	unsigned count = 0;
	for (size_t i = 0; i < bytes; i++)
		count += block[i] != 0;
	return count;
}

/* What was freed before is left alone for a while; small blocks bring the slow calls that give it back. */
static void rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
	for (unsigned i = 0; i < 10000; i++) {
		void *volatile block = malloc(50);
		free(block);
	}
}

/* Large blocks come dirty and go back, so that pages are due to be given back to the kernel. */
static unsigned large_round(void)
{
	char *blocks[LARGE];
	unsigned wrong = 0;
	for (unsigned i = 0; i < LARGE; i++) {
		blocks[i] = calloc(1, LARGE_BYTES);
		if (!blocks[i])
			return 1000000;
		wrong += not_zero(blocks[i], LARGE_BYTES);
		memset(blocks[i], 0x55, LARGE_BYTES);
	}
	for (unsigned i = 0; i < LARGE; i++)
		free(blocks[i]);
	for (unsigned i = 0; i < 3; i++)
		rest();
	return wrong;
}

int main(void)
{
	static char *small[SMALL];
	unsigned missing = 0, wrong = 0;
	int result = mlockall(MCL_CURRENT | MCL_FUTURE);
	printf("mlockall %d, error %d\n", result, result ? errno : 0);
	for (unsigned i = 0; i < SMALL; i++)
		missing += !(small[i] = malloc(i % 500 + 1));
	for (unsigned i = 0; i < ROUNDS; i++)
		wrong += large_round();
	printf("missing %u, not zero %u\n", missing, wrong);
	for (unsigned i = 0; i < SMALL; i++)
		free(small[i]);
	fprintf(stderr, "%ld\n", resident_kib());
	return 0;
}
