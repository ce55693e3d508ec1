/* SPDX-License-Identifier: MIT */
/* What was live when, as it is read: from a file, from one that is written meanwhile, from one that lies. */
#define _GNU_SOURCE 1

#include "study/timeline.h"
#include "tally/timeline.h"
#include "unit/recording_helper.h"
#include "unit/segment_builder.h"

#include <criterion/criterion.h>
#include <sys/syscall.h>

enum { POINTS = 30 };

static const uint64_t MS = 1000000;

/* Of process 1000, which began_ns as builder_example() has it: 31 steps, 11,327 allocations. */
static void add_moments_each(struct builder *b, uint64_t step_ns)
{
	uint32_t number = builder_timeline(b, b->leader, 16);
	uint64_t began = builder_record(b, b->leader)->began_ns;
	for (uint64_t i = 0; i < POINTS; i++) {
		uint64_t live = i == 11 ? 2 << 20 : 1000000 + i * 20000;
		builder_moment(b, number,
			       (struct pm_moment){began + (i + 1) * step_ns, i * 350, live,
						  live + 100000 + i, i * 1000, 4 << 20});
	}
	builder_record(b, b->leader)->ended_ns = began + (POINTS + 1) * step_ns;
}

static void add_moments(struct builder *b)
{
	add_moments_each(b, 40 * MS);
}

static struct bytes example_each(const char *run, uint64_t step_ns)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, false);
	struct bytes capture = capture_begin();
	builder_example_marked(&b);
	add_moments_each(&b, step_ns);
	capture_segment(&capture, &b);
	if (run)
		capture_run(&capture, run);
	capture_end(&capture);
	builder_free(&b);
	return capture;
}

/* It lasts 1.24 s. */
static struct bytes example(const char *run)
{
	return example_each(run, 40 * MS);
}

struct scene {
	struct recording recording;
	struct query query;
	struct study study;
	struct over_time over_time;
};

static void open_scene(struct scene *scene, struct bytes capture)
{
	struct failure why = {FAILURE_NONE, ""};
	cr_assert(read_bytes(capture.data, capture.count, &scene->recording, &why), "%s", why.text);
	cr_assert(query_open(&scene->query, NULL, NULL, &why));
	study_make(&scene->recording, &scene->query, &scene->study);
	const struct process_study *of = &scene->study.processes[0];
	over_time_of(&scene->recording, of->process, &of->figures.metrics, &scene->over_time);
	bytes_free(&capture);
}

static void close_scene(struct scene *scene)
{
	over_time_free(&scene->over_time);
	study_free(&scene->study);
	query_close(&scene->query);
	recording_free(&scene->recording);
}

/* The run began 100 ms before the process: a sample too early, four, one out of order, one too late, and rubbish. */
static const char run_json[] = "{\"began_ns\":4900001000,\"processes\":[{\"pid\":1000}],"
			       "\"rss\":[[50,900],[110,1000],[400,5000000],[615,7000000],[300,1],[1300,6000000],[1400,9000000],"
			       "[1500,-1],[\"x\",2],5]}";

Test(over_time, figures)
{
	struct scene scene;
	open_scene(&scene, example(run_json));
	const struct over_time *o = &scene.over_time;

	cr_assert_eq(o->count, POINTS + 1, "and the end, which no moment has");
	cr_expect_eq(o->points[0].at.ns, 40 * MS);
	cr_expect_eq(o->points[POINTS - 1].at.allocations, (POINTS - 1) * 350);
	cr_expect_eq(o->end.ns, 1240 * MS);
	cr_expect_eq(o->end.allocations,
		     (uint64_t)metric(&scene.study.total.metrics, METRIC_ALLOC_COUNT));
	cr_expect_eq(o->points[POINTS].live_bytes,
		     (uint64_t)metric(&scene.study.total.metrics, METRIC_LIVE_BYTES));
	cr_expect_eq(o->live_peak, 11);
	cr_expect_eq(heap_point_room(&o->points[11]), 100011);
	cr_assert_eq(o->rss_count, 4);
	cr_expect_eq(o->rss[0].at.ns, 10 * MS);
	cr_expect_eq(o->rss[0].at.allocations, 0);
	cr_expect_eq(o->rss[o->rss_peak].bytes, 7000000);
	cr_expect_eq(o->rss[o->rss_peak].at.ns, 515 * MS);
	cr_expect_eq(o->rss[o->rss_peak].at.allocations, 11 * 350);
	cr_expect_eq(o->at_rss_peak, 12, "at 520 ms, nearer than 480 ms");
	cr_expect_not(o->rss_is_of_tree);
	cr_assert_eq(o->mark_count, 3);
	cr_expect_eq(o->marks[0].at.ns, 100 * MS);
	cr_expect_eq(o->marks[0].live_bytes, 96000);
	cr_expect_str_eq(o->marks[1].name, "serve <&>");
	close_scene(&scene);
}

