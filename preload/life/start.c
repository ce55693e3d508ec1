/* SPDX-License-Identifier: MIT */
/*
 * start.c: the constructor.
 *
 * The library is linked with -z initfirst: this runs before any other constructor, so no thread exists
 * yet.  The heap may have served calls already (resolvers of indirect functions, the loader); what it
 * counted is carried over to the segment.  After this no file is opened any more.
 */
#define _GNU_SOURCE
#include "heap/region.h"
#include "life/life.h"
#include "life/say.h"
#include "life/survey.h"
#include "sys/memory.h"
#include "tally/clock.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

struct life life;

static const char *find_variable(char **environment, const char *name)
{
	size_t bytes = strlen(name);
	for (; environment && *environment; environment++)
		if (!strncmp(*environment, name, bytes) && (*environment)[bytes] == '=')
			return *environment + bytes + 1;
	return NULL;
}

static uint64_t requested_here(void)
{
	const struct heap *heap = host_next ? host_heap() : NULL;
	const struct pm_slot *slot = heap ? heap_counted(heap, heap->slot) : NULL;
	return slot ? slot->counter[PM_COUNTER_REQUESTED] : 0;
}

/* Whether a block of one byte that came just now is not ours, or with heap=next was not counted. */
static bool is_unseen(void *block, uint64_t requested_before)
{
	return host_next ? requested_here() == requested_before
			 : block && region_pool_of(block) == &pool_nowhere;
}

/* Whether calls of malloc do not come to us.  One that merely watches in front hands them on. */
static bool is_passive(void)
{
	void *symbol = dlsym(RTLD_DEFAULT, "malloc");
	void *(*first_malloc)(size_t);
	Dl_info theirs, ours;
	if (!symbol || !dladdr(symbol, &theirs) || !dladdr(&life, &ours) ||
	    theirs.dli_fbase == ours.dli_fbase)
		return false;
	memcpy(&first_malloc, &symbol, sizeof symbol);
	uint64_t requested = requested_here();
	void *block = first_malloc(1);
	bool passive = is_unseen(block, requested);
	void (*first_free)(void *);
	symbol = dlsym(RTLD_DEFAULT, "free");
	memcpy(&first_free, &symbol, sizeof symbol);
	first_free(block);
	return passive;
}

static bool create_segment(char **environment)
{
	struct pm_class classes[CLASS_COUNT];
	struct pm_age ages[PM_AGE_COUNT];
	class_describe(classes);
	for (unsigned c = 0; c < CLASS_POOLED; c++)
		classes[c].block_bytes = life.block_bytes[c];
	clock_describe(ages);
	struct segment_plan plan = {
		.directory = life.settings.dir.text,
		.temporary = find_variable(environment, "TMPDIR"),
		.file_bytes = life.settings.segment_max,
		.total_bytes = life.settings.max,
		.run_id = life.settings.run,
		.class_count = CLASS_COUNT,
		.classes = classes,
		.ages = ages,
		.hint = (void *)region_below(1),
		.keeps_dead = life.settings.repeatable,
	};
	return segment_create(&plan);
}

static void note_next(void)
{
	life.process->notes |= UINT64_C(1) << PM_NOTE_NEXT;
	if (!next_has_births())
		life.process->notes |= UINT64_C(1) << PM_NOTE_NO_BIRTHS;
	if (next_serves_new())
		life.process->notes |= UINT64_C(1) << PM_NOTE_NEW_UNSEEN;
}

/* false: the room that was there a moment ago is gone. */
static bool begin_record(int argc, char **argv)
{
	struct timespec real = {0};
	life.leader = segment_add(0, 0, sizeof(struct pm_slot));
	if (!life.leader)
		return false;
	struct pm_slot *slot = segment_chunk(life.leader);
	life.process = &slot->process;
	facts_record(argc, argv);
	segment.pid = life.process->pid;
	clock_gettime(CLOCK_REALTIME, &real);
	life.process->began_real_ns = (uint64_t)real.tv_sec * 1000000000 + (uint64_t)real.tv_nsec;
	life.process->began_ns = threads_clock_ns();
	publish_clock(life.process);
	if (segment.fixed)
		life.process->notes |= UINT64_C(1) << PM_NOTE_NO_POPULATE;
	if (!life.can_wipe)
		life.process->notes |= UINT64_C(1) << PM_NOTE_NO_WIPE;
	if (host_next)
		note_next();
	if (is_passive())
		life.process->notes |= UINT64_C(1) << PM_NOTE_PASSIVE;
	life.process->state = PM_STATE_RUNNING;
	segment_commit(life.leader, PM_CHUNK_SLOT);
	return true;
}

/* Aside it stands, for what the kernel does with pages would not be what was asked for. */
static bool knows_pages(void)
{
	size_t bytes = getauxval(AT_PAGESZ);
	struct line line = {0};
	if (memory_init(bytes))
		return true;
	line_text(&line, "poolmem: pages of ");
	line_number(&line, bytes);
	line_text(&line, " bytes are not known here: standing aside");
	line_say(&line);
	return false;
}

static void know_units(void)
{
	for (unsigned c = 0; c < CLASS_POOLED; c++)
		life.block_bytes[c] = (uint32_t)class_bytes(c);
}

enum { HEAP_OWN, HEAP_NEXT }; /* the words of the setting */

__attribute__((constructor)) static void start(int argc, char **argv, char **environment)
{
	int saved = errno;
	bool secure = getauxval(AT_SECURE);
	settings_read(&life.settings, secure ? NULL : find_variable(environment, "POOLMEM"));
	foreign_init();
	host_off = host_unusual = life.settings.off | !knows_pages();
	if (host_off)
		foreign_serves();
	know_units();
	clock_now.origin_ms = host_milliseconds();
	clock_init((enum pm_clock)life.settings.gen_clock.index, life.settings.gen_threshold.value);
	tick_pace_large();
	threads_first_heap();
	if (life.settings.heap.index == HEAP_NEXT && !host_off)
		next_init();
	fork_watch();
	if (!life_is_aside() && !secure && life.main_heap)
		life.recording = create_segment(environment);
	if (life.recording)
		life.recording = begin_record(argc, argv);
	threads_init();
	if (life.recording) {
		sites_init();
		__atomic_store_n(&segment.header->ready, PM_READY, __ATOMIC_RELEASE);
		if (!host_next)
			survey_init();
		exit_init();
	}
	life.started = true;
	if (life.main_heap && life.recording) {
		tick_arm(life.main_heap); /* classes that served before this */
		tick_flush(life.main_heap);
		publish_process();
		publish_pools();
	}
	if (life.main_heap && (!host_off || host_next))
		trace_init();
	errno = saved;
}
