/* SPDX-License-Identifier: MIT */
/*
 * trace.c: each call of the program, written to a file: see <poolmem/trace.h>.
 *
 *   a thread's call, told of by heap/traced.c --> its heap's writer --> the writer's chunk of the file
 *
 * A writer is a page of private memory; nobody else touches its chunk.  `used` is stored behind each event: a kill costs no
 * more than the event that is being written.  In a forked child the writers begin anew, with a chunk of their own.
 */
#define _GNU_SOURCE
#include "segment/trace.h"
#include "heap/region.h"
#include "life/life.h"
#include "life/say.h"
#include "sys/memory.h"
#include "sys/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

enum { NO_THREAD = UINT32_MAX, MASK_LATEST = 15, CALLS_PER_LOOK = 16 /* at the clock */ };

struct writer {
	struct pm_trace_chunk *chunk; /* NULL: none yet, or recording has ended */
	uint8_t *at,
		*end; /* in the chunk: where the next event goes, and from where on there may be no room */
	uint64_t sequence;  /* that the next event has if it skips none */
	uint32_t descent;   /* of the process whose chunk it is */
	uint32_t thread;    /* whose event was the last; NO_THREAD: it has ended */
	uint32_t tid;       /* its id */
	uint32_t number;    /* of the writer */
	uint32_t latest_at; /* requests so far */
	uint32_t calls;     /* that it was asked to write down */
	uint64_t told_ms;   /* of the last note of the time */
	uint64_t freed;     /* this and what follows: see the contract, in grains */
	uint64_t latest[MASK_LATEST + 1];
	uint64_t near[PM_TRACE_BUCKETS];
	int64_t stride[PM_TRACE_BUCKETS];
};

_Static_assert(sizeof(struct writer) <= MEMORY_PAGE, "a page");

uint8_t host_tracing;

static struct {
	uint64_t sequence; /* atomic: numbers given so far */
	uint32_t process;  /* number of this one */
	uint32_t threads;  /* atomic: numbers given */
	uint32_t descent;  /* of this process */
	uint64_t began_ms;
	bool has_forked; /* children may write to the file */
} tracing;

/* --- the file --------------------------------------------------------------------------------------- */

static void say(const char *what, int error)
{
	const char *path = trace_file_path();
	struct line line = {0};
	line_text(&line, "poolmem: POOLMEM: trace: ");
	line_text(&line, *path ? path : life.settings.trace.text);
	line_text(&line, ": ");
	line_text(&line, what);
	if (error) {
		line_text(&line, " (error ");
		line_number(&line, (uint64_t)error);
		line_text(&line, ")");
	}
	line_say(&line);
}

/* Threads notice at their next call.  Who reads the trace is told: a line here might go to a file of the program. */
static void stop(void)
{
	__atomic_store_n(&host_tracing, HOST_TRACING_ENDED, __ATOMIC_RELAXED);
	if (!trace_file_was_cut())
		__atomic_or_fetch(&trace_header->flags, PM_TRACE_FULL, __ATOMIC_RELAXED);
}

static void close_chunk(struct writer *writer)
{
	struct pm_trace_chunk *chunk = writer->chunk;
	chunk->checksum = pm_trace_checksum(chunk + 1, chunk->used);
	__atomic_store_n(&chunk->state, PM_TRACE_CLOSED, __ATOMIC_RELEASE);
}

static bool begin_chunk(struct writer *writer)
{
	struct pm_trace_chunk *chunk = trace_file_add();
	writer->chunk = chunk;
	if (!chunk)
		return false;
	chunk->state = PM_TRACE_OPEN;
	chunk->process = tracing.process;
	chunk->pid = segment.pid ? segment.pid : (uint32_t)threads_id();
	chunk->thread = writer->thread;
	chunk->sequence = writer->sequence;
	memset(&writer->freed, 0, sizeof *writer - offsetof(struct writer, freed));
	writer->latest_at = 0;
	writer->at = (uint8_t *)(chunk + 1);
	writer->end = (uint8_t *)chunk + PM_TRACE_CHUNK_BYTES - 2 * PM_TRACE_EVENT_MAX;
	return true;
}

/* --- encoding --------------------------------------------------------------------------------------- */

