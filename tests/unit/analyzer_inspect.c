/* SPDX-License-Identifier: MIT */
/*
 * A segment that lies about where a running process has what: a refusal or a survey, in bounded time and memory.  And a
 * process that goes on while it is looked at: again, until it held still, or how much it drifted.
 */
#define _GNU_SOURCE 1

#include "launch/inspect.h"
#include "study/pins.h"
#include "study/waterfall.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MEMORY = 1 << 20, CLASSES = 4, ARENAS = 6 };

static uint64_t random_state = 1;

static uint64_t any(void)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return random_state >> 16;
}

/* As the library says it, about as long. */
static const uint32_t usual[PM_INSIDE_COUNT] = {
	[PM_INSIDE_ARENA_BLOCK] = 256,
	[PM_INSIDE_ARENA_BYTES] = 768,
	[PM_INSIDE_ARENA_FREE_OF] = 8,
	[PM_INSIDE_ARENA_MAPPED_OF] = 24,
	[PM_INSIDE_ARENA_KIND_OF] = 28,
	[PM_INSIDE_ARENA_HUGE_BYTES_OF] = 32,
	[PM_INSIDE_ARENA_RECORDS_OF] = 56,
	[PM_INSIDE_ARENA_RECORD_AT_OF] = 128,
	[PM_INSIDE_ARENA_BESIDE_OF] = 256,
	[PM_INSIDE_RECORDS_BYTES] = 300000,
	[PM_INSIDE_RECORD_LINE] = 64,
	[PM_INSIDE_KIND_POOLS] = 2,
	[PM_INSIDE_KIND_HUGE] = 3,
	[PM_INSIDE_KIND_HUGE_TAIL] = 4,
	[PM_INSIDE_POOL_BYTES] = 192,
	[PM_INSIDE_POOL_START_OF] = 8,
	[PM_INSIDE_POOL_CAPACITY_OF] = 24,
	[PM_INSIDE_POOL_THREADED_OF] = 52,
	[PM_INSIDE_POOL_BLOCK_BYTES_OF] = 56,
	[PM_INSIDE_POOL_UNITS_OF] = 112,
	[PM_INSIDE_POOL_FIRST_UNIT_OF] = 114,
	[PM_INSIDE_POOL_CLASS_OF] = 115,
	[PM_INSIDE_POOL_STATE_OF] = 116,
	[PM_INSIDE_STATE_LARGE] = 3,
	[PM_INSIDE_STATE_KEPT] = 4,
	[PM_INSIDE_STAMP_SPECIAL] = 255,
	[PM_INSIDE_OWN_MAX] = 4096,
	[PM_INSIDE_OWN_BYTES] = 24,
	[PM_INSIDE_BESIDE_BYTES] = 12,
	[PM_INSIDE_BESIDE_ROW_BITS] = 20,
	[PM_INSIDE_TABLES] = 9,
	[PM_INSIDE_TABLE_PLACES] = 1024,
	[PM_INSIDE_TABLE_SHIFT] = 2,
	[PM_INSIDE_RECORDED_BYTES] = 64,
	[PM_INSIDE_SITES] = 65536,
	[PM_INSIDE_SITE_BLOCK] = 512,
	[PM_INSIDE_SITE_BYTES] = 16,
	[PM_INSIDE_SITE_FRAME_OF] = 8,
	[PM_INSIDE_POOL_OWNER_OF] = 32,
	[PM_INSIDE_HEAP_SLOT_OF] = 8,
	[PM_INSIDE_HEAP_SHIFT_OF] = 16,
};

static void put(unsigned char *record, enum pm_inside field, uint64_t value, size_t bytes)
{
	memcpy(record + usual[field], &value, bytes);
}

