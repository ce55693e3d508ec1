/* cflags: -fno-builtin -g */
/* SPDX-License-Identifier: MIT */
/*
 * lately.c: one function keeps all that it takes, first; then another one alone, every second block, among work that
 * leaves nothing.  Kills itself.
 */
#include <signal.h>
#include <stdlib.h>

void *volatile kept;
enum { EARLY = 30000, LATE = 40000, BYTES = 200 };

__attribute__((noinline)) static void *keep_early(void)
{
	return malloc(BYTES);
}

__attribute__((noinline)) static void *keep_late(void)
{
	return malloc(BYTES);
}

__attribute__((noinline)) static void work(void)
{
	void *volatile block = malloc(BYTES);
	free(block);
}

int main(void)
{
	for (int i = 0; i < EARLY; i++)
		kept = keep_early();
	for (int i = 0; i < LATE; i++) {
		work();
		kept = keep_late();
	}
	raise(SIGKILL);
}
