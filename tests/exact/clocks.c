/* SPDX-License-Identifier: MIT */
/*
 * Counts for itself what its clock counts, and looks into its own segment after each call: whenever the library has
 * ticked, clock, epoch, length and sweeps must be what follows from the calls since the tick before.
 *
 *     clocks DIRECTORY allocs|bytes|net|ms [sweeps|fork|idle|slow|shrink|handover]
 *
 * DIRECTORY holds its segment and no other.  Prints the epochs.
 */
#include "exact/own_segment.h"
#include "exact/python_gc.h"

#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>

enum { BLOCKS = 2000, DOUBLING = 256, DOUBLING_NET = 1024, TICK_MIN = 16 };

static enum pm_clock kind;
static const struct pm_header *header;
static const struct pm_slot *slot; /* of the main thread */
static void *block[BLOCKS];
static uint32_t random_state = 5;

/* --- what the library says --------------------------------------------------------------------------- */

struct seen {
	uint64_t clock, epoch, length, ticks, live;
};

static struct seen read_record(void)
{
	const struct pm_process *record = &slot->process;
	return (struct seen){record->clock, record->epoch, record->epoch_length,
			     slot->counter[PM_COUNTER_TICKS], record->live_now_bytes};
}

/* A tick that found nothing new does not show, and changes nothing.  Large blocks say at once what lives. */
static bool has_ticked(const struct seen *before, const struct seen *now)
{
	return now->clock != before->clock || now->epoch != before->epoch ||
	       now->ticks != before->ticks || (kind == PM_CLOCK_NET && now->live != before->live);
}

/* --- what we say ------------------------------------------------------------------------------------- */

static struct {
	uint64_t allocated, freed, bytes;
	int64_t python;   /* allocations less frees, never below 0 at any call: as CPython counts */
	uint64_t counted; /* by the clock, of what it counts */
	struct seen last; /* clock: our count */
	uint64_t next;
	bool synchronous; /* an end of an epoch was seen: since then all is known */
	uint64_t late;    /* at most, of one class */
	struct python_gc gc;
} model;

static void fail(const char *what, uint64_t theirs, uint64_t ours)
{
	printf("%s: the library says %llu, we %llu; epoch %llu\n", what, (unsigned long long)theirs,
	       (unsigned long long)ours, (unsigned long long)model.last.epoch);
	exit(1);
}

static uint64_t total(void)
{
	switch (kind) {
	case PM_CLOCK_BYTES: return model.bytes;
	case PM_CLOCK_NET: return model.allocated - model.freed;
	default: return model.allocated;
	}
}

static void begin_epoch(uint64_t clock)
{
	model.last.clock = kind == PM_CLOCK_NET ? 0 : clock;
	model.next = model.last.clock + model.last.length + (kind == PM_CLOCK_NET);
	model.python = 0;
}

static void count(const struct seen *now)
{
	int64_t change = (int64_t)(total() - model.counted);
	model.counted += (uint64_t)change;
	if (kind == PM_CLOCK_MS)
		model.last.clock = now->clock;
	else if (kind == PM_CLOCK_NET)
		model.last.clock = (int64_t)model.last.clock + change < 0
					   ? 0
					   : model.last.clock + (uint64_t)change;
	else if (change > 0)
		model.last.clock += (uint64_t)change;
}

static void turn_when_due(void)
{
	if (model.last.clock < model.next)
		return;
	if (kind == PM_CLOCK_NET && model.python <= (int64_t)model.last.length)
		fail("less than Python would count", model.last.clock, (uint64_t)model.python);
	if (model.last.clock - model.next > model.late)
		model.late = model.last.clock - model.next;
	if (++model.last.epoch % (kind == PM_CLOCK_NET ? DOUBLING_NET : DOUBLING) == 0)
		model.last.length *= 2;
	python_gc_sweep(&model.gc);
	begin_epoch(model.last.clock);
}

static void compare_sweeps(void)
{
	for (unsigned g = 0; g < 3; g++)
		if (slot->process.sweeps[g] != model.gc.sweeps[g])
			fail("sweeps of a generation", slot->process.sweeps[g], model.gc.sweeps[g]);
}

