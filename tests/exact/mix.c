/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* One thread, all calls. Half of the last blocks stay.   usage: mix STEPS SEED [return|exit|_exit|abort|kill] */
#include "mix.h"
#include <signal.h>
#include <unistd.h>

static struct mix m;

int main(int argc, char **argv)
{
	const char *end = argc > 3 ? argv[3] : "return";
	m.random = mix_argument(argc, argv, 2, 1);
	mix_run(&m, mix_argument(argc, argv, 1, 100000));
	for (unsigned i = 0; i < MIX_SLOTS; i += 2)
		free(m.slots[i]);
	if (!strcmp(end, "exit"))
		exit(3);
	if (!strcmp(end, "_exit"))
		_exit(4);
	if (!strcmp(end, "abort"))
		abort();
	if (!strcmp(end, "kill"))
		kill(getpid(), SIGKILL);
	return 0;
}
