/* SPDX-License-Identifier: MIT */
/*
 * F33: hostile traces.  Whatever the bytes, a trace is printed and made into a script, or refused with a sentence: no crash, no
 * hang, memory bounded.
 *
 * With clang -fsanitize=fuzzer this is a coverage-guided fuzzer.  Built without (-DFUZZ_STANDALONE) it has a main():
 *
 *     fuzz_trace COUNT [SEED [FILE...]]    COUNT mutations of built-in traces, or of files
 *
 * Checksums are put right after mutation, and some are packed: else little of it would get past the first look.
 */
#define _GNU_SOURCE 1

#include "launch/script.h"
#include "render/trace.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

enum {
	INPUT_MAX = 4 * PM_TRACE_CHUNK_BYTES,
	PROCESSES_READ = 3,
	EVENTS_MADE = 400,
	PLACES = 5,
	SECONDS_MAX = 10,
	CHUNK_ROOM = PM_TRACE_CHUNK_BYTES - (int)sizeof(struct pm_trace_chunk)
};

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);

static unsigned long read_count; /* inputs that were not refused */

/* --- what is tested ---------------------------------------------------------------------------------- */

static int empty_file(void)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

/* false with a sentence, true: all of it was read. */
static bool digest_process(const struct trace_file *file, uint32_t process, bool prints,
			   struct failure *why)
{
	struct script_facts facts;
	struct trace trace;
	struct sink sink;

	if (!trace_begin(&trace, file, process, why))
		return false;
	bool done = prints && sink_open(&sink, "/dev/null", why);
	if (done) {
		done = trace_print(&trace, &sink, why);
		struct failure ignored;
		sink_close(&sink, &ignored);
	} else {
		int fd = empty_file();
		done = script_make(&trace, fd, &facts, why);
		close(fd);
	}
	trace_end(&trace);
	return done;
}

static char input_path[4096];

static void remove_input(void)
{
	unlink(input_path);
}

/* The input in the one file that all of them use in turn. */
static const char *file_of(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0) {
		const char *directory = getenv("TMPDIR");
		snprintf(input_path, sizeof input_path, "%s/fuzz_trace.XXXXXX",
			 directory ? directory : "/tmp");
		fd = mkstemp(input_path);
		atexit(remove_input);
	}
	if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	return input_path;
}

static bool digest(const uint8_t *data, size_t size, struct failure *why)
{
	struct trace_file file;
	bool read = trace_file_open(file_of(data, size), &file, why);

	if (read) {
		for (uint32_t p = 0; read && p < PROCESSES_READ && p < file.process_count; p++)
			read = digest_process(&file, p, true, why) &&
			       digest_process(&file, p, false, why);
		trace_file_close(&file);
	}
	return read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct failure why = {FAILURE_NONE, ""};
	bool is_read = digest(data, size, &why);

	if (!is_read && (why.kind == FAILURE_NONE || !*why.text))
		abort();
	read_count += is_read;
	return 0;
}

/* --- traces that are made up ------------------------------------------------------------------------- */

static uint64_t random_state = 1;

static uint32_t any(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16);
}

static uint32_t below(size_t limit)
{
	return limit ? (uint32_t)(any() % limit) : 0;
}

static struct pm_trace_chunk *chunk_at(uint8_t *data, size_t index)
{
	return (struct pm_trace_chunk *)(data + (index + 1) * PM_TRACE_CHUNK_BYTES);
}

static size_t put_number(uint8_t *to, uint64_t number)
{
	size_t used = 0;

	for (; number >= 128; number >>= 7)
		to[used++] = (uint8_t)(number | 128);
	to[used++] = (uint8_t)number;
	return used;
}

/* Now and then one that is at a limit. */
static uint64_t any_number(uint64_t likely)
{
	static const uint64_t odd[] = {0,          16384,   UINT32_MAX, UINT64_MAX, UINT64_MAX / 2,
				       1ull << 48, 1 << 20, 127};

	return any() % 512 ? likely : odd[below(sizeof odd / sizeof *odd)];
}

/* Signed differences that go up: what they lead to is an address. */
static uint64_t any_step(void)
{
	return any_number(2 * (uint64_t)(1 + below(200)));
}

static uint64_t any_size(void)
{
	return any_number(any() % 16 ? below(300) : below(1 << 20));
}

static size_t put_block(uint8_t *to, unsigned argument)
{
	size_t used = put_number(to, any_size());

	return argument ? used : used + put_number(to + used, any_step());
}