static void put_number(struct writer *writer, uint64_t number)
{
	for (; number >= 128; number >>= 7)
		*writer->at++ = (uint8_t)(number | 128);
	*writer->at++ = (uint8_t)number;
}

static void put_difference(struct writer *writer, int64_t difference)
{
	uint64_t twice = (uint64_t)difference << 1;
	put_number(writer, difference < 0 ? ~twice : twice);
}

static void commit(struct writer *writer)
{
	struct pm_trace_chunk *chunk = writer->chunk;
	__atomic_store_n(&chunk->used, (uint32_t)(writer->at - (uint8_t *)(chunk + 1)),
			 __ATOMIC_RELEASE);
}

static void put_kind(struct writer *writer, unsigned kind, unsigned argument, uint64_t order)
{
	uint64_t skipped = order - writer->sequence;
	*writer->at++ = (uint8_t)(kind | (skipped ? PM_TRACE_SKIPS : 0) |
				  argument << PM_TRACE_ARGUMENT_SHIFT);
	if (skipped)
		put_number(writer, skipped);
	writer->sequence = order + 1;
}

static void put_note(struct writer *writer, enum pm_trace_note note, const uint64_t *number,
		     unsigned count)
{
	*writer->at++ = (uint8_t)(PM_TRACE_NOTE | (unsigned)note << PM_TRACE_ARGUMENT_SHIFT);
	for (unsigned i = 0; i < count; i++)
		put_number(writer, number[i]);
	commit(writer);
}

static uint64_t grains(const void *block)
{
	return (uintptr_t)block / PM_TRACE_GRAIN;
}

/* What a request got; the decoder does the same. */
static void note_block(struct writer *writer, uint32_t bucket, uint64_t address)
{
	writer->stride[bucket] = (int64_t)(address - writer->near[bucket]);
	writer->near[bucket] = address;
	writer->latest[writer->latest_at++ & MASK_LATEST] = address;
}

static unsigned block_argument(const struct writer *writer, uint32_t bucket, uint64_t address)
{
	if (address == writer->near[bucket])
		return PM_TRACE_SAME;
	return address == writer->near[bucket] + (uint64_t)writer->stride[bucket] ? PM_TRACE_STRIDE
										  : 0;
}

/* 1 for the newest of the latest. */
static unsigned place_argument(const struct writer *writer, uint64_t address)
{
	for (unsigned back = 1; back <= PM_TRACE_LATEST; back++)
		if (writer->latest[(writer->latest_at - back) & MASK_LATEST] == address)
			return back;
	return 0;
}

static void put_place(struct writer *writer, unsigned kind, uint64_t order, uint64_t address)
{
	unsigned argument = place_argument(writer, address);
	put_kind(writer, kind, argument, order);
	if (!argument)
		put_difference(writer, (int64_t)(address - writer->freed));
	writer->freed = address;
}

/* --- writers ---------------------------------------------------------------------------------------- */

static void name_thread(struct writer *writer, uint32_t tid)
{
	uint64_t number = __atomic_fetch_add(&tracing.threads, 1, __ATOMIC_RELAXED);
	writer->thread = (uint32_t)number;
	writer->tid = tid;
	put_note(writer, PM_TRACE_NOTE_THREAD, &number, 1);
}

/* What allocators do by the clock, a replay is to do as well. */
static void note_time(struct writer *writer)
{
	uint64_t now_ms = host_milliseconds() - tracing.began_ms;
	if (now_ms == writer->told_ms)
		return;
	writer->told_ms = now_ms;
	put_note(writer, PM_TRACE_NOTE_TIME, &now_ms, 1);
}

/* In a process that did not write yet, or of a new chunk. */
static bool renew(struct writer *writer)
{
	bool is_inherited = writer->chunk && writer->descent != tracing.descent;
	if (writer->chunk && !is_inherited) {
		close_chunk(writer);
		trace_file_give(writer->chunk);
	}
	if (writer->descent != tracing.descent) {
		writer->thread = NO_THREAD;
		writer->descent = tracing.descent;
	}
	if (!begin_chunk(writer))
		return false;
	writer->chunk->writer = writer->number;
	__atomic_store_n(&writer->chunk->magic, PM_TRACE_CHUNK_MAGIC, __ATOMIC_RELEASE);
	return true;
}

