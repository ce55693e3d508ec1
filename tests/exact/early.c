/* SPDX-License-Identifier: MIT */
/* cflags: -O1 -fno-builtin -fno-pie -no-pie -Wl,-z,now */
/* early.c: a size is asked for before the library has started, by a resolver, and a thousand times afterwards. */
#include <stdlib.h>

static int answer(void)
{
	return 1;
}

static int (*resolve(void))(void)
{
	*(void *volatile *)malloc(24) = NULL;
	return answer;
}

int resolved(void) __attribute__((ifunc("resolve")));

int main(void)
{
	for (int i = 0; i < 1000; i++)
		if (!malloc(24))
			return 1;
	return resolved() - 1;
}
