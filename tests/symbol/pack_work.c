/* cflags: -g -O2 */
/* link: -Wl,--build-id */
/* SPDX-License-Identifier: MIT */
/* Allocates in an inlined function and in code that it makes as it runs, and names that as a run-time compiler would. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef void *made_function(size_t size, void *(*allocate)(size_t));

static void *volatile kept[64];

/* sub rsp, 8; call rsi; add rsp, 8; ret */
static const unsigned char code[] = {0x48, 0x83, 0xec, 0x08, 0xff, 0xd6,
				     0x48, 0x83, 0xc4, 0x08, 0xc3};

static made_function *make(void)
{
	char path[64];
	void *made = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	snprintf(path, sizeof path, "/tmp/perf-%d.map", getpid());
	FILE *map = fopen(path, "w");

	if (made == MAP_FAILED || !map)
		exit(2);
	memcpy(made, code, sizeof code);
	fprintf(map, "%lx %zx made_up_at_run_time\n", (unsigned long)made, sizeof code);
	fclose(map);
	return (made_function *)made;
}

static inline __attribute__((always_inline)) void keep_inlined(int i, size_t size)
{
	kept[i] = malloc(size);
}

__attribute__((noinline)) static void keep_some(int count)
{
	for (int i = 0; i < count; i++)
		keep_inlined(i, 1000);
}

int main(void)
{
	made_function *made = make();

	keep_some(20);
	for (int i = 20; i < 30; i++)
		kept[i] = made(3000, malloc);
	printf("%d\n", getpid());
	return kept[29] ? 0 : 1;
}
