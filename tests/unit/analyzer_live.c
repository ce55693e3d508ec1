/* SPDX-License-Identifier: MIT */
/*
 * F22: what is live in a program that goes on while it is read.  The program's part is played by pread:
 * before each piece that the reader gets, blocks are freed and others handed out in their stead, as when
 * the reader is kept off its processor.  No thread, no clock: each moment of a reading is tried.
 */
#define _GNU_SOURCE 1

#include "unit/recording_helper.h"
#include "unit/segment_builder.h"
#include "unit/tally_writer.h"

#include <criterion/criterion.h>
#include <sys/syscall.h>

enum {
	THREADS = 4,
	LIVE = 2000, /* blocks, at each moment but inside a call */
	CLASSES = 40,
	STEP = 64,
	BURST = 100000,
	MAPPED = 12 << 20,
	FILE_BYTES = 4 << 20,
};

static unsigned char *shared;
static int shared_fd;
static uint32_t slot_number[THREADS];
static uint32_t step; /* which thread and class are next */
static unsigned pieces_read, burst_at, burst_every, burst_pairs;
static unsigned calm_from, calm_to; /* pieces before which a hundredth comes */

static struct pm_tally *tally_of(uint32_t thread, uint32_t size_class)
{
	return (struct pm_tally *)(void *)(shared + slot_number[thread] * PM_CHUNK_BYTES +
					   offsetof(struct pm_slot, tally)) +
	       size_class;
}

static void allocate_one(uint32_t thread, uint32_t size_class)
{
	struct pm_tally *tally = tally_of(thread, size_class);
	int64_t left = tally->left -= PM_LEFT_STEP;

	if (left >= 0)
		return;
	int64_t allocated = tally->limit[left & 1] - (left >> 8);
	tally->limit[!(left & 1)] = allocated + STEP;
	tally->left = (int64_t)STEP * PM_LEFT_STEP + (uint8_t)((uint8_t)left + 1);
}

/* One block goes, freed by another thread than its own, and one of the same size comes. */
static void churn(unsigned pairs)
{
	for (unsigned i = 0; i < pairs; i++, step++) {
		uint32_t size_class = 1 + step % CLASSES;
		writer_free(tally_of(step / CLASSES % THREADS, size_class), step % 3);
		allocate_one((step + 1) % THREADS, size_class);
	}
}

/* The reader's way into the file: all of its preads come here. */
ssize_t pread(int fd, void *buffer, size_t byte_count, off_t offset)
{
	unsigned piece = pieces_read++;
	bool is_calm = piece >= calm_from && piece < calm_to;
	if (shared && (piece == burst_at || (burst_every && piece % burst_every == 0)))
		churn(is_calm ? burst_pairs / 100 : burst_pairs);
	return syscall(SYS_pread64, fd, buffer, byte_count, offset);
}

static uint64_t true_bytes(void)
{
	uint64_t bytes = 0;
	for (uint32_t c = 1; c <= CLASSES; c++)
		bytes += (uint64_t)LIVE / CLASSES * c * 16;
	return bytes;
}

/* A file with a name once: with a memfd the kernel grants a lease, and it would count as ended. */
static int shared_file_of(const struct builder *b)
{
	char path[] = "/tmp/poolmem-live.XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	cr_assert_eq(write(fd, b->file.data, b->file.count), (ssize_t)b->file.count);
	return fd;
}

static void make_segment(uint32_t inherited)
{
	struct builder b = builder_begin((uint32_t)getpid(), false);

	slot_number[0] = builder_process(&b, (uint32_t)getpid(), 1, 0, PM_STATE_RUNNING);
	for (uint32_t i = 1; i < THREADS; i++)
		slot_number[i] = builder_slot(&b, slot_number[0], i, PM_SLOT_THREAD, 100 + i);
	struct pm_process *record = builder_record(&b, slot_number[0]);
	record->committed_bytes = record->committed_peak_bytes = MAPPED;
	record->inherited_blocks = inherited;
	record->inherited_bytes = (uint64_t)inherited * 16;
	builder_add(&b, PM_CHUNK_SPARE, 0, 0);
	builder_header(&b)->file_bytes = FILE_BYTES;
	memset(builder_header(&b)->boot_id, 0, 16);
	shared_fd = shared_file_of(&b);
	cr_assert_eq(ftruncate(shared_fd, FILE_BYTES), 0);
	shared = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0);
	cr_assert_neq(shared, MAP_FAILED);
	for (uint32_t i = 0; i < LIVE; i++)
		allocate_one(i % THREADS, 1 + i % CLASSES);
	builder_free(&b);
}

/* As a reader has it: opened again, for reading. */
static int reopened(void)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", shared_fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

struct range {
	uint64_t least, most;
};

static struct range range_of(const struct metrics *metrics, enum metric which)
{
	uint64_t value = metric(metrics, which);
	const struct metric_bound *bound = &metrics->bound[which];
	if (!bound->is_known)
		return (struct range){value, value};
	cr_assert_eq((uint64_t)bound->at_least, value, "the value is the least");
	return (struct range){value, (uint64_t)bound->at_most};
}

struct reading {
	struct metrics process, total;
	int64_t class_least;  /* of the class in which the least lives */
	uint64_t classes_sum; /* over all classes */
};

static void look_at_classes(const struct class_table *classes, struct reading *ret)
{
	for (size_t i = 0; i < classes->count; i++) {
		int64_t live = class_net_blocks(&classes->rows[i]);
		ret->class_least = live < ret->class_least ? live : ret->class_least;
		ret->classes_sum += (uint64_t)live;
	}
}