static size_t put_note(uint8_t *to, unsigned note)
{
	switch (note) {
	case PM_TRACE_NOTE_END: return 0;
	case PM_TRACE_NOTE_THREAD: return put_number(to, any_number(below(5)));
	case PM_TRACE_NOTE_FOUND:
	case PM_TRACE_NOTE_LEFT: {
		size_t used = put_number(to, any_number(1 + below(4000)));
		return used + put_number(to + used, any_size());
	}
	default: return put_number(to, any_size());
	}
}

/* What follows the first byte of an event. */
static size_t put_body(uint8_t *to, unsigned kind, unsigned argument)
{
	size_t used = 0;

	switch (kind) {
	case PM_TRACE_NOTE: return put_note(to, argument);
	case PM_TRACE_FREE:
	case PM_TRACE_DETACH: return argument ? 0 : put_number(to, any_step());
	case PM_TRACE_REALLOC:
		used = argument ? 0 : put_number(to, any_step());
		used += put_number(to + used, any_size());
		return used + put_number(to + used, any_step());
	case PM_TRACE_ALIGNED:
		used = put_number(to, any_number(below(16)));
		return used + put_block(to + used, argument);
	default: return put_block(to, argument);
	}
}

static unsigned any_argument(unsigned kind)
{
	if (any() % 512 == 0)
		return below(16);
	if (kind == PM_TRACE_NOTE)
		return any() % 32 ? 1 + below(6) : PM_TRACE_NOTE_END;
	if (kind == PM_TRACE_FREE || kind == PM_TRACE_DETACH || kind == PM_TRACE_REALLOC)
		return 1 + below(4); /* one of the last blocks */
	return any() % 256 ? 0 : below(3);
}

static size_t put_event(uint8_t *to, unsigned kind)
{
	unsigned argument = any_argument(kind);
	bool skips = kind && any() % 16 == 0;
	size_t used = 1;

	to[0] = (uint8_t)(kind | (skips ? PM_TRACE_SKIPS : 0) | argument << PM_TRACE_ARGUMENT_SHIFT);
	if (skips)
		used += put_number(to + used, any_number(below(10)));
	return used + put_body(to + used, kind, argument);
}

/* Of any kind; notes are rare. */
static unsigned any_kind(void)
{
	return any() % 64 ? PM_TRACE_MALLOC + below(PM_TRACE_ATTACH) : PM_TRACE_NOTE;
}

static void fill_chunk(struct pm_trace_chunk *chunk, uint32_t writer)
{
	uint8_t *events = (uint8_t *)(chunk + 1);
	uint32_t used = 0;

	for (int i = 0; i < PLACES; i++) /* that later events name */
		used += (uint32_t)put_event(events + used, PM_TRACE_MALLOC);
	for (size_t i = below(EVENTS_MADE); i > 0; i--)
		used += (uint32_t)put_event(events + used, any_kind());
	*chunk = (struct pm_trace_chunk){.magic = PM_TRACE_CHUNK_MAGIC,
					 .state = any() % 2 ? PM_TRACE_OPEN : PM_TRACE_CLOSED,
					 .process = any() % 4 == 0,
					 .writer = writer,
					 .used = used,
					 .thread = below(3),
					 .sequence = below(1000)};
}

static void begin_header(uint8_t *data, uint32_t chunks)
{
	*(struct pm_trace_header *)data = (struct pm_trace_header){
		.magic = PM_TRACE_MAGIC,
		.endian = PM_TRACE_ENDIAN,
		.version = PM_TRACE_VERSION,
		.header_bytes = sizeof(struct pm_trace_header),
		.chunk_bytes = PM_TRACE_CHUNK_BYTES,
		.page_bytes = 4096,
		.chunks = chunks,
		.processes = 2,
		.exe = "/bin/fuzzed",
	};
}

static size_t make_trace(uint8_t *data)
{
	uint32_t chunks = 1 + below(3);

	memset(data, 0, INPUT_MAX);
	begin_header(data, chunks);
	for (uint32_t i = 0; i < chunks; i++)
		fill_chunk(chunk_at(data, i), below(2));
	return (chunks + 1) * (size_t)PM_TRACE_CHUNK_BYTES;
}

static void fix_checksums(uint8_t *data, size_t size)
{
	for (size_t i = 0; (i + 2) * PM_TRACE_CHUNK_BYTES <= size; i++) {
		struct pm_trace_chunk *chunk = chunk_at(data, i);
		if (chunk->state == PM_TRACE_CLOSED && chunk->used <= CHUNK_ROOM)
			chunk->checksum = pm_trace_checksum(chunk + 1, chunk->used);
	}
}