/* 20,000 bytes each 200 ms and each 350 allocations, in steps about as long as two slices; and less at the end. */
Test(over_time, growth)
{
	struct scene scene;
	open_scene(&scene, example_each(NULL, 200 * MS));
	cr_assert(scene.over_time.by_time.is_known && scene.over_time.by_allocations.is_known);
	cr_expect_float_eq(scene.over_time.by_time.per_unit, 100000, 5000);
	cr_expect_float_eq(scene.over_time.by_allocations.per_unit, 20000 / 350.0, 3);
	cr_expect_not(scene.over_time.by_time.is_steady);
	cr_expect_eq(scene.over_time.rss_count, 0);
	close_scene(&scene);
}

/* Of less than five seconds no rate per second is told, and that per allocation is. */
Test(over_time, growth_of_a_short_process)
{
	struct scene scene;
	open_scene(&scene, example_each(NULL, 161 * MS));
	cr_expect_eq(scene.over_time.end.ns, 4991 * MS);
	cr_expect_not(scene.over_time.by_time.is_known);
	cr_expect(scene.over_time.by_allocations.is_known);
	close_scene(&scene);
	open_scene(&scene, example_each(NULL, 162 * MS));
	cr_expect(scene.over_time.by_time.is_known);
	close_scene(&scene);
}

/* Each slice against all points and samples. */
static void expect_slices(const struct over_time *o, enum time_axis axis, size_t count)
{
	uint64_t from = 0;
	for (size_t i = 0; i < count; i++) {
		struct time_slice slice = over_time_slice(o, axis, i, count);
		const struct heap_point *best = NULL;
		const struct rss_point *rss = NULL;
		cr_assert_eq(slice.from, from);
		cr_assert(slice.to >= from);
		from = slice.to;
		for (size_t j = 0; j < o->count; j++) {
			uint64_t at = instant_on(&o->points[j].at, axis);
			if (at < slice.to && (at <= slice.from || !best ||
					      instant_on(&best->at, axis) < slice.from ||
					      o->points[j].live_bytes > best->live_bytes))
				best = &o->points[j];
			if (at >= slice.from && at < slice.to)
				cr_assert_eq(over_time_slice_of(o, axis, at, count), i);
		}
		for (size_t j = 0; j < o->rss_count; j++) {
			uint64_t at = instant_on(&o->rss[j].at, axis);
			if (at < slice.to &&
			    (at < slice.from || !rss || o->rss[j].bytes > rss->bytes))
				rss = &o->rss[j];
		}
		cr_assert_eq((uintptr_t)slice.heap, (uintptr_t)best, "slice %zu of %zu", i, count);
		cr_assert_eq((uintptr_t)slice.rss, (uintptr_t)rss, "slice %zu of %zu", i, count);
	}
	cr_assert_eq(from, instant_on(&o->end, axis) + 1);
}

Test(over_time, slices)
{
	struct scene scene;
	open_scene(&scene, example(run_json));
	for (size_t count = 1; count < 200; count += 13) {
		expect_slices(&scene.over_time, AXIS_TIME, count);
		expect_slices(&scene.over_time, AXIS_ALLOCS, count);
	}
	close_scene(&scene);
}

/* --- files that lie ----------------------------------------------------------------------------------- */

static void expect_message(const struct builder *b, const char *part)
{
	struct failure why = {FAILURE_NONE, ""};
	cr_assert_not(digest(b->file.data, b->file.count, &why));
	cr_assert(strstr(why.text, part), "%s", why.text);
}

Test(over_time, messages)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	add_moments(&b);
	struct pm_timeline *timeline = builder_chunk(&b, builder_header(&b)->chunks - 1);
	uint32_t room = timeline->room, stride = timeline->moment_stride;
	struct failure why;

	cr_expect(digest(b.file.data, b.file.count, &why), "%s", why.text);
	static const uint32_t rooms[] = {1, 100, UINT32_MAX / 2, UINT32_MAX};
	for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
		timeline->room = i ? rooms[i] : room + 1;
		expect_message(&b, "says room");
	}
	timeline->room = room;
	static const uint32_t strides[] = {0, sizeof(struct pm_moment) - 8, 4096, UINT32_MAX - 7};
	for (size_t i = 0; i < sizeof strides / sizeof *strides; i++) {
		timeline->moment_stride = strides[i];
		expect_message(&b, "says moment_stride");
	}
	timeline->moment_stride = stride + 4;
	expect_message(&b, "says moment_stride");
	timeline->room = 0;
	cr_expect(digest(b.file.data, b.file.count, &why), "emptied: %s", why.text);
	builder_free(&b);
}

