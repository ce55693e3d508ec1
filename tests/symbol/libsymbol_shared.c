/* cflags: -g -O2 */
/* link: -Wl,--build-id */
/* SPDX-License-Identifier: MIT */
/* A library: what it exports, what it does not, and two names for one function. */
#include <stddef.h>

static __attribute__((noinline)) int shared_hidden(const char *text, size_t length)
{
	int sum = 0;
	for (size_t i = 0; i < length; i++)
		sum = sum * 31 + text[i];
	return sum;
}

int shared_sum(const char *text, size_t length)
{
	return length > 4 ? shared_hidden(text, length) : shared_hidden(text + 1, length) - 1;
}

int _shared_sum_internal(const char *, size_t) __attribute__((alias("shared_sum")));
