/* SPDX-License-Identifier: MIT */
/*
 * F33, F38: a file that was cut anywhere, or in which any bit of the header is wrong, is read or
 * refused with a message that names what is wrong; nothing else happens.
 */
#define _GNU_SOURCE 1

#include "unit/recording_helper.h"
#include "unit/segment_builder.h"
#include "unit/survey_builder.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <sys/stat.h>

static bool is_message(const struct failure *why)
{
	return (why->kind == FAILURE_UNREADABLE || why->kind == FAILURE_NOTHING) && *why->text;
}

static struct bytes example_capture(void)
{
	struct bytes capture = capture_begin();
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);

	builder_example_sited(&b);
	capture_segment(&capture, &b);
	capture_run(&capture, "{\"schema\":1,\"command\":[\"a\"],\"exit\":0,\"processes\":[]}");
	capture_end(&capture);
	builder_free(&b);
	return capture;
}

Test(verify, example_is_read)
{
	struct failure why = {FAILURE_NONE, ""};
	struct builder b = builder_example(1000, PM_STATE_EXITED, false);
	struct bytes capture = example_capture();

	cr_expect(digest(b.file.data, b.file.count, &why), "%s", why.text);
	cr_expect(digest(capture.data, capture.count, &why), "%s", why.text);
	builder_free(&b);
	bytes_free(&capture);
}

Test(verify, segment_truncated_anywhere)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	struct failure why;

	builder_example_sited(&b);
	for (size_t length = 0; length < b.file.count; length++) {
		cr_assert(!digest(b.file.data, length, &why), "read with %zu bytes", length);
		cr_assert(is_message(&why), "%zu bytes: %s", length, why.text);
	}
	builder_free(&b);
}

Test(verify, capture_truncated_anywhere)
{
	struct bytes capture = example_capture();
	struct failure why;

	for (size_t length = 0; length < capture.count; length++)
		if (!digest(capture.data, length, &why))
			cr_assert(is_message(&why), "%zu bytes: %s", length, why.text);
	bytes_free(&capture);
}

Test(verify, every_bit_of_the_header)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	size_t end = 512 + b.class_count * sizeof(struct pm_class) +
		     PM_AGE_COUNT * sizeof(struct pm_age);
	struct failure why;

	for (size_t bit = 0; bit < end * 8; bit++) {
		b.file.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		if (!digest(b.file.data, b.file.count, &why))
			cr_assert(is_message(&why), "bit %zu: %s", bit, why.text);
		b.file.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	builder_free(&b);
}

Test(verify, pools_of_a_survey_that_share_pages)
{
	const struct pm_survey begin = {.page_bytes = SURVEY_PAGE, .knows_pages = 1};
	const struct pm_survey other = {.page_bytes = SURVEY_PAGE / 4, .knows_pages = 1};
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	struct bytes stream = {NULL, 0};
	struct recording recording;
	struct failure why;

	survey_fact(&stream, PM_SURVEY_BEGIN, &begin, sizeof begin, NULL);
	survey_arena_fact(&stream, survey_base, PM_ARENA_POOLS, 8, 0, 128);
	survey_pool_fact(&stream, 1, 0, 3, 48, 3, 0);
	survey_pool_fact(&stream, 0, 0, 3, 48, 3, 0);
	survey_large_fact(&stream, 0, 90000, PM_SURVEY_LARGE, 1);
	survey_pool_fact(&stream, 1, 0, 4, 64, 3, 0);
	survey_fact(&stream, PM_SURVEY_BEGIN, &other, sizeof other, NULL);
	survey_fact(&stream, PM_SURVEY_END, "", 0, NULL);
	survey_put(&b, &stream);
	cr_assert(read_bytes(b.file.data, b.file.count, &recording, &why), "%s", why.text);
	const struct survey *survey = recording.processes[0].survey;
	cr_expect(survey->is_whole && survey->page_bytes == SURVEY_PAGE);
	for (size_t i = 1; i < survey->pool_count; i++)
		cr_expect_geq(survey->pools[i].first,
			      survey->pools[i - 1].first + survey->pools[i - 1].bytes);
	cr_expect_eq(survey->pool_count + survey->torn, 5);
	recording_free(&recording);
	bytes_free(&stream);
	builder_free(&b);
}

