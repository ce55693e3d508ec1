/* cflags: -g -O2 */
/* link: -Wl,--build-id */
/* SPDX-License-Identifier: MIT */
/* A function inlined into one that is inlined into one that is not; a nested one; one that nobody names. */
#include <stdio.h>
#include <string.h>

static inline __attribute__((always_inline)) int innermost_step(volatile int *at, int x)
{
	*at += x;
	return *at * 3;
}

static inline __attribute__((always_inline)) int middle_step(volatile int *at, int x)
{
	int sum = 0;
	for (int i = 0; i < x; i++)
		sum += innermost_step(at, i);
	return sum;
}

__attribute__((noinline)) int outer_walk(volatile int *at, int x)
{
	int once = middle_step(at, x);
	return once + innermost_step(at, 7);
}

static __attribute__((noinline)) int unseen(const char *text)
{
	return text[0] ? outer_walk(&(int){4}, (int)strlen(text)) : 0;
}

static __attribute__((noinline)) int with_nested(volatile int *at, int x)
{
	__attribute__((noinline)) int nested(int y)
	{
		*at += x;
		return y + *at;
	}
	return nested(x) + nested(*at);
}

int main(int count, char **argument)
{
	volatile int at = count;
	printf("%d %d\n", unseen(argument[0]), with_nested(&at, count));
	return 0;
}