static struct reading read_live(void)
{
	struct reading reading = {.class_least = INT64_MAX};
	struct recording recording;
	struct source source;
	struct failure why;
	struct query query;
	struct study study;

	pieces_read = 0;
	cr_assert(source_take(reopened(), "t", &source, &why));
	cr_assert_eq(source.life, LIFE_RUNNING);
	cr_assert(recording_read_source(&source, NULL, &recording, &why), "%s", why.text);
	cr_assert(query_open(&query, NULL, NULL, &why));
	study_make(&recording, &query, &study);
	reading.process = study.processes[0].figures.metrics;
	reading.total = study.total.metrics;
	look_at_classes(&study.total.classes, &reading);
	study_free(&study);
	query_close(&query);
	recording_free(&recording);
	source_close(&source);
	return reading;
}

static void holds(const struct metrics *metrics, enum metric which, uint64_t truth)
{
	struct range range = range_of(metrics, which);
	cr_expect(range.least <= truth && truth <= range.most,
		  "%s: %llu is not between %llu and %llu, burst of %u at %u", metric_keys[which],
		  (unsigned long long)truth, (unsigned long long)range.least,
		  (unsigned long long)range.most, burst_pairs, burst_at);
}

/* Within a call of each thread one block more or less lives. */
static void is_true(const struct metrics *metrics)
{
	holds(metrics, METRIC_LIVE_BLOCKS, LIVE);
	holds(metrics, METRIC_LIVE_BYTES, true_bytes());
	holds(metrics, METRIC_LEAK_BLOCKS, LIVE);
	holds(metrics, METRIC_LEAK_BYTES, true_bytes());
	holds(metrics, METRIC_LIVE_PEAK, true_bytes());
	cr_expect_leq(range_of(metrics, METRIC_LIVE_BYTES).most, MAPPED);
	cr_expect_leq(range_of(metrics, METRIC_LEAK_BYTES).most, MAPPED);
	cr_expect_leq(metric(metrics, METRIC_LIVE_PEAK), true_bytes());
}

static bool is_tight(const struct metrics *metrics)
{
	struct range blocks = range_of(metrics, METRIC_LIVE_BLOCKS);
	return blocks.most - blocks.least <= 64;
}

static struct reading read_truly(void)
{
	struct reading reading = read_live();
	is_true(&reading.process);
	is_true(&reading.total);
	cr_expect_geq(reading.class_least, 0, "a class is below zero");
	cr_expect_eq(reading.classes_sum, metric(&reading.total, METRIC_LIVE_BLOCKS));
	return reading;
}

Test(live, of_a_program_that_stands_still)
{
	make_segment(0);
	struct reading reading = read_truly();
	cr_expect_eq(metric(&reading.process, METRIC_LIVE_BLOCKS), LIVE);
	cr_expect_not(reading.process.bound[METRIC_LIVE_BLOCKS].is_known);
	cr_expect_not(reading.process.bound[METRIC_LIVE_BYTES].is_known);
	cr_expect_not(reading.process.bound[METRIC_LEAK_BLOCKS].is_known);
}

/* The reader stops once, at each place of its reading in turn: it reads again, and then it is tight. */
Test(live, stopped_once)
{
	unsigned pieces;

	make_segment(0);
	read_live();
	pieces = pieces_read;
	cr_expect_gt(pieces, 12);
	burst_pairs = BURST;
	for (burst_at = 0; burst_at < pieces; burst_at++) {
		struct reading reading = read_truly();
		cr_expect(is_tight(&reading.process), "stopped at %u", burst_at);
		cr_expect_not(reading.process.bound[METRIC_LIVE_BLOCKS].is_known);
	}
}

/* It never gets two pieces in a row: no reading is tight, and each says so. */
Test(live, stopped_each_time)
{
	make_segment(0);
	burst_pairs = BURST / 50;
	burst_every = 1;
	for (int i = 0; i < 10; i++)
		read_truly();
}

/* A few calls between any two pieces are no reason to read again. */
Test(live, beside_a_few_calls)
{
	make_segment(0);
	burst_pairs = 1;
	burst_every = 1;
	for (int i = 0; i < 100; i++) {
		struct reading reading = read_truly();
		cr_expect(is_tight(&reading.process));
	}
	cr_expect_lt(pieces_read, 80);
}

/* What a child inherited it may free in any class. */
Test(live, of_a_child_that_frees_what_it_inherited)
{
	make_segment(10 * LIVE);
	burst_pairs = BURST;
	for (burst_at = 0; burst_at < 20; burst_at++) {
		struct reading reading = read_live();
		holds(&reading.process, METRIC_LIVE_BLOCKS, 11 * LIVE);
		holds(&reading.process, METRIC_LIVE_BYTES, true_bytes() + 160 * LIVE);
		holds(&reading.process, METRIC_LEAK_BLOCKS, LIVE);
	}
}

/* No try is good enough; a few in the middle are better than the first and the last. */
Test(live, keeps_the_best_try)
{
	make_segment(0);
	read_live();
	calm_from = 4 * pieces_read; /* what has changed takes more pieces */
	calm_to = 12 * pieces_read;
	burst_pairs = BURST / 50;
	burst_every = 1;
	struct reading reading = read_truly();
	struct range blocks = range_of(&reading.process, METRIC_LIVE_BLOCKS);
	cr_expect_geq(pieces_read, calm_to);
	cr_expect_gt(blocks.most - blocks.least, 64);
	cr_expect_lt(blocks.most - blocks.least, 2 * LIVE / 5);
}