static void look(void)
{
	struct seen now = read_record();
	if (!has_ticked(&model.last, &now))
		return;
	if (!model.synchronous) {
		model.synchronous = model.last.length && now.epoch != model.last.epoch;
		model.counted = total();
		model.last = now;
		model.gc = python_gc_at(slot->process.threshold, now.epoch);
		begin_epoch(now.clock);
		return;
	}
	count(&now);
	turn_when_due();
	model.last.ticks = now.ticks;
	model.last.live = now.live;
	if (now.epoch != model.last.epoch)
		fail("epoch", now.epoch, model.last.epoch);
	if (now.clock != model.last.clock)
		fail("clock", now.clock, model.last.clock);
	if (now.length != model.last.length)
		fail("length", now.length, model.last.length);
	compare_sweeps();
}

/* --- calls ------------------------------------------------------------------------------------------- */

static uint32_t random_below(uint32_t end)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % end;
}

static void *take(size_t bytes)
{
	void *result = malloc(bytes);
	model.allocated++;
	model.python++;
	model.bytes += malloc_usable_size(result);
	look();
	return result;
}

static void give(void *pointer)
{
	if (!pointer)
		return;
	free(pointer);
	model.freed++;
	model.python -= model.python > 0;
	look();
}

static void *change(void *pointer, size_t bytes)
{
	uintptr_t before = (uintptr_t)pointer;
	void *result = realloc(pointer, bytes);
	if ((uintptr_t)result != before) {
		model.allocated++;
		model.freed++;
		model.bytes += malloc_usable_size(result);
	}
	look();
	return result;
}

/* --- scenes ------------------------------------------------------------------------------------------ */

static void meet(void)
{
	while (!model.synchronous)
		take(64);
}

/* One class alone, once what others left is counted: an epoch is late by no more than a tick. */
static void grow(unsigned calls)
{
	uint64_t unit = kind == PM_CLOCK_BYTES ? 64 : 1, epoch = model.last.epoch;
	while (model.last.epoch == epoch)
		take(64);
	model.late = 0;
	for (unsigned i = 0; i < calls; i++)
		take(64);
	uint64_t most = model.last.length / 8 > TICK_MIN * unit ? model.last.length / 8
								: TICK_MIN * unit;
	if (kind != PM_CLOCK_MS && model.late >= most)
		fail("late", model.late, most);
}

/* What comes goes at once. */
static void pairs(unsigned calls)
{
	uint64_t epoch = model.last.epoch;
	for (unsigned i = 0; i < calls; i++)
		give(take(64));
	if (kind == PM_CLOCK_NET && model.last.epoch > epoch + 1)
		fail("epochs of pairs", model.last.epoch, epoch);
}

/* For NET blocks of two sizes, so that a tick always shows in the bytes that live. */
static size_t any_size(void)
{
	if (kind == PM_CLOCK_NET)
		return random_below(3) ? 48 : 1280;
	return random_below(200) ? random_below(2000) : random_below(100000);
}

/* `full` per cent of the blocks live, in waves. */
static void churn(unsigned calls)
{
	for (unsigned i = 0; i < calls; i++) {
		void **at = &block[random_below(BLOCKS)];
		uint32_t full = i / 20000 % 2 ? 20 : 80;
		bool small = *at && malloc_usable_size(*at) < 20000;
		if (small && kind != PM_CLOCK_NET && random_below(10) == 0) {
			*at = change(*at, 1 + random_below(10000));
			continue;
		}
		give(*at);
		*at = random_below(100) < full ? take(any_size()) : NULL;
	}
}

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pass_time(unsigned ms)
{
	uint64_t clock = model.last.clock, epoch = model.last.epoch, end = now_ms() + ms;
	while (now_ms() < end)
		give(take(64));
	if (model.last.clock < clock + ms / 2 || model.last.epoch < epoch + 5)
		fail("time", model.last.clock - clock, ms);
}

/* Of the time that goes by in one call one epoch is made. */
static void idle(void)
{
	meet();
	uint64_t epoch = model.last.epoch;
	usleep(300000);
	pairs(2000);
	if (model.last.epoch < epoch + 1 || model.last.epoch > epoch + 10)
		fail("epochs of sleep", model.last.epoch, epoch);
}

/* A program that hardly allocates has its epochs all the same. */
static void slow(void)
{
	uint64_t epoch = slot->process.epoch;
	for (unsigned i = 0; i < 800; i++) {
		take(64);
		usleep(500);
	}
	if (slot->process.epoch < epoch + 8)
		fail("epochs of a slow program", slot->process.epoch, epoch);
}