/* More points than there is room for, times that go back, figures beyond all: what is left is in order. */
Test(over_time, moments_that_contradict_themselves)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	add_moments(&b);
	uint32_t number = builder_header(&b)->chunks - 1;
	struct failure why;

	for (size_t bit = 0; bit < 200 * 8; bit += 1 + bit / 512) {
		unsigned char *chunk = builder_chunk(&b, number);
		chunk[bit / 8] ^= (unsigned char)(1 << bit % 8);
		if (!digest(b.file.data, b.file.count, &why))
			cr_assert_neq(why.text[0], 0);
		chunk[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	struct pm_timeline *timeline = builder_chunk(&b, number);
	memset(timeline->open, 0xff, b.chunk_bytes - __builtin_offsetof(struct pm_timeline, open));
	timeline->state = UINT64_MAX;
	cr_expect(digest(b.file.data, b.file.count, &why), "%s", why.text);
	builder_free(&b);
}

/* --- while it is written ------------------------------------------------------------------------------- */

static struct pm_timeline *shared; /* in the file that is read */
static struct timeline writer;
static struct pm_moment now;

static void note_some(unsigned count)
{
	for (unsigned i = 0; shared && i < count; i++) {
		uint64_t live = (uint64_t)rand() % 100000;
		now = (struct pm_moment){
			now.at_ns + 1,      now.allocations + 1, live, now.allocations + 1, 0,
			now.allocations + 1};
		if (timeline_is_due(&writer, now.at_ns, now.allocations))
			timeline_add(&writer, &now);
		else
			timeline_raise(&writer, &now);
	}
}

/* The reader's way into the file, kept off its processor before a piece and in the middle of it. */
ssize_t pread(int fd, void *buffer, size_t byte_count, off_t offset)
{
	size_t within = rand() % 2 ? 128 : byte_count;
	size_t part = byte_count > 4096 ? (size_t)rand() % within + 1 : byte_count;
	note_some((unsigned)rand() % 40);
	long first = syscall(SYS_pread64, fd, buffer, part, offset);
	if (first < (long)part || part == byte_count)
		return first;
	if (rand() % 4 == 0)
		note_some((unsigned)rand() % 4000);
	long rest = syscall(SYS_pread64, fd, (char *)buffer + part, byte_count - part,
			    offset + (off_t)part);
	return rest < 0 ? rest : first + rest;
}

static int share(const struct builder *b, uint32_t number)
{
	char path[] = "/tmp/poolmem-timeline.XXXXXX";
	int fd = mkstemp(path);
	unlink(path);
	cr_assert_eq(write(fd, b->file.data, b->file.count), (ssize_t)b->file.count);
	unsigned char *bytes = mmap(NULL, b->file.count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(bytes, MAP_FAILED);
	shared = (void *)(bytes + (size_t)number * b->chunk_bytes);
	return fd;
}

/* Each moment is one that was noted, its three words that agree say so, and none is older than the one before. */
static void expect_whole(const struct process *process)
{
	for (size_t i = 0; i < process->moment_count; i++) {
		const struct pm_moment *moment = &process->moments[i];
		cr_assert_eq(moment->allocations, moment->used_bytes);
		cr_assert_eq(moment->allocations, moment->committed_bytes);
		cr_assert(!i || moment->at_ns > moment[-1].at_ns);
	}
	cr_assert_gt(process->moment_count, 20);
}

Test(over_time, read_while_it_is_written)
{
	struct builder b = builder_begin((uint32_t)getpid(), false);
	uint32_t leader = builder_process(&b, (uint32_t)getpid(), 1, 0, PM_STATE_RUNNING);
	uint32_t number = builder_timeline(&b, leader, 0);
	char path[64];
	memset(builder_header(&b)->boot_id, 0, 16);
	builder_record(&b, leader)->began_ns = 1;
	now = (struct pm_moment){.at_ns = 2};
	srand(3);
	int fd = share(&b, number);
	writer = (struct timeline){.to = shared, .stretch = {20, 20}};
	timeline_add(&writer, &now);
	note_some(10000);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	for (unsigned round = 0; round < 300; round++) {
		struct recording recording;
		struct failure why = {FAILURE_NONE, ""};
		struct source source;
		int again = open(path, O_RDONLY | O_CLOEXEC);
		cr_assert(source_take(again, "shared", &source, &why), "%s", why.text);
		cr_assert_eq(source.life, LIFE_RUNNING);
		cr_assert(recording_read_source(&source, NULL, &recording, &why), "%s", why.text);
		source_close(&source);
		expect_whole(&recording.processes[0]);
		recording_free(&recording);
	}
	shared = NULL;
	close(fd);
	builder_free(&b);
}
