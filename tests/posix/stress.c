/* cflags: -fno-builtin */
/* link: -lpthread */
/* SPDX-License-Identifier: MIT */
/* Content integrity: random calls of the whole family, each block filled with a pattern made from its id
   and verified before it is freed and after it is resized, so that an overlap shows as a broken pattern.
   Threads hand blocks to each other. The digest does not depend on addresses or on scheduling.
   usage: stress THREADS STEPS SEED */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 256, POST_BOXES = 64, THREADS_MAX = 64 };

struct block {
	unsigned char *at;
	size_t bytes;
	uint64_t id;
};

struct worker {
	uint64_t random, id_last, digest, steps;
	unsigned index, thread_count;
	struct block slots[SLOTS];
};

/* A box holds a parcel in flight from one thread to the next, or NULL. */
static _Atomic(struct block *) boxes[THREADS_MAX][POST_BOXES];

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t next(struct worker *w)
{
	return mix(w->random += 0x9e3779b97f4a7c15);
}

static void broken(const char *what, const struct block *b, size_t offset)
{
	printf("%s: block %016" PRIx64 " of %zu bytes, offset %zu\n", what, b->id, b->bytes, offset);
	fflush(stdout);
	abort();
}

static uint64_t word(uint64_t id, size_t i)
{
	return (id + i) * 0x9e3779b97f4a7c15;
}

static void fill(const struct block *b, size_t from)
{
	size_t i = from / 8, words = b->bytes / 8;
	for (; i < words; i++) {
		uint64_t w = word(b->id, i);
		memcpy(b->at + i * 8, &w, 8);
	}
	for (size_t k = words * 8; k < b->bytes; k++)
		b->at[k] = (unsigned char)word(b->id, k);
}

/* The first `bytes` of b hold the pattern of a block of `bytes_filled`. */
static void verify(const struct block *b, size_t bytes, size_t bytes_filled)
{
	size_t words = (bytes < bytes_filled ? bytes : bytes_filled) / 8;
	for (size_t i = 0; i < words; i++) {
		uint64_t w = word(b->id, i);
		if (memcmp(b->at + i * 8, &w, 8) != 0)
			broken("pattern", b, i * 8);
	}
	for (size_t k = bytes_filled / 8 * 8; k < bytes; k++)
		if (b->at[k] != (unsigned char)word(b->id, k))
			broken("pattern", b, k);
}

/* Heavy-tailed: half below 128 bytes, one in a hundred up to 4 MiB. */
static size_t random_bytes(struct worker *w)
{
	uint64_t r = next(w), k = r % 100, v = r >> 8;
	if (k < 50)
		return v % 129;
	if (k < 80)
		return v % 1025;
	if (k < 95)
		return v % 16385;
	if (k < 99)
		return v % 131073;
	return v % ((4 << 20) + 1) >> (v >> 40) % 6;
}

static void arrived(const struct block *b, size_t alignment, int zeroed)
{
	if (!b->at)
		broken("no memory", b, 0);
	if ((uintptr_t)b->at % 16 || (uintptr_t)b->at % alignment)
		broken("alignment", b, 0);
	if (malloc_usable_size(b->at) < b->bytes)
		broken("usable size", b, 0);
	for (size_t i = 0; zeroed && i < b->bytes; i++)
		if (b->at[i])
			broken("not zero", b, i);
}

static void take(struct worker *w, struct block *b)
{
	size_t n = b->bytes = random_bytes(w), alignment = (size_t)1 << next(w) % 13;
	void *p = NULL;
	int zeroed = 0;

	b->id = mix((uint64_t)w->index << 48 | ++w->id_last);
	switch (next(w) % 16) {
	case 0:
	case 1:
	case 2: p = calloc(1, n), zeroed = 1, alignment = 16; break;
	case 3: p = calloc(n, 1), zeroed = 1, alignment = 16; break;
	case 4: p = aligned_alloc(alignment, n); break;
	case 5: p = memalign(alignment, n); break;
	case 6:
		alignment = alignment < sizeof(void *) ? sizeof(void *) : alignment;
		if (posix_memalign(&p, alignment, n) != 0)
			broken("posix_memalign", b, alignment);
		break;
	case 7: p = n % 8 ? malloc(n) : valloc(n), alignment = n % 8 ? 16 : 4096; break;
	case 8: p = n % 8 ? malloc(n) : pvalloc(n), alignment = n % 8 ? 16 : 4096; break;
	case 9: p = realloc(NULL, n), alignment = 16; break;
	case 10: p = reallocarray(NULL, n, 1), alignment = 16; break;
	default: p = malloc(n), alignment = 16; break;
	}
	b->at = p;
	arrived(b, alignment, zeroed);
	fill(b, 0);
}