Test(verify, a_bit_in_each_word_of_a_survey, .timeout = 100)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	struct failure why;

	builder_example_sited(&b);
	builder_example_surveyed(&b, "/usr/lib/libc.so.6");
	for (uint32_t n = 1; n < builder_header(&b)->chunks; n++) {
		struct pm_chunk *chunk = builder_chunk(&b, n);
		unsigned char *stream = (unsigned char *)(chunk + 1);
		for (size_t bit = 0;
		     chunk->kind == PM_CHUNK_SURVEY && bit < chunk->used_bytes * 8UL; bit += 61) {
			stream[bit / 8] ^= (unsigned char)(1 << bit % 8);
			if (!digest(b.file.data, b.file.count, &why))
				cr_assert(is_message(&why), "bit %zu: %s", bit, why.text);
			stream[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
	}
	builder_free(&b);
}

Test(verify, every_bit_of_the_first_words_of_each_chunk)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	struct failure why;

	builder_example_sited(&b);
	for (uint32_t n = 1; n < builder_header(&b)->chunks; n++) {
		unsigned char *chunk = builder_chunk(&b, n);
		for (size_t bit = 0; bit < 64 * 8; bit++) {
			chunk[bit / 8] ^= (unsigned char)(1 << bit % 8);
			if (!digest(b.file.data, b.file.count, &why))
				cr_assert(is_message(&why), "bit %zu: %s", bit, why.text);
			chunk[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
	}
	builder_free(&b);
}

/* Every word of the fixed header set to what breaks arithmetic. */
Test(verify, hostile_words)
{
	static const uint64_t values[] = {0,          1,          3,          0x7fffffff,
					  0x80000000, 0xffffffff, 0xfffffff8, 0x100000000,
					  UINT64_MAX, INT64_MAX,  16384,      4095};
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	struct failure why;

	for (size_t at = 0; at + 8 <= sizeof(struct pm_header); at += 4)
		for (size_t v = 0; v < sizeof values / sizeof *values; v++)
			for (size_t width = 4; width <= 8; width += 4) {
				unsigned char saved[8];
				memcpy(saved, b.file.data + at, 8);
				memcpy(b.file.data + at, &values[v], width);
				if (!digest(b.file.data, b.file.count, &why))
					cr_assert(is_message(&why));
				memcpy(b.file.data + at, saved, 8);
			}
	builder_free(&b);
}

static void expect_message(const struct bytes *bytes, const char *expected)
{
	struct failure why = {FAILURE_NONE, ""};
	cr_expect(!digest(bytes->data, bytes->count, &why), "read in spite of: %s", expected);
	cr_expect(strstr(why.text, expected), "says '%s', not '%s'", why.text, expected);
}

#define HEADER_CASE(name, field, value, message)                                                   \
	Test(verify, name)                                                                         \
	{                                                                                          \
		struct builder b = builder_example(1000, PM_STATE_EXITED, true);                   \
		builder_header(&b)->field = (value);                                               \
		expect_message(&b.file, message);                                                  \
		builder_free(&b);                                                                  \
	}

HEADER_CASE(newer_format, version, PM_FORMAT_VERSION + 1, "made by a newer poolmem: format ")
HEADER_CASE(format_zero, version, 0, "format 0")
HEADER_CASE(needs_features, requires, 4, "made by a newer poolmem: needs features 0x4")
HEADER_CASE(other_byte_order, endian, 0x04030201, "other byte order")
HEADER_CASE(no_byte_order, endian, 77, "byte order mark")
HEADER_CASE(not_ready, ready, 0, "not complete")
HEADER_CASE(no_magic, magic[0], 'P', "not a poolmem segment")
HEADER_CASE(chunk_bytes, chunk_bytes, 100, "chunk_bytes 100")
HEADER_CASE(header_bytes, header_bytes, 8, "header_bytes 8")
HEADER_CASE(page_bytes, page_bytes, 5000, "page_bytes 5000")
HEADER_CASE(unit_bytes, unit_bytes, 0, "unit_bytes 0")
HEADER_CASE(arena_units, arena_units, 65, "arena_units 65")
HEADER_CASE(slot_counters, slot_counters, 1000, "slot_counters 1000")
HEADER_CASE(tally_stride, tally_stride, 32, "tally_stride 32")
HEADER_CASE(tally_offset, tally_offset, 4000, "tally_offset 4000")
HEADER_CASE(map_arenas, map_arenas, 4, "map_arenas 4")
HEADER_CASE(class_stride, classes.stride, 4, "table of classes: 12 records of 4 bytes")
HEADER_CASE(class_count, classes.count, 100000, "table of classes: 100000 records")
HEADER_CASE(class_count_max, classes.count, 0, "table of classes")
HEADER_CASE(age_offset, ages.offset, UINT64_MAX - 3, "table of ages")
HEADER_CASE(age_count, ages.count, 33, "ages.count 33")
HEADER_CASE(chunks_none, chunks, 0, "chunks 0")
HEADER_CASE(chunks_many, chunks, 1000, "cut short")
HEADER_CASE(chunks_beyond_file, file_bytes, 4096, "chunks 8")

Test(verify, chunk_messages)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	struct pm_chunk *chunk = builder_chunk(&b, 2);

	chunk->kind = 99;
	expect_message(&b.file, "chunk 2 says kind 99");
	chunk->kind = PM_CHUNK_SLOT;
	chunk->process = 0;
	expect_message(&b.file, "chunk 2 says process 0");
	chunk->process = 1;
	((struct pm_slot *)(void *)chunk)->use = 4;
	expect_message(&b.file, "chunk 2 says use 4");
	chunk->kind = PM_CHUNK_FACTS;
	chunk->used_bytes = 5000;
	expect_message(&b.file, "chunk 2 says used_bytes 5000");
	chunk->kind = PM_CHUNK_SURVIVAL;
	struct pm_survival *survival = (void *)chunk;
	survival->class_room = b.class_count - 1;
	expect_message(&b.file, "chunk 2 says class_room");
	survival->class_room = UINT32_MAX;
	expect_message(&b.file, "chunk 2 says class_room");
	survival->class_room = b.class_count;
	survival->sweep_room = 1000;
	expect_message(&b.file, "chunk 2 says sweep_room 1000");
	survival->sweep_room = UINT32_MAX;
	expect_message(&b.file, "chunk 2 says sweep_room");
	builder_free(&b);
}

Test(verify, marks_messages)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t number = builder_marks(&b, b.leader, 8);
	struct pm_marks *marks = builder_chunk(&b, number);
	uint32_t room = marks->room, stride = marks->mark_stride;
	struct failure why;
	char message[64];

	cr_expect(digest(b.file.data, b.file.count, &why), "%s", why.text);
	marks->room = room + 1;
	snprintf(message, sizeof message, "chunk %u says room %u", number, room + 1);
	expect_message(&b.file, message);
	marks->room = UINT32_MAX;
	expect_message(&b.file, "says room 4294967295");
	marks->room = 1;
	for (uint32_t i = 0; i < 4; i++) {
		static const uint32_t wrong[] = {0, sizeof(struct pm_mark) - 8, 4096,
						 UINT32_MAX - 7};
		marks->mark_stride = wrong[i];
		expect_message(&b.file, "says mark_stride");
	}
	marks->mark_stride = stride + 4;
	expect_message(&b.file, "says mark_stride");
	marks->room = 0;
	cr_expect(digest(b.file.data, b.file.count, &why), "emptied: %s", why.text);
	builder_free(&b);
}

