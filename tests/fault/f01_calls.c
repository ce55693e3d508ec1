/* SPDX-License-Identifier: MIT */
/* F1: calls each function that libf01_wraps.so stands in for, from main and from threads. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 200 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long sum;

static void *call_all(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct timespec now;
		sigset_t set;
		int fd = open("/dev/zero", O_RDONLY);
		int same = openat(AT_FDCWD, "/dev/zero", O_RDONLY);
		char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
		sigemptyset(&set);
		sigprocmask(SIG_BLOCK, &set, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		pthread_mutex_lock(&mutex);
		sum += fd > 2 && same > 2 && page != MAP_FAILED && page[0] == 0;
		pthread_mutex_unlock(&mutex);
		munmap(page, 4096);
		close(fd);
		close(same);
		free(malloc((size_t)i * 37));
	}
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, call_all, NULL);
	call_all(NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%ld rounds\n", sum);
	return 0;
}
