/* SPDX-License-Identifier: MIT */
/* Of 1,000 old blocks and 500 young ones a forked child frees a few, and turns no epoch. */
#include <poolmem/poolmem.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OLD = 1000, YOUNG = 500, BYTES = 48 };

static void *block[OLD + YOUNG];

int main(void)
{
	if (poolmem_disable())
		return 2;
	for (int i = 0; i < OLD; i++)
		block[i] = malloc(BYTES);
	poolmem_collect(2);
	for (int i = OLD; i < OLD + YOUNG; i++)
		block[i] = malloc(BYTES);
	pid_t child = fork();
	for (int i = OLD - 100; !child && i < OLD + 50; i++)
		free(block[i]);
	return child && waitpid(child, NULL, 0) != child;
}