static struct writer *make_writer(struct heap *heap)
{
	struct writer *writer = memory_map_own(MEMORY_TELEMETRY, MEMORY_PAGE);
	if (!writer)
		return NULL;
	writer->number = heap->index;
	writer->thread = NO_THREAD;
	writer->descent = tracing.descent;
	heap->events.tracer = writer;
	return writer;
}

/* With room for an event and notes before it.  NULL: recording has ended. */
static struct writer *writer_of(struct heap *heap)
{
	if (unlikely(!wiped.alive))
		fork_check(heap);
	struct writer *writer = heap->events.tracer;
	if (unlikely(host_tracing != HOST_TRACING_ON))
		return NULL;
	if (unlikely(!writer))
		writer = make_writer(heap);
	if (unlikely(!writer || writer->descent != tracing.descent || !writer->chunk ||
		     writer->at >= writer->end) &&
	    (!writer || !renew(writer))) {
		stop();
		return NULL;
	}
	if (unlikely(writer->chunk->state == PM_TRACE_CLOSED)) /* after exit handlers */
		writer->chunk->state = PM_TRACE_OPEN;
	if (unlikely(writer->thread == NO_THREAD || writer->tid != heap->libc_tid))
		name_thread(writer, heap->libc_tid);
	if (unlikely(!(writer->calls++ % CALLS_PER_LOOK)))
		note_time(writer);
	return writer;
}

/* --- events ----------------------------------------------------------------------------------------- */

uint64_t host_trace_order(void)
{
	return __atomic_fetch_add(&tracing.sequence, 1, __ATOMIC_RELAXED);
}

void host_trace_missed(void)
{
	if (host_tracing == HOST_TRACING_ON)
		__atomic_add_fetch(&trace_header->missed, 1, __ATOMIC_RELAXED);
}

static void put_block(struct writer *writer, unsigned kind, uint64_t order, unsigned log2_alignment,
		      const void *block, size_t size)
{
	uint32_t bucket = pm_trace_bucket(size);
	uint64_t address = grains(block);
	unsigned argument = block_argument(writer, bucket, address);
	put_kind(writer, kind, argument, order);
	if (kind == PM_TRACE_ALIGNED)
		put_number(writer, log2_alignment);
	put_number(writer, size);
	if (!argument)
		put_difference(writer, (int64_t)(address - writer->near[bucket]));
	note_block(writer, bucket, address);
	commit(writer);
}

void host_trace_alloc(struct heap *heap, unsigned kind, unsigned log2_alignment, const void *block,
		      size_t size)
{
	struct writer *writer = writer_of(heap);
	if (writer)
		put_block(writer, kind, host_trace_order(), log2_alignment, block, size);
}

uint32_t host_trace_pages(const void *block, size_t block_bytes)
{
	if (block_bytes < PM_TRACE_LARGE_BYTES)
		return 0;
	uint32_t pages = sandbox_may_be() ? UINT32_MAX : memory_resident_pages(block, block_bytes);
	return pages == UINT32_MAX ? (uint32_t)(block_bytes / memory_page()) : pages;
}

static void put_pages(struct writer *writer, uint32_t pages, bool is_large)
{
	uint64_t number = pages;
	if (is_large)
		put_note(writer, PM_TRACE_NOTE_RESIDENT, &number, 1);
}

void host_trace_free(struct heap *heap, const void *block, size_t block_bytes)
{
	struct writer *writer = writer_of(heap);
	if (!writer || !block_bytes) /* no block: the program's fault is told of by who frees it */
		return;
	put_pages(writer, host_trace_pages(block, block_bytes), block_bytes >= PM_TRACE_LARGE_BYTES);
	put_place(writer, PM_TRACE_FREE, host_trace_order(), grains(block));
	commit(writer);
}

