/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * Writes down what a program asks of malloc, in order: LD_PRELOAD=libstream.so STREAM_OUT=FILE.
 *
 *   FILE: a word, the number of records; then struct record, read by frag_replay.py
 *
 * For programs of one thread that do not fork.  What comes before the constructor is left out.
 */
#define _GNU_SOURCE 1
#include <execinfo.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RECORDS_MAX = 4 << 20, FRAMES = 16 };

/* block 0: a free of `old`; old 0: a new block; both: a realloc. */
struct record {
	uint64_t block, old, bytes, stack;
};

static struct stream {
	uint64_t count;
	struct record records[RECORDS_MAX];
} * stream;
static __thread int nested __attribute__((tls_model("initial-exec")));

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *block);

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("STREAM_OUT");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd < 0 || ftruncate(fd, sizeof *stream) != 0)
		_exit(99);
	void *at = mmap(NULL, sizeof *stream, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		_exit(99);
	close(fd);
	stream = at;
}

/* Of who called, a number. */
static uint64_t stack_of(void)
{
	void *frame[FRAMES];
	int count = backtrace(frame, FRAMES);
	uint64_t hash = 0;

	for (int i = 2; i < count; i++)
		hash = (hash ^ (uintptr_t)frame[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return hash;
}

static void *note(void *old, void *block, size_t bytes)
{
	if (!stream || nested++ || stream->count == RECORDS_MAX)
		return block;
	stream->records[stream->count] = (struct record){(uintptr_t)block, (uintptr_t)old, bytes,
							 block ? stack_of() : 0};
	stream->count++;
	nested = 0;
	return block;
}

void *malloc(size_t bytes)
{
	return note(NULL, __libc_malloc(bytes), bytes);
}

void *calloc(size_t count, size_t bytes)
{
	return note(NULL, __libc_calloc(count, bytes), count * bytes);
}

void *realloc(void *block, size_t bytes)
{
	return note(block, __libc_realloc(block, bytes), bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	return note(NULL, __libc_memalign(alignment, bytes), bytes);
}

void *memalign(size_t alignment, size_t bytes)
{
	return note(NULL, __libc_memalign(alignment, bytes), bytes);
}

int posix_memalign(void **ret_block, size_t alignment, size_t bytes)
{
	*ret_block = note(NULL, __libc_memalign(alignment, bytes), bytes);
	return 0;
}

void free(void *block)
{
	if (block)
		note(block, NULL, 0);
	__libc_free(block);
}