/* One with pools of 100 blocks of 16 bytes, and stamps that are any. */
static void make_arena(uint64_t *memory, unsigned arena)
{
	enum { RECORDS = MEMORY / 4, OF_ARENA = 16384, LINES = 8 };
	unsigned char *at = (unsigned char *)memory + MEMORY / 2 + arena * 768;
	unsigned char *records = (unsigned char *)memory + RECORDS + arena * OF_ARENA;

	put(at, PM_INSIDE_ARENA_KIND_OF, 2 + arena % 3, 4);
	put(at, PM_INSIDE_ARENA_RECORDS_OF, (uintptr_t)records, 8);
	for (unsigned unit = 0; unit < 64; unit++) {
		uint16_t line = unit < 16 ? (uint16_t)(1 + unit * LINES) : 0;
		unsigned char *pool = records + line * 64;
		memcpy(at + usual[PM_INSIDE_ARENA_RECORD_AT_OF] + unit * 2, &line, sizeof line);
		if (!line || any() % 4 == 0)
			continue;
		put(pool, PM_INSIDE_POOL_START_OF,
		    (uintptr_t)memory + (arena * 64 + unit) * UINT64_C(65536), 8);
		put(pool, PM_INSIDE_POOL_CAPACITY_OF, 100, 8);
		put(pool, PM_INSIDE_POOL_THREADED_OF, any() % 120, 4);
		put(pool, PM_INSIDE_POOL_BLOCK_BYTES_OF, 16, 8);
		put(pool, PM_INSIDE_POOL_UNITS_OF, 1, 2);
		put(pool, PM_INSIDE_POOL_FIRST_UNIT_OF, unit, 1);
		put(pool, PM_INSIDE_POOL_CLASS_OF, any() % 5, 1);
		put(pool, PM_INSIDE_POOL_STATE_OF, any() % 5, 1);
	}
}

/* Memory that the child has at the same address, full of small numbers and of addresses in it. */
static uint64_t *make_memory(void)
{
	uint64_t *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);

	cr_assert(memory != MAP_FAILED);
	for (size_t i = 0; i < MEMORY / sizeof *memory; i++)
		memory[i] = any() % 2   ? any() % 6 | any() % 6 << 32
			    : any() % 2 ? (uintptr_t)memory + any() % MEMORY
			    : any() % 4 ? any() % 5000
					: any() << 16;
	memory[0] = ARENAS;
	memory[1] = (uintptr_t)memory + MEMORY / 2;
	for (unsigned arena = 0; arena < ARENAS; arena++)
		make_arena(memory, arena);
	return memory;
}

/* Stopped: one that ran on after its fork would touch pages while its RSS is read. */
static pid_t make_child(void)
{
	pid_t child = fork();
	int status = 0;

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			raise(SIGSTOP);
	}
	cr_assert(child > 0);
	cr_assert(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
	return child;
}

/* Mostly what is usual, and addresses of the child's memory. */
static void lie(uint64_t *in, const uint64_t *memory)
{
	unsigned lies = (unsigned)(any() % 4);

	for (unsigned i = 0; i < PM_INSIDE_COUNT; i++)
		in[i] = usual[i] ? usual[i] : (uintptr_t)memory + any() % MEMORY / 8 * 8;
	in[PM_INSIDE_BESIDE_ENTRY_OF] = 4;
	in[PM_INSIDE_BESIDE_REQUESTED_OF] = 4;
	in[PM_INSIDE_BESIDE_STAMP_OF] = 6;
	in[PM_INSIDE_STATE_UNUSED] = 0;
	in[PM_INSIDE_RECORDED_REQUESTED_OF] = 8;
	in[PM_INSIDE_RECORDED_ROW_OF] = 40;
	in[PM_INSIDE_RECORDED_STAMP_OF] = 53;
	in[PM_INSIDE_RECORDED_FROZEN_OF] = 54;
	in[PM_INSIDE_BASE] = (uintptr_t)memory;
	in[PM_INSIDE_ARENAS_AT] = (uintptr_t)memory;
	in[PM_INSIDE_ARENA_BLOCKS_AT] = (uintptr_t)memory + 8;
	while (lies--) {
		uint64_t more[] = {0,       1,          24,         511,   4096,
				   1 << 20, UINT32_MAX, UINT64_MAX, any(), any() % 4096};
		in[any() % PM_INSIDE_COUNT] = more[any() % (sizeof more / sizeof *more)];
	}
}

static void digest(struct process *process)
{
	struct waterfall waterfall;
	struct pins pins;

	waterfall_make(process, process->survey, &waterfall);
	waterfall_free(&waterfall);
	if (pins_make(process, process->survey, &pins)) {
		struct pin_choice choice;
		pins_choose(&pins, pins.pinned[PIN_PAGE] / 2, &choice);
		pin_choice_free(&choice);
		pins_free(&pins);
	}
}