void host_trace_resized(struct heap *heap, uint64_t order, const void *old, uint32_t old_pages,
			const void *block, size_t size)
{
	struct writer *writer = writer_of(heap);
	uint64_t ended = host_trace_order();
	if (!writer)
		return;
	put_pages(writer, old_pages, old_pages > 0);
	if (ended != order + 1) {
		put_place(writer, PM_TRACE_DETACH, order, grains(old));
		put_block(writer, PM_TRACE_ATTACH, ended, 0, block, size);
		return;
	}
	put_place(writer, PM_TRACE_REALLOC, order, grains(old));
	writer->sequence = ended + 1;
	put_number(writer, size);
	put_difference(writer, (int64_t)(grains(block) - grains(old)));
	note_block(writer, pm_trace_bucket(size), grains(block));
	commit(writer);
}

/* --- beginning and end ------------------------------------------------------------------------------ */

static void note_found(struct pool *pool, void *context)
{
	struct heap *heap = context;
	uint32_t count = pool->state == POOL_LARGE ? 1 : pool->threaded;
	for (uint32_t i = 0; i < count; i++) {
		struct writer *writer = pool_is_live(pool, i) ? writer_of(heap) : NULL;
		uint64_t number[2] = {grains(pool->start + i * pool->block_bytes),
				      pool->block_bytes};
		if (writer)
			put_note(writer, PM_TRACE_NOTE_FOUND, number, 2);
	}
}

static void note_left(struct pool *pool, void *context)
{
	struct heap *heap = context;
	uint32_t count = pool->state == POOL_LARGE ? 1 : pool->threaded;
	for (uint32_t i = 0; pool->block_bytes >= PM_TRACE_LARGE_BYTES && i < count; i++) {
		const char *block = pool->start + i * pool->block_bytes;
		struct writer *writer = pool_is_live(pool, i) ? writer_of(heap) : NULL;
		if (!writer)
			continue;
		uint64_t number[2] = {grains(block), host_trace_pages(block, pool->block_bytes)};
		put_note(writer, PM_TRACE_NOTE_LEFT, number, 2);
	}
}

void trace_begin(void)
{
	if (host_tracing != HOST_TRACING_ON)
		return;
	tracing.descent = life.descent;
	tracing.threads = 0;
	tracing.process = __atomic_fetch_add(&trace_header->processes, 1, __ATOMIC_RELAXED);
}

void trace_forks(void)
{
	tracing.has_forked = true;
}

void trace_thread_ends(struct heap *heap)
{
	struct writer *writer = host_tracing == HOST_TRACING_ON && heap->events.tracer
					? writer_of(heap)
					: NULL;
	if (host_tracing)
		heap_thread.gated = NULL;
	if (!writer)
		return;
	put_note(writer, PM_TRACE_NOTE_END, NULL, 0);
	writer->thread = NO_THREAD;
}

void trace_end(struct heap *heap)
{
	if (host_tracing != HOST_TRACING_ON)
		return;
	arena_each_pool(note_left, heap);
	struct writer *writer = writer_of(heap);
	if (!writer)
		return;
	close_chunk(writer);
	if (!tracing.process && !tracing.has_forked &&
	    !sandbox_may_be()) /* a child would find no room */
		trace_file_cut();
}

static void fill_header(void)
{
	struct timespec real = {0};
	clock_gettime(CLOCK_REALTIME, &real);
	trace_header->began_real_ns = (uint64_t)real.tv_sec * 1000000000 + (uint64_t)real.tv_nsec;
	trace_header->run_id = life.settings.run;
	trace_header->pid = segment.pid ? segment.pid : threads_id();
	raw_call(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)trace_header->exe,
		 PM_TRACE_EXE_ROOM - 1, 0, 0);
}

void trace_init(void)
{
	if (!life.settings.trace.text[0])
		return;
	if (host_next) {
		say("is not recorded with heap=next", 0);
		return;
	}
	int error = trace_file_create(life.settings.trace.text, life.settings.trace_max);
	bool is_of_family = error == EEXIST && trace_file_is_of_family(life.settings.run);
	if (error && !is_of_family) /* else another program records there, and this one does not */
		say(error == EEXIST ? "is there already, and is not overwritten"
				    : "cannot be written",
		    error == EEXIST ? 0 : error);
	if (error)
		return;
	fill_header();
	sandbox_init();
	tracing.began_ms = host_milliseconds();
	host_tracing = HOST_TRACING_ON;
	host_unusual = true;
	trace_begin();
	struct heap *heap = life.main_heap;
	heap_enter();
	arena_each_pool(note_found, heap);
	heap_close(heap);
}
