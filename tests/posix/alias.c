/* cflags: -fno-builtin */
/* link: -ldl */
/* SPDX-License-Identifier: MIT */
/* The __libc_ names and the public ones are one heap: what one hands out the other resizes and frees. */
#include <dlfcn.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *named(const char *name)
{
	void *f = dlsym(RTLD_DEFAULT, name);
	if (!f) {
		printf("%s is missing\n", name);
		exit(1);
	}
	return f;
}

static void crossed(const char *name, unsigned char *p, size_t bytes)
{
	void *(*libc_realloc)(void *, size_t) = (void *(*)(void *, size_t))named("__libc_realloc");
	void (*libc_free)(void *) = (void (*)(void *))named("__libc_free");

	int usable = p && malloc_usable_size(p) >= bytes;
	memset(p, 0x3c, bytes);
	p = realloc(p, bytes * 2);
	p = libc_realloc(p, bytes * 3);
	int kept = 1;
	for (size_t i = 0; i < bytes; i++)
		kept &= p[i] == 0x3c;
	free(p);
	p = malloc(bytes);
	memset(p, 1, bytes);
	libc_free(p);
	libc_free(NULL);
	printf("%s %zu: usable=%d kept=%d\n", name, bytes, usable, kept);
}

int main(void)
{
	for (size_t n = 1; n < 1 << 22; n = n * 3 + 1) {
		crossed("__libc_malloc", ((void *(*)(size_t))named("__libc_malloc"))(n), n);
		crossed("__libc_calloc", ((void *(*)(size_t, size_t))named("__libc_calloc"))(1, n),
			n);
		crossed("__libc_realloc",
			((void *(*)(void *, size_t))named("__libc_realloc"))(NULL, n), n);
		crossed("__libc_memalign",
			((void *(*)(size_t, size_t))named("__libc_memalign"))(256, n), n);
		crossed("__libc_valloc", ((void *(*)(size_t))named("__libc_valloc"))(n), n);
		crossed("__libc_pvalloc", ((void *(*)(size_t))named("__libc_pvalloc"))(n), n);
	}
	return 0;
}
