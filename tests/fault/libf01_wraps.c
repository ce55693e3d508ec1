/* cflags: -fno-builtin */
/* link: -ldl */
/* SPDX-License-Identifier: MIT */
/* F1: stands in for functions that an allocator might call while it starts, and allocates in each. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

/* Sizes of their own, small and large: each takes the slow path at first. */
static void allocate(size_t bytes)
{
	char *small = malloc(bytes), *large = calloc(1, bytes * 1000);
	if (!small || !large)
		abort();
	memset(small, 1, bytes);
	free(large);
	free(realloc(small, bytes * 3));
}

#define NEXT(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

static mode_t mode_of(int flags, va_list list)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
}

#define OPEN(name)                                                                                 \
	int name(const char *path, int flags, ...)                                                 \
	{                                                                                          \
		va_list list;                                                                      \
		va_start(list, flags);                                                             \
		mode_t mode = mode_of(flags, list);                                                \
		va_end(list);                                                                      \
		allocate(100);                                                                     \
		return NEXT(name)(path, flags, mode);                                              \
	}

#define OPEN_AT(name)                                                                              \
	int name(int directory, const char *path, int flags, ...)                                  \
	{                                                                                          \
		va_list list;                                                                      \
		va_start(list, flags);                                                             \
		mode_t mode = mode_of(flags, list);                                                \
		va_end(list);                                                                      \
		allocate(200);                                                                     \
		return NEXT(name)(directory, path, flags, mode);                                   \
	}

OPEN(open)
OPEN(open64)
OPEN_AT(openat)
OPEN_AT(openat64)

void *mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	allocate(300);
	return NEXT(mmap)(at, bytes, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t bytes, int protection, int flags, int fd, off64_t offset)
{
	allocate(300);
	return NEXT(mmap64)(at, bytes, protection, flags, fd, offset);
}

int madvise(void *at, size_t bytes, int advice)
{
	allocate(320);
	return NEXT(madvise)(at, bytes, advice);
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	allocate(400);
	return NEXT(pthread_mutex_lock)(mutex);
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
	allocate(420);
	return NEXT(pthread_setspecific)(key, value);
}

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
	allocate(440);
	return NEXT(pthread_key_create)(key, destructor);
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	allocate(500);
	return NEXT(sigprocmask)(how, set, old);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	allocate(520);
	return NEXT(pthread_sigmask)(how, set, old);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	allocate(600);
	return NEXT(clock_gettime)(clock, now);
}

int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
	allocate(620);
	return NEXT(getrlimit)(resource, limit);
}