static void give(struct worker *w, struct block *b)
{
	verify(b, b->bytes, b->bytes);
	w->digest += mix(b->id ^ b->bytes);
	if (b->id % 32 == 0)
		b->at = realloc(b->at, 0);
	else
		free(b->at);
	b->at = NULL;
}

static void resize(struct worker *w, struct block *b)
{
	size_t was = b->bytes, n = next(w) % 4 ? was + was / 2 + next(w) % 64 : random_bytes(w);
	n = n > 4 << 20 ? 1 + n % 65536 : n + (n == 0);
	verify(b, was, was);
	b->bytes = n;
	b->at = next(w) % 4 ? realloc(b->at, n) : reallocarray(b->at, 1, n);
	arrived(b, 16, 0);
	verify(b, was < n ? was : n, was);
	fill(b, n < was ? n / 8 * 8 : was / 8 * 8);
}

static void refused(struct worker *w, struct block *b)
{
	size_t huge = SIZE_MAX / 2 - next(w) % 4096 + 2048;
	void *p = next(w) % 2 ? malloc(huge | (size_t)1 << 62)
			      : realloc(b->at, huge | (size_t)1 << 62);
	if (p || errno != ENOMEM)
		broken("huge request served", b, huge);
}

/* Into a box of the next thread; what was waiting there comes out and is freed here. */
static void post(struct worker *w, struct block *b)
{
	struct block *parcel = malloc(sizeof *parcel);
	unsigned to = (w->index + 1) % w->thread_count;
	*parcel = *b;
	b->at = NULL;
	parcel = atomic_exchange(&boxes[to][next(w) % POST_BOXES], parcel);
	if (parcel)
		give(w, parcel);
	free(parcel);
}

static void collect(struct worker *w, unsigned box)
{
	struct block *parcel = atomic_exchange(&boxes[w->index][box], NULL);
	if (parcel)
		give(w, parcel);
	free(parcel);
}

static void step(struct worker *w)
{
	struct block *b = &w->slots[next(w) % SLOTS];
	uint64_t r = next(w) % 100;
	if (!b->at)
		take(w, b);
	else if (r < 20)
		resize(w, b);
	else if (r < 22)
		refused(w, b);
	else if (r < 40 && w->thread_count > 1)
		post(w, b);
	else
		give(w, b);
	if (w->thread_count > 1)
		collect(w, (unsigned)(next(w) % POST_BOXES));
}

static void *work(void *arg)
{
	struct worker *w = arg;
	for (uint64_t i = 0; i < w->steps; i++)
		step(w);
	for (unsigned i = 0; i < SLOTS; i++)
		if (w->slots[i].at)
			give(w, &w->slots[i]);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS_MAX];
	static pthread_t threads[THREADS_MAX];
	unsigned thread_count = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
	uint64_t digest = 0, blocks = 0;

	if (thread_count < 1 || thread_count > THREADS_MAX)
		return 2;
	for (unsigned i = 0; i < thread_count; i++) {
		struct worker *w = &workers[i];
		w->index = i;
		w->thread_count = thread_count;
		w->steps = argc > 2 ? strtoull(argv[2], NULL, 0) : 100000;
		w->random = mix((argc > 3 ? strtoull(argv[3], NULL, 0) : 1) * 1000 + i);
	}
	for (unsigned i = 0; i < thread_count; i++)
		if (thread_count == 1 ? work(&workers[i]) != NULL
				      : pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
			return 1;
	for (unsigned i = 0; i < thread_count && thread_count > 1; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < thread_count; i++)
		for (unsigned box = 0; box < POST_BOXES; box++)
			collect(&workers[i], box);
	for (unsigned i = 0; i < thread_count; i++) {
		digest += workers[i].digest;
		blocks += workers[i].id_last;
	}
	printf("%" PRIu64 " blocks, digest %016" PRIx64 "\n", blocks, digest);
	return 0;
}
