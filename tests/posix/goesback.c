/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* What another thread frees goes back though the thread that allocated it never runs out of blocks. */
#include "posix/resident.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { BLOCKS = 100000, BYTES = 1000, SECONDS = 20 };

static char *block[BLOCKS];

static void *free_them(void *unused)
{
	for (int i = 0; i < BLOCKS; i++)
		free(block[i]);
	return unused;
}

int main(void)
{
	pthread_t thread;
	time_t end = time(NULL) + SECONDS;
	resident(); /* stdio's own block is there now */
	free(malloc(40));
	for (int i = 0; i < BLOCKS; i++)
		block[i] = memset(malloc(BYTES), 1, BYTES);
	if (pthread_create(&thread, NULL, free_them, NULL))
		return 1;
	pthread_join(thread, NULL);
	long full = resident(), now = full;
	while (now > full / 2 && time(NULL) < end) {
		for (int i = 0; i < 1000000; i++)
			free(malloc(40));
		now = resident();
	}
	printf("%s\n", now > full / 2 ? "it stays" : "it goes back");
	return now > full / 2;
}
