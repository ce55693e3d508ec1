/* SPDX-License-Identifier: MIT */
/* F17: opened with RTLD_DEEPBIND its malloc is libc's own, whoever stands in front. */
#include <stdlib.h>
#include <string.h>

void *deep_take(size_t bytes);
void deep_give(void *block);
char *deep_copy(const char *text);

void *deep_take(size_t bytes)
{
	void *block = malloc(bytes);
	memset(block, 7, bytes);
	return block;
}

void deep_give(void *block)
{
	free(block);
}

char *deep_copy(const char *text)
{
	return strdup(text);
}
