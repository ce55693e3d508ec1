/* SPDX-License-Identifier: MIT */
/*
 * F22, F23: a reader beside writers.  Threads do what the writer of pm_tally does, as fast as they
 * can, and free each other's blocks; new slots appear; the reader never sees a live count below
 * zero, a count that falls, or one that the writers have not reached.
 */
#define _GNU_SOURCE 1

#include "source/chunk.h"
#include "source/settle.h"
#include "unit/recording_helper.h"
#include "unit/segment_builder.h"
#include "unit/tally_writer.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

enum { WRITERS = 4, CLASS = 3, STEP = 64, LIVE_MAX = 50, IDLE_SLOTS = 20, FILE_BYTES = 4 << 20 };

static unsigned char *shared;
static int shared_fd;
static uint32_t slot_number[WRITERS];
static _Atomic uint64_t true_allocated[WRITERS];
static _Atomic int64_t handed_out; /* blocks that somebody may free */
static _Atomic bool stop;

static volatile struct pm_tally *tally_of(uint32_t number)
{
	return (void *)(shared + number * PM_CHUNK_BYTES + offsetof(struct pm_slot, tally) +
			CLASS * sizeof(struct pm_tally));
}

/* The slow call: writes the other limit, then left, its low byte one higher. */
static void refill(volatile struct pm_tally *tally)
{
	int64_t left = tally->left;
	int64_t allocated = tally->limit[left & 1] - (left >> 8);

	tally->limit[!(left & 1)] = allocated + STEP;
	atomic_thread_fence(memory_order_release);
	tally->left = (int64_t)STEP * PM_LEFT_STEP + (uint8_t)((uint8_t)left + 1);
}

static void allocate_one(volatile struct pm_tally *tally)
{
	int64_t left = tally->left - PM_LEFT_STEP;
	tally->left = left;
	if (left < 0)
		refill(tally);
	atomic_thread_fence(memory_order_release);
}

static void free_one(volatile struct pm_tally *tally)
{
	if (atomic_fetch_sub(&handed_out, 1) <= 0) {
		atomic_fetch_add(&handed_out, 1);
		return;
	}
	static _Thread_local unsigned turn;
	writer_free(tally, ++turn % 5);
}

/* Even ones allocate, odd ones free, never far behind: a free seen too late shows at once. */
static void *writer(void *argument)
{
	uint32_t me = (uint32_t)(uintptr_t)argument;
	volatile struct pm_tally *tally = tally_of(slot_number[me]);

	while (!stop) {
		if (me % 2 == 0 && handed_out > LIVE_MAX) {
			sched_yield();
			continue;
		}
		for (int i = 0; i < 7 && me % 2 == 0; i++) {
			allocate_one(tally);
			atomic_fetch_add(&true_allocated[me], 1);
			atomic_fetch_add(&handed_out, 1);
		}
		for (int i = 0; i < 7 && me % 2; i++)
			free_one(tally);
		if (me % 2 && handed_out <= 0)
			sched_yield();
	}
	return NULL;
}

/* A file with a name once: the kernel does not count the writers of a memfd, and grants a lease. */
static int shared_file_of(const struct builder *b)
{
	char path[] = "/tmp/poolmem-cursor.XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	cr_assert_eq(write(fd, b->file.data, b->file.count), (ssize_t)b->file.count);
	return fd;
}

static void make_segment(void)
{
	struct builder b = builder_begin((uint32_t)getpid(), false);
	uint32_t leader = builder_process(&b, (uint32_t)getpid(), 1, 0, PM_STATE_RUNNING);

	builder_header(&b)->file_bytes = FILE_BYTES;
	memset(builder_header(&b)->boot_id, 0, 16);
	slot_number[0] = leader;
	shared_fd = shared_file_of(&b);
	cr_assert_eq(ftruncate(shared_fd, FILE_BYTES), 0);
	shared = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0);
	cr_assert_neq(shared, MAP_FAILED);
	builder_free(&b);
}

/* As the library does: payload, kind, and the chunk count that reaches it. */
static uint32_t add_one_slot(void)
{
	struct pm_header *header = (void *)shared;
	uint32_t number = header->chunks;
	struct pm_slot *slot = (void *)(shared + number * PM_CHUNK_BYTES);

	slot->chunk.process = slot_number[0];
	slot->chunk.sequence = number;
	slot->use = PM_SLOT_THREAD;
	atomic_thread_fence(memory_order_release);
	slot->chunk.kind = PM_CHUNK_SLOT;
	header->chunks = number + 1;
	return number;
}

