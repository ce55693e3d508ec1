/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* One child after the other, and then many at once.   usage: manyforks ONE_BY_ONE AT_ONCE STEPS */
#include "mix.h"
#include <sys/wait.h>
#include <unistd.h>

static struct mix m;

static void child(unsigned long steps)
{
	mix_run(&m, steps);
	_exit(0);
}

int main(int argc, char **argv)
{
	unsigned long one_by_one = mix_argument(argc, argv, 1, 100),
		      at_once = mix_argument(argc, argv, 2, 8);
	unsigned long steps = mix_argument(argc, argv, 3, 100);

	mix_run(&m, steps);
	for (unsigned long i = 0; i < one_by_one; i++) {
		if (fork() == 0)
			child(steps + i);
		mix_run(&m, 10);
		wait(NULL);
	}
	for (unsigned long i = 0; i < at_once; i++)
		if (fork() == 0)
			child(steps + i);
	while (wait(NULL) > 0)
		mix_run(&m, 10);
	return 0;
}