/* In one chunk: an event put over others, a byte or a number changed. */
static void mutate_chunk(struct pm_trace_chunk *chunk)
{
	uint8_t *events = (uint8_t *)(chunk + 1);
	uint32_t used = chunk->used <= CHUNK_ROOM ? chunk->used : CHUNK_ROOM;
	uint32_t at = below(used);

	switch (any() % 4) {
	case 0: ((uint8_t *)chunk)[below(sizeof *chunk)] = (uint8_t)any(); break;
	case 1: events[at] ^= (uint8_t)(1 << below(8)); break;
	case 2: chunk->used = used - below(used / 4); break;
	default:
		if (at + PM_TRACE_EVENT_MAX < CHUNK_ROOM)
			put_event(events + at, any_kind());
	}
}

/* Packs what is there; a frame is damaged now and then. */
static size_t pack(uint8_t *data, size_t size)
{
	static uint8_t packed[INPUT_MAX];
	struct pm_trace_header header = *(struct pm_trace_header *)data;
	size_t used = sizeof header;

	header.flags |= PM_TRACE_PACKED;
	memcpy(packed, &header, sizeof header);
	for (size_t i = 0; (i + 2) * PM_TRACE_CHUNK_BYTES <= size; i++) {
		struct pm_trace_chunk chunk = *chunk_at(data, i);
		if (chunk.used > CHUNK_ROOM ||
		    used + sizeof chunk + chunk.used + 1024 > sizeof packed)
			break;
		size_t stored = ZSTD_compress(packed + used + sizeof chunk,
					      sizeof packed - used - sizeof chunk,
					      chunk_at(data, i) + 1, chunk.used, 1);
		chunk.stored = any() % 16 ? (uint32_t)stored : any();
		memcpy(packed + used, &chunk, sizeof chunk);
		if (any() % 8 == 0)
			packed[used + sizeof chunk + below(stored)] ^= (uint8_t)any();
		used += sizeof chunk + stored;
	}
	memcpy(data, packed, used);
	return used;
}

static size_t mutate(uint8_t *data, size_t size, size_t size_max)
{
	size_t chunks = size / PM_TRACE_CHUNK_BYTES;

	if (size < 2 * PM_TRACE_CHUNK_BYTES || any() % 8 == 0) {
		if (size_max < INPUT_MAX)
			return size;
		size = make_trace(data);
		chunks = size / PM_TRACE_CHUNK_BYTES;
	}
	for (uint32_t i = below(4); i > 0; i--)
		mutate_chunk(chunk_at(data, below(chunks - 1)));
	if (any() % 16 == 0)
		data[below(72)] ^= (uint8_t)(1 << below(8));
	if (any() % 8)
		fix_checksums(data, size);
	if (any() % 3 == 0)
		size = pack(data, size);
	return any() % 8 ? size : below(size);
}

#ifndef FUZZ_STANDALONE

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
	random_state = (uint64_t)seed * 0x9e3779b97f4a7c15 + 1;
	if (size_max < INPUT_MAX || (any() % 3 == 0 && size))
		return LLVMFuzzerMutate(data, size, size_max);
	return mutate(data, size, size_max);
}

#else

static size_t read_file(const char *path, uint8_t *ret)
{
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		exit(2);
	}
	size_t size = fread(ret, 1, INPUT_MAX, file);
	fclose(file);
	return size;
}

/* Exactly as long as the input, so that a sanitizer sees one byte too far. */
static void run_one(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, data, size);
	alarm(SECONDS_MAX);
	LLVMFuzzerTestOneInput(copy, size);
	alarm(0);
	free(copy);
}

int main(int argc, char **argv)
{
	uint8_t *data = malloc(INPUT_MAX);

	if (argc < 2)
		return 2;
	unsigned long count = strtoul(argv[1], NULL, 10);

	random_state = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1) * 0x9e3779b97f4a7c15 + 1;
	for (unsigned long i = 0; i < count; i++) {
		size_t size = argc > 3 ? read_file(argv[3 + below((size_t)argc - 3)], data)
				       : make_trace(data);
		if (i)
			size = mutate(data, size, INPUT_MAX);
		run_one(data, size);
	}
	free(data);
	printf("%lu inputs, %lu of them read\n", count, read_count);
	return 0;
}

#endif