/* Behind idle ones, so that a pass takes its time. */
static void add_slot(uint32_t me)
{
	for (int i = 0; i < IDLE_SLOTS; i++)
		add_one_slot();
	slot_number[me] = add_one_slot();
}

static uint64_t all_allocated(void)
{
	uint64_t all = 0;
	for (int i = 0; i < WRITERS; i++)
		all += true_allocated[i];
	return all;
}

/* As a reader has it: opened again, for reading. */
static int reopened(void)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", shared_fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

struct counts {
	uint64_t allocated, freed, unsettled;
};

static struct counts read_counts(void)
{
	struct counts counts = {0, 0, 0};
	struct recording recording;
	struct source source;
	struct failure why;

	cr_assert(source_take(reopened(), "t", &source, &why));
	cr_assert_eq(source.life, LIFE_RUNNING);
	cr_assert(recording_read_source(&source, NULL, &recording, &why), "%s", why.text);
	counts.unsettled = recording.processes[0].unsettled;
	for (size_t i = 0; i < recording.processes[0].slot_count; i++) {
		counts.allocated += recording.processes[0].slots[i].allocated;
		counts.freed += recording.processes[0].slots[i].freed;
	}
	recording_free(&recording);
	source_close(&source);
	return counts;
}

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

Test(cursor, beside_writers, .timeout = 180)
{
	pthread_t threads[WRITERS];
	const char *level = getenv("POOLMEM_LEVEL");
	double end = seconds() + (level && strcmp(level, "soak") == 0 ? 60 : 3);
	uint32_t started = 0;
	uint64_t readings = 0;
	struct counts last = {0, 0, 0};
	uint64_t unsettled = 0;

	make_segment();
	for (; seconds() < end; readings++) {
		if (started < WRITERS && readings % 50 == 0) {
			if (started)
				add_slot(started);
			pthread_create(&threads[started], NULL, writer, (void *)(uintptr_t)started);
			started++;
		}
		uint64_t before = all_allocated();
		struct counts now = read_counts();
		uint64_t after = all_allocated();
		cr_assert_leq(now.freed, now.allocated, "live is below zero");
		cr_assert_geq(now.allocated, before, "too few: %llu of %llu",
			      (unsigned long long)now.allocated, (unsigned long long)before);
		cr_assert_leq(now.allocated, after + WRITERS + STEP * now.unsettled, "too many");
		if (!now.unsettled && !last.unsettled)
			cr_assert_geq(now.allocated, last.allocated);
		unsettled += now.unsettled;
		cr_assert_geq(now.freed, last.freed);
		last = now;
	}
	stop = true;
	for (uint32_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	struct counts now = read_counts();
	cr_expect_eq(now.allocated, all_allocated(), "exact when they stand still");
	cr_expect_eq((int64_t)(now.allocated - now.freed), handed_out);
	cr_expect_gt(readings, 50);
	cr_expect_leq(unsettled, readings / 20, "%llu of %llu readings",
		      (unsigned long long)unsettled, (unsigned long long)readings);
	printf("# %llu readings, %llu unsettled\n", (unsigned long long)readings,
	       (unsigned long long)unsettled);
}

static _Atomic uint64_t true_freed;

/* So slowly that 64 are many: what one move of the recent ones takes or adds shows. */
static void *slow_freeing(void *argument)
{
	volatile struct pm_tally *tally = argument;
	for (unsigned turn = 0; !stop; turn++) {
		writer_free(tally, turn % 5);
		atomic_fetch_add(&true_freed, 1);
		for (volatile unsigned i = 0; i < 1000; i++)
			;
	}
	return NULL;
}

/* One reading of a slot alone. */
static uint64_t settled_frees(const struct image_place *place, unsigned char *chunk)
{
	const struct pm_header *header = (const void *)shared;
	uint64_t offset = (uint64_t)slot_number[0] * PM_CHUNK_BYTES, sum = 0;
	struct failure why;

	cr_assert(input_read(place->input, offset, chunk, PM_CHUNK_BYTES, &why));
	cr_assert(settle_frees(place, header, slot_number[0], chunk, chunk + PM_CHUNK_BYTES, &why));
	for (unsigned age = 0; age < PM_AGE_COUNT; age++)
		sum += chunk_tally(header, chunk, CLASS)->freed[age];
	return sum;
}

Test(cursor, frees_beside_a_writer, .timeout = 120)
{
	static unsigned char chunks[2 * PM_CHUNK_BYTES];
	pthread_t thread;
	struct source source;
	struct failure why;

	make_segment();
	volatile struct pm_tally *tally = tally_of(slot_number[0]);
	tally->limit[0] = INT64_C(1) << 40;
	cr_assert(source_take(reopened(), "t", &source, &why));
	struct image_place place = {.input = &source.input, .is_moving = true};
	pthread_create(&thread, NULL, slow_freeing, (void *)tally);
	for (unsigned readings = 0; readings < 4000 || true_freed < 4000; readings++) {
		uint64_t before = true_freed;
		struct counts now = read_counts();
		cr_assert_geq(now.freed, before);
		cr_assert_leq(now.freed, true_freed + 1);
		before = true_freed;
		uint64_t freed = settled_frees(&place, chunks);
		cr_assert_geq(freed, before);
		cr_assert_leq(freed, true_freed + 1);
	}
	stop = true;
	pthread_join(thread, NULL);
	cr_assert_eq(read_counts().freed, true_freed);
	source_close(&source);
}

/* A writer stopped between the two stores of its slow call: the old limit still counts. */
Test(cursor, stopped_in_the_middle_of_a_slow_call)
{
	make_segment();
	volatile struct pm_tally *tally = tally_of(slot_number[0]);

	for (int i = 0; i < 13; i++)
		allocate_one(tally);
	tally->limit[!(tally->left & 1)] = 1000000;
	cr_expect_eq(read_counts().allocated, 13);
}

/* A tally that never holds still is said, not shown as if it were sure. */
static void *restless(void *argument)
{
	volatile struct pm_tally *tally = argument;
	for (int64_t i = 0; !stop; i++) {
		tally->limit[0] = tally->limit[1] = i;
		tally->left = i & 0xff;
	}
	return NULL;
}

Test(cursor, never_settles, .timeout = 170)
{
	pthread_t thread;
	struct recording recording;
	struct source source;
	struct failure why;
	bool seen = false;

	make_segment();
	pthread_create(&thread, NULL, restless, (void *)tally_of(slot_number[0]));
	for (double end = seconds() + 150; seconds() < end && !seen;) /* it takes a second core */ {
		cr_assert(source_take(reopened(), "t", &source, &why));
		cr_assert(recording_read_source(&source, NULL, &recording, &why), "%s", why.text);
		seen = recording.processes[0].unsettled != 0;
		report_all(&recording);
		recording_free(&recording);
		source_close(&source);
	}
	stop = true;
	pthread_join(thread, NULL);
	cr_expect(seen);
}

/* The area of a child that died between two passes, and a chunk count that went back. */
Test(cursor, chunk_count_that_falls)
{
	struct image_place place;
	struct image image;
	struct failure why;
	struct input input;
	pid_t pid;

	make_segment();
	cr_assert(input_take(reopened(), "t", &input, &why));
	place = (struct image_place){&input, 0, input.bytes, true};
	volatile struct pm_header *header = (void *)shared;
	header->chunks = 250;
	pid = fork();
	if (pid == 0) {
		for (;;) {
			header->chunks = 2;
			sched_yield();
			header->chunks = 250;
		}
	}
	for (int i = 0; i < 300; i++) {
		if (image_load(&place, &image, &why))
			image_free(&image);
		else
			cr_assert(strstr(why.text, "became"), "%s", why.text);
	}
	kill(pid, SIGKILL);
	input_close(&input);
}

/* F23: the file shrinks and grows while it is read. */
static void *shrinker(void *argument)
{
	const struct builder *b = argument;
	for (unsigned i = 0; !stop; i++) {
		if (ftruncate(shared_fd, (off_t)(i * 4099 % b->file.count)) != 0 ||
		    pwrite(shared_fd, b->file.data, b->file.count, 0) < 0)
			break;
	}
	return NULL;
}

Test(cursor, truncated_in_a_loop, .timeout = 60)
{
	struct builder b = builder_example(1000, PM_STATE_RUNNING, false);
	int read = 0, refused = 0;
	pthread_t thread;

	shared_fd = shared_file_of(&b);
	pthread_create(&thread, NULL, shrinker, &b);
	for (int i = 0; i < 3000; i++) {
		struct recording recording;
		struct source source;
		struct failure why;
		if (!source_take(reopened(), "t", &source, &why)) {
			refused++;
			continue;
		}
		if (recording_read_source(&source, NULL, &recording, &why)) {
			recording_free(&recording);
			read++;
		} else {
			cr_assert(*why.text);
			refused++;
		}
		source_close(&source);
	}
	stop = true;
	pthread_join(thread, NULL);
	cr_expect_eq(read + refused, 3000);
	cr_expect_gt(refused, 0);
	builder_free(&b);
}