Test(analyzer_inspect, words_that_lie, .timeout = 120)
{
	uint64_t *memory = make_memory(), in[PM_INSIDE_COUNT];
	struct pm_class classes[CLASSES] = {{.kind = PM_CLASS_POOL, .block_bytes = 16}};
	struct pm_age ages[2] = {{0, 0, 0, 0}, {2, 1, UINT32_MAX, 0}};
	const struct layout layout = {classes, ages, CLASSES, 2, 4096, 65536, 64};
	struct frame nobody = {0, 0, 0};
	const struct frames frames = {.list = &nobody, .count = 1};
	pid_t child = make_child();
	unsigned taken = 0, refused = 0, pools = 0;

	for (unsigned turn = 0; turn < 300; turn++) {
		struct process process = {.layout = &layout,
					  .frames = &frames,
					  .inside = in,
					  .record = {.pid = (uint32_t)child}};
		const struct recording recording = {.processes = &process, .process_count = 1};
		struct failure why;

		lie(in, memory);
		if (inspect(&recording, &process, &why)) {
			cr_assert(process.survey && process.survey->is_whole);
			pools += process.survey->pool_count > 0;
			digest(&process);
			taken++;
		} else {
			cr_assert(!process.survey);
			refused++;
		}
		survey_free(process.survey);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	munmap(memory, MEMORY);
	cr_expect(taken > 50 && refused > 20 && pools > 20, "%u taken, %u with pools, %u refused",
		  taken, pools, refused);
}

/* --- a process that goes on -------------------------------------------------------------------------------- */

enum { LIVE = 1000, BLOCK = 16, TURNS_MAX = 5 };

/*
 * What happens between the two readings of the counters, by survey: so many blocks are freed, and as many allocated.
 * Each survey asks for the number of arenas once, between them.
 */
static struct {
	struct pm_slot *slot;
	const uint32_t *arenas;
	uint64_t replaced[TURNS_MAX];
	unsigned turns;
} going_on;

ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long local_count,
			 const struct iovec *remote, unsigned long remote_count, unsigned long flags)
{
	if (going_on.slot && remote->iov_base == (const void *)going_on.arenas &&
	    going_on.turns < TURNS_MAX) {
		uint64_t blocks = going_on.replaced[going_on.turns++];
		going_on.slot->tally[0].freed[0] += blocks;
		going_on.slot->tally[0].left -= (int64_t)blocks * PM_LEFT_STEP;
	}
	return syscall(SYS_process_vm_readv, pid, local, local_count, remote, remote_count, flags);
}

enum { SEGMENT_BYTES = 2 * PM_CHUNK_BYTES };

static struct pm_slot *make_segment(char *path)
{
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && ftruncate(fd, SEGMENT_BYTES) == 0);
	unsigned char *segment = mmap(NULL, SEGMENT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				      0);
	cr_assert(segment != MAP_FAILED);
	close(fd);
	((struct pm_header *)segment)->chunks = 2;
	struct pm_slot *slot = (void *)(segment + PM_CHUNK_BYTES);
	slot->chunk = (struct pm_chunk){.kind = PM_CHUNK_SLOT, .process = 1};
	slot->use = PM_SLOT_THREAD;
	slot->tally[0].left = -LIVE * PM_LEFT_STEP;
	return slot;
}

/* memory: [0] nothing, [1] arenas, of which there are none. */
static void describe(uint64_t *in, const uint64_t *memory)
{
	for (unsigned i = 0; i < PM_INSIDE_COUNT; i++)
		in[i] = usual[i] ? usual[i] : (uintptr_t)memory;
	in[PM_INSIDE_ARENA_HUGE_BYTES_OF] = in[PM_INSIDE_BESIDE_REQUESTED_OF] = 4;
	in[PM_INSIDE_BESIDE_STAMP_OF] = 6;
	in[PM_INSIDE_RECORDED_REQUESTED_OF] = in[PM_INSIDE_RECORDED_ROW_OF] = 8;
	in[PM_INSIDE_RECORDED_STAMP_OF] = in[PM_INSIDE_RECORDED_FROZEN_OF] = 8;
	in[PM_INSIDE_ARENAS_AT] = (uintptr_t)&memory[1];
}

static void survey(pid_t pid, const uint64_t *in, char *path, struct pm_survey_counts *ret)
{
	const struct pm_header header = {.chunk_bytes = PM_CHUNK_BYTES,
					 .file_bytes = SEGMENT_BYTES,
					 .chunks = 1,
					 .tally_offset = offsetof(struct pm_slot, tally),
					 .tally_stride = sizeof(struct pm_tally),
					 .classes = {.count = 1},
					 .ages = {.count = PM_AGE_COUNT}};
	struct pm_class classes[1] = {{.kind = PM_CLASS_POOL, .block_bytes = BLOCK}};
	struct pm_age ages[1] = {{0, 0, UINT32_MAX, 0}};
	const struct layout layout = {classes, ages, 1, 1, 4096, 65536, 64};
	struct frame nobody = {0, 0, 0};
	const struct frames frames = {.list = &nobody, .count = 1};
	struct process process = {.layout = &layout,
				  .header = &header,
				  .frames = &frames,
				  .chunk = 1,
				  .inside = (uint64_t *)(uintptr_t)in,
				  .record = {.pid = (uint32_t)pid}};
	const struct recording recording = {.processes = &process, .process_count = 1, .path = path};
	struct failure why = {FAILURE_NONE, ""};

	cr_assert(inspect(&recording, &process, &why), "%s", why.text);
	cr_assert(process.survey && process.survey->is_whole && process.survey->knows_counts);
	*ret = process.survey->counts;
	survey_free(process.survey);
}

