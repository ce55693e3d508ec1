/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* F25: random (alignment, size) pairs for posix_memalign. The rules are checked here; a digest of the
   return codes goes out every 10,000 pairs for the comparison with glibc.
   usage: pairs COUNT SEED */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 64, ERRNO_BEFORE = 1234 };

struct held {
	unsigned char *block;
	size_t bytes;
	unsigned char mark;
};

static uint64_t state;

static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static size_t random_alignment(void)
{
	uint64_t r = next();
	switch (r % 8) {
	case 0: return next() % 64;                 /* mostly invalid */
	case 1: return next() >> (next() % 64);     /* anything */
	case 2: return 8 * (next() % 512);          /* multiples of 8, few of them powers */
	default: return (size_t)1 << (r >> 8) % 17; /* 1 .. 64 KiB */
	}
}

static size_t random_bytes(void)
{
	uint64_t r = next() % 1000;
	if (r == 0)
		return SIZE_MAX - next() % 100000;
	if (r == 1)
		return (size_t)PTRDIFF_MAX - 1000 + next() % 2000;
	if (r < 5)
		return next() % (1 << 20);
	return next() % ((size_t)1 << (next() % 15));
}

static int valid(size_t alignment)
{
	return alignment >= sizeof(void *) && (alignment & (alignment - 1)) == 0;
}

static void fail(const char *what, uint64_t i, size_t alignment, size_t bytes)
{
	printf("pair %" PRIu64 ": posix_memalign(%#zx, %#zx): %s\n", i, alignment, bytes, what);
	exit(1);
}

static void give_back(struct held *h)
{
	for (size_t i = 0; i < h->bytes; i += i < 64 ? 1 : 509)
		if (h->block[i] != h->mark) {
			printf("block of %zu bytes overwritten at %zu\n", h->bytes, i);
			exit(1);
		}
	free(h->block);
}

static int pair(struct held *h, uint64_t i)
{
	size_t alignment = random_alignment(), bytes = random_bytes();
	void *p = h;
	errno = ERRNO_BEFORE;
	int e = posix_memalign(&p, alignment, bytes);

	if (e != 0 && p != h)
		fail("*memptr changed on failure", i, alignment, bytes);
	if ((e == EINVAL) != !valid(alignment))
		fail("EINVAL rule", i, alignment, bytes);
	if (e != 0)
		return e;
	if (errno != ERRNO_BEFORE)
		fail("errno changed on success", i, alignment, bytes);
	if ((uintptr_t)p % alignment || (uintptr_t)p % 16)
		fail("misaligned", i, alignment, bytes);
	if (malloc_usable_size(p) < bytes)
		fail("usable size below size", i, alignment, bytes);
	give_back(h);
	*h = (struct held){.block = p, .bytes = bytes, .mark = (unsigned char)i};
	memset(p, h->mark, bytes);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000, digest = 0;
	static struct held held[WINDOW];

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	for (uint64_t i = 0; i < count; i++) {
		digest = digest * 1099511628211u + (uint64_t)pair(&held[i % WINDOW], i);
		if ((i + 1) % 10000 == 0)
			printf("%" PRIu64 " %016" PRIx64 "\n", i + 1, digest);
	}
	for (unsigned i = 0; i < WINDOW; i++)
		give_back(&held[i]);
	return 0;
}
