/* SPDX-License-Identifier: MIT */
/*
 * F33: hostile files.  Whatever the bytes, a reader reads or refuses: no crash, no hang, memory
 * bounded.
 *
 * With clang -fsanitize=fuzzer this is a coverage-guided fuzzer.  Built without (-DFUZZ_STANDALONE)
 * it has a main() that makes mutations of the same kind from a number:
 *
 *     fuzz_source COUNT [SEED [FILE...]]    COUNT inputs, from the files or from built-in segments
 *     fuzz_source --seeds DIRECTORY         writes the built-in ones there
 *     fuzz_source --files FILE...           each file once, as it is
 *
 * A mutator that knew nothing of checksums would never get past them: they are put right after
 * mutation.
 */
#define _GNU_SOURCE 1

#include "unit/names_builder.h"
#include "unit/recording_helper.h"
#include "unit/segment_builder.h"
#include "unit/survey_builder.h"

#include <stdint.h>

enum { INPUT_MAX = 1 << 20, SECONDS_MAX = 10 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);

static unsigned long read_count; /* inputs that were not refused */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct failure why = {FAILURE_NONE, ""};
	bool is_read = digest(data, size, &why);

	if (!is_read && (why.kind == FAILURE_NONE || !*why.text))
		abort();
	read_count += is_read;
	return 0;
}

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

/* Where the chunks of the first segment begin: in a capture behind two openings. */
static size_t segment_offset(const uint8_t *data, size_t size)
{
	bool is_capture = size >= 8 && memcmp(data, PM_CAPTURE_MAGIC, 8) == 0;
	return is_capture ? sizeof(struct pm_capture) + sizeof(struct pm_section) : 0;
}

/* Where the NAMES section begins; 0: there is none. */
static size_t names_offset(const uint8_t *data, size_t size)
{
	size_t at = sizeof(struct pm_capture);
	struct pm_section section;

	while (segment_offset(data, size) && at < size && size - at > sizeof section) {
		memcpy(&section, data + at, sizeof section);
		if (section.kind == PM_SECTION_NAMES)
			return at;
		if (section.bytes > size - at - sizeof section)
			break;
		at += sizeof section + section.bytes + -section.bytes % 8;
	}
	return 0;
}

/* A place worth a change: the words that the reader steers by. */
static size_t place(const uint8_t *data, size_t size)
{
	size_t base = segment_offset(data, size);
	size_t chunk_bytes = 4096, at;
	uint32_t claimed;

	if (size >= base + 28) {
		memcpy(&claimed, data + base + 20, sizeof claimed);
		if (claimed >= 1024 && claimed <= 65536)
			chunk_bytes = claimed;
	}
	size_t names = names_offset(data, size);
	if (names && any() % 2) {
		at = names +
		     below(any() % 2 ? 160 : size - names); /* openings and index; all of it */
		return any() % 4 ? at & ~(size_t)3 : at;
	}
	switch (any() % 9) {
	case 0:
		at = below(base + 1); /* openings of a capture */
		break;
	case 1:
	case 2: at = base + below(sizeof(struct pm_header)); break;
	case 3:
		at = base + 512 + below(512); /* tables */
		break;
	case 4:
		at = base + chunk_bytes * below(10) + below(16); /* struct pm_chunk */
		break;
	case 5:
		at = base + chunk_bytes * below(10) + 16 + below(600); /* slot, process, map, facts */
		break;
	case 6:
		at = base + chunk_bytes * below(10) + 1024 + below(400); /* tallies */
		break;
	case 7:
		at = base + chunk_bytes * below(16) + 16 + below(1200); /* frames, rows of sites */
		break;
	default: at = below(size);
	}
	return at & ~(size_t)3;
}

static void change_word(uint8_t *data, size_t size)
{
	static const uint64_t values[] = {
		0,          1,          2,          3,           4,         7,
		8,          16,         63,         64,          255,       256,
		4095,       4096,       16384,      65535,       65536,     0x7fffffff,
		0x80000000, 0xffffffff, 0xfffffff8, 0x100000000, INT64_MAX, (uint64_t)INT64_MIN,
		UINT64_MAX};
	size_t at = place(data, size);
	size_t width = any() % 2 ? 4 : 8;
	uint64_t value = any() % 3 ? values[below(sizeof values / sizeof *values)] : any();

	if (at + width <= size)
		memcpy(data + at, &value, width);
}

static void change_bit(uint8_t *data, size_t size)
{
	size_t at = place(data, size) + below(4);
	if (at < size)
		data[at] ^= (uint8_t)(1 << below(8));
}

static void copy_part(uint8_t *data, size_t size)
{
	size_t from = place(data, size), to = place(data, size), bytes = 4 * (1 + below(16));
	if (from + bytes <= size && to + bytes <= size)
		memmove(data + to, data + from, bytes);
}

static size_t mutate_once(uint8_t *data, size_t size, size_t size_max)
{
	switch (any() % 12) {
	case 0: return size ? size - below(size < 64 ? size : 64) : size;
	case 1: return any() % 8 ? size : below(size + 1);
	case 2:
	case 3: copy_part(data, size); return size;
	case 4:
	case 5:
	case 6: change_bit(data, size); return size;
	case 7:
		if (size + 64 <= size_max) {
			memset(data + size, (int)below(256), 64);
			return size + 64;
		}
		return size;
	default: change_word(data, size); return size;
	}
}

