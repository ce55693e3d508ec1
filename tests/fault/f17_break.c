/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* F17: asks where the break is, or moves it; allocates a little, and ends badly.   usage: f17_break ask|move */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	sbrk(0);
	if (argc > 1 && strcmp(argv[1], "move") == 0)
		sbrk(65536);
	for (int i = 0; i < 100; i++) /* not one class takes a slow call for its countdown */
		memset(malloc(2000 + (size_t)(i % 4) * 3000), 1, 2000);
	if (argc > 2)
		for (int i = 0; i < 5000; i++)
			free(malloc(10));
	abort();
}
