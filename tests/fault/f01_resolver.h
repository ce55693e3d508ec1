/* SPDX-License-Identifier: MIT */
/* F1: an ifunc whose resolver uses the whole family. It runs while its module is relocated. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void *kept[4];

static int real_answer(void)
{
	int sum = 0;
	for (unsigned char i = 0; i < 4; i++)
		sum += ((unsigned char *)kept[i])[i * 1000] == i;
	return sum;
}

__attribute__((used)) static int (*choose_answer(void))(void)
{
	for (int i = 0; i < 4; i++) {
		kept[i] = malloc(1000 * (size_t)i + 1);
		memset(kept[i], i, 1000 * (size_t)i + 1);
	}
	void *zeros = calloc(10, 10);
	free(zeros);
	zeros = calloc(100, 1000);
	for (int i = 0; i < 100000; i++)
		if (((char *)zeros)[i])
			return NULL;
	memset(zeros, 1, 100000);
	free(zeros);
	zeros = calloc(100, 1000);
	for (int i = 0; i < 100000; i++)
		if (((char *)zeros)[i])
			return NULL;
	zeros = realloc(zeros, 10000000);
	if (malloc_usable_size(zeros) < 10000000)
		return NULL;
	free(realloc(zeros, 10));
	free(aligned_alloc(4096, 100));
	free(NULL);
	kept[2] = realloc(kept[2], 5000);
	kept[3] = realloc(kept[3], 100000);
	return real_answer;
}

static int answer(void) __attribute__((ifunc("choose_answer")));

/* What the resolver allocated is used and freed long after. */
static int use_and_free(void)
{
	int sum = answer();
	for (int i = 0; i < 4; i++)
		free(kept[i]);
	return sum;
}