static void live(void)
{
	meet();
	grow(30000);
	pairs(100000);
	if (kind == PM_CLOCK_MS)
		pass_time(500);
	else
		churn(200000);
	grow(30000);
}

/* Grows and lets go of a part again, until several full sweeps have come, each where it is due. */
static void sweep_all(void)
{
	meet();
	uint64_t full = model.gc.sweeps[2];
	while (model.gc.sweeps[2] < full + 3) {
		grow(3000);
		for (unsigned i = 0; i < BLOCKS; i++) {
			give(block[i]);
			block[i] = i % 4 ? take(64) : NULL;
		}
	}
}

/* Its clock goes on from ours. */
static int child(uint64_t epoch)
{
	model.synchronous = false;
	model.last = (struct seen){0};
	model.counted = model.allocated = model.freed = model.bytes = 0;
	for (unsigned i = 0; i < 2000; i++)
		block[i] = malloc(64);
	slot = own_slot(header);
	if (!slot || slot->process.epoch < epoch || slot->process.clock_kind != kind ||
	    slot->process.threshold[1] != 10)
		return 2;
	live();
	printf("%llu\n", (unsigned long long)model.last.epoch);
	return 0;
}

static void fork_one(void)
{
	int status;
	meet();
	grow(30000);
	pid_t pid = fork();
	if (pid == 0)
		exit(child(model.last.epoch));
	waitpid(pid, &status, 0);
	if (status)
		fail("status of the child", (uint64_t)status, 0);
	live();
}

/* A block that ended an epoch gives back what it was counted for: the next epochs come in time all the same. */
static void shrink(void)
{
	meet();
	void *large = take(3 << 20), *before = large;
	for (unsigned i = 0; i < 20000; i++)
		take(64);
	model.bytes -= malloc_usable_size(large);
	large = realloc(large, 1 << 20);
	model.bytes += malloc_usable_size(large);
	if (large != before)
		fail("moved, so that this shows nothing", 1, 0);
	uint64_t epoch = model.last.epoch;
	for (unsigned i = 0; i < 20000; i++)
		take(64);
	if (model.last.epoch < epoch + 5)
		fail("epochs after a block shrank", model.last.epoch, epoch);
}

static sem_t full, empty;

static void *free_all(void *unused)
{
	for (;;) {
		sem_wait(&full);
		for (unsigned i = 0; i < BLOCKS; i++)
			free(block[i]);
		sem_post(&empty);
	}
	return unused;
}

/* One thread allocates and another frees: what is live at any time is less than the threshold. */
static void hand_over(void)
{
	pthread_t thread;
	uint64_t epoch = 0;
	sem_init(&full, 0, 0);
	sem_init(&empty, 0, 0);
	pthread_create(&thread, NULL, free_all, NULL);
	for (unsigned round = 0; round < 300; round++) {
		for (unsigned i = 0; i < BLOCKS; i++)
			block[i] = malloc(64);
		if (round == 2)
			epoch = slot->process.epoch;
		sem_post(&full);
		sem_wait(&empty);
	}
	model.last = read_record();
	if (model.last.epoch > epoch + 1)
		fail("epochs of blocks handed over", model.last.epoch, epoch);
}

static enum pm_clock read_kind(const char *word)
{
#define CLOCK_KEY(name, key, length, help) key,
	static const char *const keys[] = {PM_CLOCKS(CLOCK_KEY)};
	for (unsigned i = 0; i < PM_CLOCK_COUNT; i++)
		if (!strcmp(word, keys[i]))
			return (enum pm_clock)i;
	exit(2);
}

int main(int argc, char **argv)
{
	const char *scene = argc > 3 ? argv[3] : "";
	if (argc < 3)
		return 2;
	setvbuf(stdout, NULL, _IONBF, 0);
	header = own_segment(argv[1]);
	slot = own_slot(header);
	kind = read_kind(argv[2]);
	if (slot->process.clock_kind != kind)
		fail("kind of clock", slot->process.clock_kind, kind);
	if (!strcmp(scene, "sweeps"))
		sweep_all();
	else if (!strcmp(scene, "fork"))
		fork_one();
	else if (!strcmp(scene, "idle"))
		idle();
	else if (!strcmp(scene, "slow"))
		slow();
	else if (!strcmp(scene, "shrink"))
		shrink();
	else if (!strcmp(scene, "handover"))
		hand_over();
	else
		live();
	printf("%llu\n", (unsigned long long)model.last.epoch);
	return 0;
}