Test(verify, frames_messages)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t number = builder_frames(&b, b.leader, 8);
	struct pm_frames *frames = builder_chunk(&b, number);
	uint32_t room = frames->frame_room;
	struct failure why;

	cr_expect(digest(b.file.data, b.file.count, &why), "%s", why.text);
	frames->frame_room = room + 1;
	expect_message(&b.file, "says frame_room");
	frames->frame_room = UINT32_MAX;
	expect_message(&b.file, "says frame_room 4294967295");
	frames->frame_room = 1;
	for (uint32_t i = 0; i < 5; i++) {
		static const uint32_t wrong[] = {0, sizeof(struct pm_frame) - 8, 20, 4096,
						 UINT32_MAX - 7};
		frames->frame_stride = wrong[i];
		expect_message(&b.file, "says frame_stride");
	}
	frames->frame_room = 0;
	cr_expect(digest(b.file.data, b.file.count, &why), "not laid out yet: %s", why.text);
	builder_free(&b);
}

Test(verify, sites_messages)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t number = builder_sites(&b, b.leader, 0, 8);
	struct pm_sites *sites = builder_chunk(&b, number);
	uint32_t room = sites->row_room;
	struct failure why;

	sites->chunk.used_bytes = b.chunk_bytes;
	cr_expect(digest(b.file.data, b.file.count, &why), "%s", why.text);
	sites->chunk.used_bytes = b.chunk_bytes + 1;
	expect_message(&b.file, "says used_bytes 4097");
	sites->chunk.used_bytes = 3; /* no row */
	cr_expect(digest(b.file.data, b.file.count, &why), "%s", why.text);
	sites->row_room = room + 1;
	expect_message(&b.file, "says row_room");
	sites->row_room = 1;
	for (uint32_t i = 0; i < 4; i++) {
		static const uint32_t wrong[] = {0, offsetof(struct pm_site, then) - 8, 4096,
						 UINT32_MAX - 7};
		sites->row_stride = wrong[i];
		expect_message(&b.file, "says row_stride");
	}
	sites->row_room = 0;
	cr_expect(digest(b.file.data, b.file.count, &why), "emptied: %s", why.text);
	builder_free(&b);
}

