/* SPDX-License-Identifier: MIT */
/* A deterministic mix of all calls of the malloc family over a table of blocks. For the programs of this
   folder; what they ask for is counted by the oracle, so nothing is counted here. */
#ifndef POOLMEM_TESTS_EXACT_MIX_H
#define POOLMEM_TESTS_EXACT_MIX_H

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MIX_SLOTS = 512 };

struct mix {
	uint64_t random;
	void *slots[MIX_SLOTS];
};

static inline uint64_t mix_next(struct mix *m)
{
	uint64_t z = m->random += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Mostly small, one in five hundred large. */
static inline size_t mix_bytes(struct mix *m)
{
	uint64_t r = mix_next(m), v = r >> 12;
	if (r % 500 == 0)
		return v % (2 << 20);
	if (r % 20 == 0)
		return v % 40000;
	return v % ((uint64_t)16 << (r >> 60) % 8);
}

static inline void *mix_take(struct mix *m)
{
	static volatile size_t huge = PTRDIFF_MAX;
	size_t n = mix_bytes(m), alignment = (size_t)1 << mix_next(m) % 14;
	void *p = NULL;

	switch (mix_next(m) % 24) {
	case 0:
	case 1:
	case 2: return calloc(1 + n / 7, 7);
	case 3: return aligned_alloc(alignment, n);
	case 4: return memalign(alignment, n);
	case 5: return posix_memalign(&p, alignment, n) == 0 ? p : NULL; /* EINVAL below 8 */
	case 6: return n % 64 ? malloc(n) : valloc(n);
	case 7: return n % 64 ? malloc(n) : pvalloc(n);
	case 8: return realloc(NULL, n);
	case 9: return reallocarray(NULL, n, 3);
	case 10: return n % 16 ? strdup("a copy made by libc") : malloc(huge);
	case 11: return n % 16 ? malloc(n) : calloc(huge, n + 2);
	case 12: return n % 16 ? malloc(n) : aligned_alloc(64, huge);
	default: return malloc(n);
	}
}

static inline void mix_resize(struct mix *m, void **slot)
{
	static volatile size_t huge = PTRDIFF_MAX;
	size_t n = mix_bytes(m);
	void *volatile was = *slot;
	void *now;

	switch (mix_next(m) % 8) {
	case 0: now = reallocarray(was, n, 2), *slot = now || n == 0 ? now : was; return;
	case 1: now = realloc(was, malloc_usable_size(was)), *slot = now; return;
	case 2: now = n % 8 ? NULL : realloc(was, huge), *slot = now ? now : was; return;
	case 3: now = n % 8 ? NULL : reallocarray(was, huge, huge), *slot = now ? now : was; return;
	case 4: *slot = n % 8 ? was : realloc(was, 0); return;
	default: now = realloc(was, n), *slot = now; return;
	}
}

static inline void mix_step(struct mix *m)
{
	void **slot = &m->slots[mix_next(m) % MIX_SLOTS];
	uint64_t r = mix_next(m) % 100;
	if (!*slot) {
		*slot = mix_take(m);
	} else if (r < 25) {
		mix_resize(m, slot);
	} else {
		free(*slot);
		*slot = NULL;
		if (r < 30)
			free(NULL);
	}
}

static inline void mix_run(struct mix *m, unsigned long steps)
{
	for (unsigned long i = 0; i < steps; i++)
		mix_step(m);
}

static inline void mix_free_all(struct mix *m)
{
	for (unsigned i = 0; i < MIX_SLOTS; i++) {
		free(m->slots[i]);
		m->slots[i] = NULL;
	}
}

static inline unsigned long mix_argument(int argc, char **argv, int i, unsigned long otherwise)
{
	return argc > i ? strtoul(argv[i], NULL, 0) : otherwise;
}

#endif
