/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* mallopt, malloc_trim, mallinfo, mallinfo2, malloc_info, malloc_stats: callable and plausible.
   usage: tuning [stats | info FILE] */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* mallinfo is what we are here for */

static void say(const char *what, int holds)
{
	printf("%-60s %s\n", what, holds ? "yes" : "NO");
}

static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();
	return m.uordblks + m.hblkhd;
}

static void info_follows(size_t bytes, int count)
{
	static void *blocks[2000];
	size_t total = bytes * (size_t)count, before = in_use(), before_small = mallinfo2().uordblks;
	int before_int = mallinfo().uordblks;

	for (int i = 0; i < count; i++)
		blocks[i] = malloc(bytes);
	size_t full = in_use(), full_small = mallinfo2().uordblks;
	int full_int = mallinfo().uordblks;
	for (int i = 0; i < count; i++)
		free(blocks[i]);

	printf("%d blocks of %zu bytes:\n", count, bytes);
	say("  mallinfo2 grows by what was allocated", full >= before + total);
	say("  mallinfo2 falls after free", in_use() <= full - total / 10 * 9);
	if (bytes > 10000)
		return;
	say("  uordblks grows by what was allocated", full_small >= before_small + total);
	say("  uordblks falls after free", mallinfo2().uordblks <= full_small - total / 10 * 9);
	say("  mallinfo grows by what was allocated", full_int >= before_int + (int)total);
	say("  mallinfo falls after free", mallinfo().uordblks <= full_int - (int)(total / 10 * 9));
}

static void options(void)
{
	say("mallopt(M_TRIM_THRESHOLD)", mallopt(M_TRIM_THRESHOLD, 128 * 1024) == 1);
	say("mallopt(M_TOP_PAD)", mallopt(M_TOP_PAD, 64 * 1024) == 1);
	say("mallopt(M_MMAP_THRESHOLD)", mallopt(M_MMAP_THRESHOLD, 256 * 1024) == 1);
	say("mallopt(M_MMAP_MAX)", mallopt(M_MMAP_MAX, 65536) == 1);
	say("mallopt(M_CHECK_ACTION)", mallopt(M_CHECK_ACTION, 3) == 1);
	say("mallopt(M_ARENA_TEST)", mallopt(M_ARENA_TEST, 8) == 1);
	say("mallopt(M_ARENA_MAX)", mallopt(M_ARENA_MAX, 2) == 1);
	say("mallopt(M_MXFAST)", mallopt(M_MXFAST, 64) == 1);
	say("mallopt(M_PERTURB)", mallopt(M_PERTURB, 0) == 1);
}

static void trimming(void)
{
	enum { COUNT = 3000, BYTES = 5000 };
	static unsigned char *blocks[COUNT];
	int kept = 1;

	for (int i = 0; i < COUNT; i++)
		memset(blocks[i] = malloc(BYTES), i, BYTES);
	for (int i = 0; i < COUNT; i++)
		if (i % 10) {
			free(blocks[i]);
			blocks[i] = NULL;
		}
	int first = malloc_trim(0), second = malloc_trim(1 << 20);
	for (int i = 0; i < COUNT; i += 10)
		for (int k = 0; k < BYTES; k++)
			kept &= blocks[i][k] == (unsigned char)i;
	for (int i = 0; i < COUNT; i++)
		free(blocks[i]);
	say("malloc_trim returns 0 or 1",
	    (first == 0 || first == 1) && (second == 0 || second == 1));
	say("malloc_trim keeps what is in use", kept);
}

static int info_to(const char *path)
{
	void *small = malloc(100), *large = malloc(3 << 20);
	FILE *f = fopen(path, "w");
	if (!f)
		return 1;
	int code = malloc_info(0, f), closed = fclose(f);
	free(small);
	free(large);
	return code || closed;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "stats") == 0) {
		malloc_stats();
		return 0;
	}
	if (argc > 2 && strcmp(argv[1], "info") == 0)
		return info_to(argv[2]);
	info_follows(48, 2000);
	info_follows(1000, 1000);
	info_follows(1 << 20, 20);
	options();
	trimming();
	FILE *null = fopen("/dev/null", "w");
	say("malloc_info(0) is served", malloc_info(0, null) == 0);
	say("malloc_info(1) is refused", malloc_info(1, null) == EINVAL);
	fclose(null);
	return 0;
}
