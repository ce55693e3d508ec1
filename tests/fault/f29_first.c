/* SPDX-License-Identifier: MIT */
/* Allocates N blocks of a size of their own, says its pid, and waits for the end of its input.
   usage: f29_first N [MARK] */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0;
	char byte;
	void *volatile block = &byte;
	for (int i = 0; i < count; i++)
		block = malloc(27000);
	printf("%d\n", (int)getpid());
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return block == NULL;
}