/* Surveys a heap of LIVE blocks.  Returns how often that was. */
static unsigned look(const uint64_t replaced[TURNS_MAX], struct pm_survey_counts *ret)
{
	char path[] = "/tmp/poolmem-inspect.XXXXXX";
	uint64_t in[PM_INSIDE_COUNT], memory[4] = {0};

	going_on.slot = make_segment(path);
	going_on.arenas = (const void *)&memory[1];
	going_on.turns = 0;
	memcpy(going_on.replaced, replaced, sizeof going_on.replaced);
	describe(in, memory);
	pid_t child = make_child();
	survey(child, in, path, ret);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	munmap((char *)going_on.slot - PM_CHUNK_BYTES, SEGMENT_BYTES);
	going_on.slot = NULL;
	unlink(path);
	return going_on.turns;
}

/* Blocks came and went, and RSS and what lives are the same before and after. */
Test(analyzer_inspect, again_until_it_holds_still)
{
	const uint64_t replaced[TURNS_MAX] = {LIVE, 3, 2, LIVE, LIVE};
	struct pm_survey_counts counts;

	cr_expect_eq(look(replaced, &counts), 3);
	cr_expect_eq(counts.live_blocks, LIVE);
	cr_expect_eq(counts.live_bytes, LIVE * BLOCK);
	cr_expect_eq(counts.drift_blocks, 2 * 2, "freed and allocated");
	cr_expect_eq(counts.drift_bytes, 2 * 2 * BLOCK);
}

Test(analyzer_inspect, the_stillest_of_those_that_do_not)
{
	const uint64_t replaced[TURNS_MAX] = {500, 90, 30, 400, 31};
	struct pm_survey_counts counts;

	cr_expect_eq(look(replaced, &counts), TURNS_MAX);
	cr_expect_eq(counts.drift_blocks, 2 * 30);
	cr_expect_eq(counts.drift_bytes, 2 * 30 * BLOCK);
}

/* One block that comes and goes is not more than all there are. */
Test(analyzer_inspect, no_more_than_lives)
{
	const uint64_t replaced[TURNS_MAX] = {LIVE + 1, LIVE * 1000, LIVE * 9, LIVE + 7, LIVE + 8};
	struct pm_survey_counts counts;

	cr_expect_eq(look(replaced, &counts), TURNS_MAX);
	cr_expect_eq(counts.drift_blocks, 2 * LIVE);
}

Test(analyzer_inspect, a_process_that_is_gone)
{
	uint64_t *memory = make_memory(), in[PM_INSIDE_COUNT];
	struct pm_class classes[CLASSES] = {{.kind = PM_CLASS_POOL, .block_bytes = 16}};
	const struct layout layout = {classes, NULL, CLASSES, 0, 4096, 65536, 64};
	pid_t child = make_child();
	struct process process = {
		.layout = &layout, .inside = in, .record = {.pid = (uint32_t)child}};
	const struct recording recording = {.processes = &process, .process_count = 1};
	struct failure why;

	describe(in, memory);
	kill(child, SIGKILL);
	waitid(P_PID, (id_t)child, &(siginfo_t){0}, WEXITED | WNOWAIT);
	cr_expect(!inspect(&recording, &process, &why), "a zombie");
	cr_expect_str_eq(why.text, "it ended while it was read");
	waitpid(child, NULL, 0);
	cr_expect(!inspect(&recording, &process, &why), "nobody");
	cr_expect_str_eq(why.text, "it ended while it was read");
	process.inside = NULL;
	cr_expect(!inspect(&recording, &process, &why));
	cr_expect(strstr(why.text, "older"), "%s", why.text);
	process.inside = in;
	in[PM_INSIDE_ARENA_BYTES] = 1 << 30;
	cr_expect(!inspect(&recording, &process, &why));
	cr_expect(strstr(why.text, "different versions"), "%s", why.text);
	cr_expect(!process.survey);
	munmap(memory, MEMORY);
}
