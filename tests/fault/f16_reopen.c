/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-builtin */ /* link: -ldl */
/*
 * F16: opens and closes two libraries in turn, which come to the same addresses, and allocates in both.
 * usage: f16_reopen FIRST SECOND ROUNDS [iconv]
 * With iconv() in between libc opens and closes modules of its own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <iconv.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 5 };

/* Its base; the blocks stay. */
static uintptr_t visit(const char *path)
{
	struct link_map *opened = dlopen(path, RTLD_NOW);
	void *(*entry)(size_t) = NULL;
	if (opened)
		*(void **)&entry = dlsym(opened, "entry");
	if (!entry)
		abort();
	uintptr_t base = opened->l_addr;
	for (size_t i = 0; i < BLOCKS; i++)
		entry(100 + i);
	dlclose(opened);
	return base;
}

static void convert(void)
{
	static const char *const sets[] = {"UTF-16", "CP1250", "EUC-JP", "SJIS", "KOI8-R", "BIG5"};
	for (unsigned i = 0; i < sizeof sets / sizeof *sets; i++) {
		iconv_t way = iconv_open(sets[i], "UTF-8");
		char in[] = "text", out[64], *from = in, *to = out;
		size_t in_left = 4, out_left = sizeof out;
		if (way == (iconv_t)-1)
			continue;
		iconv(way, &from, &in_left, &to, &out_left);
		iconv_close(way);
	}
}

int main(int argc, char **argv)
{
	unsigned moved = 0;
	uintptr_t base = 0;
	if (argc < 4)
		return 2;
	for (int round = 0; round < atoi(argv[3]); round++)
		for (int i = 1; i <= 2; i++) {
			uintptr_t now = visit(argv[i]);
			moved += base && now != base;
			base = now;
			if (argc > 4)
				convert();
		}
	printf("%s at other addresses\n", moved * 4 <= (unsigned)atoi(argv[3]) ? "few" : "many");
	return 4;
}
