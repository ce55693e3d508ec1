/* link: -ldl -lpthread */
/* SPDX-License-Identifier: MIT */
/* F4: opens the libraries named on the command line, touches the thread-local storage of each in several
   threads, closes every second one. Prints how many could be opened.
   usage: dlopen_tls LIBRARY... */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, LIBRARIES_MAX = 1000 };

static long (*touch[LIBRARIES_MAX])(long);
static void *handle[LIBRARIES_MAX];
static int opened;

/* touch(v) returns what stood there and stores v; a fresh thread must read zero. */
static void *use_all(void *arg)
{
	long bad = 0, mark = (long)arg;
	for (int i = 0; i < opened; i++) {
		bad += touch[i](mark + i) != 0;
		free(malloc((size_t)i * 10));
	}
	for (int i = 0; i < opened; i++)
		bad += touch[i](0) != mark + i;
	return (void *)bad;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	long bad = 0;

	for (int i = 1; i < argc && opened < LIBRARIES_MAX; i++) {
		handle[opened] = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
		if (!handle[opened])
			continue;
		touch[opened] = (long (*)(long))dlsym(handle[opened], "touch");
		opened++;
	}
	bad += (long)use_all((void *)1000L);
	for (long t = 0; t < THREADS; t++)
		pthread_create(&threads[t], NULL, use_all, (void *)(t * 100000 + 1));
	for (int t = 0; t < THREADS; t++) {
		void *result;
		pthread_join(threads[t], &result);
		bad += (long)result;
	}
	for (int i = 0; i < opened; i += 2)
		dlclose(handle[i]);
	printf("%d opened, %ld wrong values\n", opened, bad);
	return bad != 0;
}