/* Names without an end, counts that go down, more marks than there is room for. */
Test(verify, marks_that_contradict_themselves)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	builder_example_swept(&b);
	builder_example_marked(&b);
	uint32_t number = builder_header(&b)->chunks - 1;
	struct pm_marks *marks = builder_chunk(&b, number);
	struct failure why;

	cr_assert_eq(marks->chunk.kind, PM_CHUNK_MARKS);
	marks->made = UINT32_MAX;
	memset(marks->mark, 0xff, marks->room * marks->mark_stride);
	cr_expect(digest(b.file.data, b.file.count, &why), "%s", why.text);
	for (size_t bit = 0; bit < 96 * 8; bit++) {
		unsigned char *chunk = builder_chunk(&b, number);
		chunk[bit / 8] ^= (unsigned char)(1 << bit % 8);
		if (!digest(b.file.data, b.file.count, &why))
			cr_assert(is_message(&why), "bit %zu: %s", bit, why.text);
		chunk[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	builder_free(&b);
}

Test(verify, table_messages)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	struct pm_class *classes = (void *)(b.file.data + builder_header(&b)->classes.offset);
	struct pm_age *ages = (void *)(b.file.data + builder_header(&b)->ages.offset);

	ages[3].generation = 3;
	expect_message(&b.file, "age bucket 3 is generation 3");
	classes[2].block_bytes = 0; /* where another allocator serves: none of that class came yet */
	expect_message(&b.file, "age bucket 3 is generation 3");
	classes[2].block_bytes = classes[2].pool_bytes + 1;
	expect_message(&b.file, "class 2 is of kind 1, blocks of ");
	classes[2].kind = 17;
	expect_message(&b.file, "class 2 is of kind 17");
	builder_free(&b);
}

Test(verify, capture_messages)
{
	struct bytes capture = example_capture();
	struct pm_capture *opening = (void *)capture.data;
	struct pm_section *section = (void *)(capture.data + sizeof *opening);

	section->crc32++;
	expect_message(&capture, "has checksum");
	section->magic = 0;
	expect_message(&capture, "no section at byte 16");
	opening->version = 7;
	expect_message(&capture, "made by a newer poolmem: format 7, this one reads ");
	bytes_free(&capture);
}

Test(verify, run_section_messages)
{
	static const char *const runs[][2] = {
		{"{", "the RUN section is no JSON"},
		{"[1]", "the RUN section is no JSON object"},
		{"{\"a\":1,\"a\":2}", "the RUN section is no JSON"},
	};
	for (int i = 0; i < 3; i++) {
		struct bytes capture = capture_begin();
		capture_run(&capture, runs[i][0]);
		expect_message(&capture, runs[i][1]);
		bytes_free(&capture);
	}
}

Test(verify, unknown_sections_are_stepped_over)
{
	struct bytes capture = capture_begin();
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	struct failure why;

	capture_section(&capture, 77, "from the future", 15);
	capture_segment(&capture, &b);
	capture_end(&capture);
	cr_expect(digest(capture.data, capture.count, &why), "%s", why.text);
	builder_free(&b);
	bytes_free(&capture);
}

Test(verify, regular_files_only)
{
	struct failure why;
	struct recording recording;
	static const char *const paths[] = {"/dev/zero", "/proc/self/fd", "/dev/stdin", "/",
					    "/nonexistent"};

	for (int i = 0; i < 5; i++) {
		cr_expect(!recording_read(paths[i], &recording, &why), "%s", paths[i]);
		cr_expect(strstr(why.text, paths[i]), "%s", why.text);
	}
	cr_assert_eq(mkfifo("/tmp/poolmem-fifo", 0600), 0);
	cr_expect(!recording_read("/tmp/poolmem-fifo", &recording, &why));
	unlink("/tmp/poolmem-fifo");
	cr_assert_eq(symlink("/etc/passwd", "/tmp/poolmem-link"), 0);
	cr_expect(!recording_read("/tmp/poolmem-link", &recording, &why));
	cr_expect(strstr(why.text, "symbolic link"), "%s", why.text);
	unlink("/tmp/poolmem-link");
}