static size_t mutate(uint8_t *data, size_t size, size_t size_max)
{
	for (uint32_t changes = 1 + below(4); changes && size; changes--)
		size = mutate_once(data, size, size_max);
	if (any() % 16)
		capture_fix_checksums(data, size);
	return size;
}

static void add_children(struct builder *b)
{
	uint32_t child = builder_process(b, 1007, 1000, b->leader, PM_STATE_RUNNING);
	builder_record(b, child)->inherited_blocks = 100;
	builder_record(b, child)->inherited_bytes = 6000;
	builder_allocated(b, child, 3, 50);
	builder_slot(b, b->leader, 3, PM_SLOT_DEPARTED, 0);
	builder_record(b, b->leader)->recycled_children = 4;
}

enum { SEED_COUNT = 5 };

static struct bytes make_seed(int which)
{
	struct builder b = builder_example(1000, which % 2 ? PM_STATE_EXITED : PM_STATE_RUNNING,
					   which != 4);
	struct bytes result = {NULL, 0};

	builder_example_swept(&b);
	if (which >= 1)
		add_children(&b);
	if (which <= 3)
		builder_example_sited(&b);
	if (which == 1 || which == 2)
		builder_example_surveyed(&b, "/usr/lib/libc.so.6");
	if (which == 0 || which == 4) {
		bytes_add(&result, b.file.data, b.file.count);
	} else {
		result = capture_begin();
		capture_segment(&result, &b);
		capture_run(&result, "{\"command\":[\"a\",\"b\"],\"exit\":3,\"rss_peak\":77,"
				     "\"processes\":[{\"pid\":1000,\"signal\":9,\"rss_now\":1}]}");
		if (which == 2)
			capture_segment(&result, &b);
		if (which == 3) {
			struct names_builder names = names_of_example(0);
			capture_names(&result, &names);
		}
		capture_end(&result);
	}
	builder_free(&b);
	return result;
}

#ifndef FUZZ_STANDALONE

/* Without a good beginning, begins anew. */
static size_t reseed(uint8_t *data, size_t size_max)
{
	struct bytes seed = make_seed((int)below(SEED_COUNT - 1));
	size_t size = seed.count < size_max ? seed.count : size_max;
	memcpy(data, seed.data, size);
	bytes_free(&seed);
	return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
	random_state = (uint64_t)seed * 0x9e3779b97f4a7c15 + 1;
	if (size < 4096 && any() % 4)
		size = reseed(data, size_max);
	if (any() % 3)
		return mutate(data, size, size_max);
	size = LLVMFuzzerMutate(data, size, size_max);
	capture_fix_checksums(data, size);
	return size;
}

#else

static struct bytes read_file(const char *path)
{
	struct bytes bytes = {NULL, 0};
	unsigned char part[65536];
	FILE *file = fopen(path, "rb");
	size_t got;

	while (file && (got = fread(part, 1, sizeof part, file)) > 0)
		bytes_add(&bytes, part, got);
	if (!file) {
		perror(path);
		exit(2);
	}
	fclose(file);
	return bytes;
}

static void run_one(const unsigned char *data, size_t size)
{
	/* Exactly as long as the input, so that a sanitizer sees one byte too far. */
	unsigned char *copy = malloc(size ? size : 1);
	memcpy(copy, data, size);
	alarm(SECONDS_MAX);
	LLVMFuzzerTestOneInput(copy, size);
	alarm(0);
	free(copy);
}

static void run_many(unsigned long count, const struct bytes *seeds, size_t seed_count)
{
	unsigned char *data = malloc(INPUT_MAX);

	for (unsigned long i = 0; i < count; i++) {
		const struct bytes *seed = &seeds[below(seed_count)];
		size_t size = seed->count < INPUT_MAX ? seed->count : INPUT_MAX;
		memcpy(data, seed->data, size);
		size = mutate(data, size, INPUT_MAX);
		run_one(data, size);
	}
	free(data);
	printf("%lu inputs, %lu of them read\n", count, read_count);
}

static int write_seeds(const char *directory)
{
	char path[4096];
	for (int i = 0; i < SEED_COUNT - 1; i++) {
		struct bytes seed = make_seed(i);
		snprintf(path, sizeof path, "%s/seed%d", directory, i);
		if (!bytes_write(&seed, path))
			return 2;
		bytes_free(&seed);
	}
	return 0;
}

static int run_files(char **paths)
{
	for (; *paths; paths++) {
		struct bytes bytes = read_file(*paths);
		run_one(bytes.data, bytes.count);
		bytes_free(&bytes);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct bytes seeds[64];
	size_t seed_count = 0;

	if (argc < 2)
		return 2;
	if (argc > 2 && strcmp(argv[1], "--seeds") == 0)
		return write_seeds(argv[2]);
	if (strcmp(argv[1], "--files") == 0)
		return run_files(argv + 2);
	random_state = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1) * 0x9e3779b97f4a7c15 + 1;
	for (int i = 3; i < argc && seed_count < 64; i++)
		seeds[seed_count++] = read_file(argv[i]);
	for (int i = 0; i < SEED_COUNT && seed_count < 64 && argc <= 3; i++)
		seeds[seed_count++] = make_seed(i);
	run_many(strtoul(argv[1], NULL, 10), seeds, seed_count);
	for (size_t i = 0; i < seed_count; i++)
		bytes_free(&seeds[i]);
	return 0;
}

#endif
