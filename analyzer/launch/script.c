/* SPDX-License-Identifier: MIT */
/* script.c: see script.h. */
#define _GNU_SOURCE
#include "launch/script.h"

#include "model/trace_blocks.h"
#include "replay/script.h"
#include "text/allocate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STRIDE_EVENTS = 4096, SLOTS_OWN_MAX = 1024, THREADS_MAX = 1 << 20 };

#define NO_OFFSET UINT64_C(0)

/* A slot that is free, and who freed what was in it, at which of its steps. */
struct spare {
	uint64_t slot, step;
	uint32_t thread;
};

struct spares {
	struct spare *spare;
	size_t count, room;
};

/* A thread of the script. */
struct thread {
	unsigned char *chunk; /* SCRIPT_CHUNK_BYTES; NULL: it has not begun, or has ended */
	uint64_t offset;      /* of the chunk in the file */
	uint64_t steps;
	uint64_t stride; /* of its last event: see STRIDE_EVENTS */
	bool has_ended;
	struct spares spares;
	struct traced_block detached; /* address 0: none */
};

/* A step of a thread. */
struct moment {
	uint32_t thread;
	uint64_t steps; /* that the thread had done with it */
};

struct maker {
	int fd;
	uint64_t end; /* of the file, in whole chunks */
	struct thread *thread;
	size_t thread_count, thread_room;
	struct trace_blocks blocks;
	struct spares spares; /* that no thread keeps for itself */
	uint64_t slots, live;
	uint32_t alive, at_once; /* threads but the first, and the most of them at a time */
	struct moment last;      /* of the event before */
	struct moment stride_ends[2]; /* the last events of the stride before, and of the one before that */
	uint64_t stride;
	uint32_t page_bytes;
	int error; /* errno of the first failed write */
	struct script_facts *facts;
};

/* --- the file --------------------------------------------------------------------------------------- */

static void write_at(struct maker *maker, const void *bytes, size_t count, uint64_t offset)
{
	ssize_t put = maker->error ? (ssize_t)count : pwrite(maker->fd, bytes, count, (off_t)offset);

	if (put != (ssize_t)count)
		maker->error = put < 0 ? errno : ENOSPC;
}

static uint64_t take_offset(struct maker *maker)
{
	uint64_t offset = maker->end;

	maker->end += SCRIPT_CHUNK_BYTES;
	return offset;
}

static struct script_chunk *head_of(const struct thread *thread)
{
	return (struct script_chunk *)thread->chunk;
}

static void flush(struct maker *maker, struct thread *thread, uint64_t next)
{
	struct script_chunk *head = head_of(thread);

	head->next = next;
	write_at(maker, thread->chunk, sizeof *head + head->used, thread->offset);
	memset(thread->chunk, 0, sizeof *head);
	thread->offset = next;
}

static void put_byte(struct thread *thread, unsigned byte)
{
	struct script_chunk *head = head_of(thread);

	thread->chunk[sizeof *head + head->used++] = (unsigned char)byte;
}

static void put_number(struct thread *thread, uint64_t number)
{
	for (; number >= 128; number >>= 7)
		put_byte(thread, (unsigned)number | 128);
	put_byte(thread, (unsigned)number);
}

static void put_step(struct maker *maker, struct thread *thread, enum script_step step)
{
	if (head_of(thread)->used > SCRIPT_STEPS_MAX - SCRIPT_STEP_MAX)
		flush(maker, thread, take_offset(maker));
	put_byte(thread, step);
	thread->steps++;
}

/* A step with two numbers. */
static void put_pair(struct maker *maker, struct thread *thread, enum script_step step,
		     uint64_t one, uint64_t other)
{
	put_step(maker, thread, step);
	put_number(thread, one);
	put_number(thread, other);
}

/* Pages that a large block is to have touched: known when it goes, or taken for all. */
static uint64_t put_pages(struct maker *maker, struct thread *thread, uint64_t size)
{
	struct script_chunk *head = head_of(thread);
	uint64_t at = thread->offset + sizeof *head + head->used;
	uint64_t whole = (size + maker->page_bytes - 1) / maker->page_bytes;
	uint32_t pages = whole > UINT32_MAX ? UINT32_MAX : (uint32_t)whole;

	if (size < PM_TRACE_LARGE_BYTES)
		return NO_OFFSET;
	memcpy(thread->chunk + sizeof *head + head->used, &pages, sizeof pages);
	head->used += sizeof pages;
	return at;
}

/* In the chunk that is being filled, by the thread that `block` was last asked for by, or in the file. */
static void set_pages(struct maker *maker, const struct traced_block *block, uint64_t pages)
{
	uint32_t bounded = pages > UINT32_MAX ? UINT32_MAX : (uint32_t)pages;
	uint64_t chunk = block->noted / SCRIPT_CHUNK_BYTES * SCRIPT_CHUNK_BYTES;
	struct thread *thread = &maker->thread[block->last_thread];

	if (block->noted == NO_OFFSET)
		return;
	if (thread->chunk && thread->offset == chunk)
		memcpy(thread->chunk + (block->noted - chunk), &bounded, sizeof bounded);
	else
		write_at(maker, &bounded, sizeof bounded, block->noted);
}

/* --- threads ---------------------------------------------------------------------------------------- */

static void begin_chain(struct maker *maker, struct thread *thread)
{
	thread->chunk = allocate(1, SCRIPT_CHUNK_BYTES);
	thread->offset = take_offset(maker);
}

/* Threads are begun by the one that did something last. */
static void begin_thread(struct maker *maker, uint32_t number)
{
	struct thread *thread = &maker->thread[number], *parent = &maker->thread[maker->last.thread];

	maker->facts->threads++;
	begin_chain(maker, thread);
	thread->stride = maker->stride;
	if (!number)
		return;
	if (++maker->alive > maker->at_once)
		maker->at_once = maker->alive;
	if (!parent->chunk) /* it has ended: its end comes after this */
		parent = &maker->thread[0];
	put_pair(maker, parent, SCRIPT_SPAWN, number, thread->offset);
}

static struct thread *thread_of(struct maker *maker, uint32_t number)
{
	while (maker->thread_count <= number)
		maker->thread = allocate_more(maker->thread, maker->thread_count++,
					      &maker->thread_room, sizeof *maker->thread);
	if (!maker->thread[number].chunk)
		begin_thread(maker, number);
	return &maker->thread[number];
}

static void wait_for(struct maker *maker, uint32_t self, struct moment moment)
{
	if (moment.steps && moment.thread != self)
		put_pair(maker, &maker->thread[self], SCRIPT_WAIT, moment.thread, moment.steps);
}

/* Before an event of the thread; after it, next_event(). */
static void keep_in_step(struct maker *maker, uint32_t self)
{
	struct thread *thread = &maker->thread[self];

	if (thread->stride == maker->stride)
		return;
	thread->stride = maker->stride;
	wait_for(maker, self, maker->stride_ends[1]);
}

static struct moment moment_of(const struct maker *maker, uint32_t thread)
{
	return (struct moment){thread, maker->thread[thread].steps};
}

static void next_event(struct maker *maker, uint32_t self)
{
	maker->last = moment_of(maker, self);
	if (++maker->facts->events % STRIDE_EVENTS)
		return;
	maker->stride_ends[1] = maker->stride_ends[0];
	maker->stride_ends[0] = maker->last;
	maker->stride++;
}

static void end_thread(struct maker *maker, struct thread *thread)
{
	put_step(maker, thread, SCRIPT_END);
	flush(maker, thread, 0);
	free(thread->chunk);
	thread->chunk = NULL;
	thread->has_ended = true;
}

/* --- slots ------------------------------------------------------------------------------------------ */

static void spares_put(struct spares *spares, struct spare spare)
{
	spares->spare = allocate_more(spares->spare, spares->count, &spares->room,
				      sizeof *spares->spare);
	spares->spare[spares->count++] = spare;
}

static void give_slot(struct maker *maker, uint32_t self, uint64_t slot)
{
	struct thread *thread = &maker->thread[self];
	struct spare spare = {slot, thread->steps, self};

	spares_put(thread->spares.count < SLOTS_OWN_MAX ? &thread->spares : &maker->spares, spare);
}

static uint64_t take_slot(struct maker *maker, uint32_t self)
{
	struct thread *thread = &maker->thread[self];
	struct spares *spares = thread->spares.count ? &thread->spares : &maker->spares;

	if (!spares->count)
		return maker->slots++;
	struct spare spare = spares->spare[--spares->count];

	wait_for(maker, self, (struct moment){spare.thread, spare.step});
	return spare.slot;
}

static void give_all_slots(struct maker *maker, struct thread *thread)
{
	while (thread->spares.count)
		spares_put(&maker->spares, thread->spares.spare[--thread->spares.count]);
	free(thread->spares.spare);
	thread->spares = (struct spares){.count = 0};
}

/* --- events ----------------------------------------------------------------------------------------- */

static void live_changed(struct maker *maker, uint64_t more, uint64_t less)
{
	maker->live += more - less;
	if (maker->live > maker->facts->live_peak)
		maker->facts->live_peak = maker->live;
}

static void let_go(struct maker *maker, uint32_t self, struct traced_block *block,
		   const struct trace_event *event)
{
	struct thread *thread = &maker->thread[self];

	if (event && event->has_pages)
		set_pages(maker, block, event->pages);
	wait_for(maker, self, (struct moment){block->last_thread, block->last_step});
	put_step(maker, thread, SCRIPT_FREE);
	put_number(thread, block->slot);
	give_slot(maker, self, block->slot);
	live_changed(maker, 0, block->size);
	trace_blocks_take(&maker->blocks, block);
}

/* What lived at the address has gone untold. */
static void make_way(struct maker *maker, uint32_t self, uint64_t address)
{
	struct traced_block *block = trace_blocks_find(&maker->blocks, address);

	if (!block)
		return;
	maker->facts->implied++;
	let_go(maker, self, block, NULL);
}

static void note_block(struct maker *maker, uint32_t self, struct traced_block *block,
		       const struct trace_event *event)
{
	struct thread *thread = &maker->thread[self];

	block->noted = put_pages(maker, thread, event->size);
	block->address = event->address;
	block->size = event->size;
	block->last_thread = self;
	block->last_step = thread->steps;
	trace_blocks_put(&maker->blocks, block);
	live_changed(maker, event->size, 0);
}

static void on_request(struct maker *maker, uint32_t self, const struct trace_event *event)
{
	static const enum script_step steps[] = {[PM_TRACE_NOTE] = SCRIPT_MALLOC,
						 [PM_TRACE_MALLOC] = SCRIPT_MALLOC,
						 [PM_TRACE_CALLOC] = SCRIPT_CALLOC,
						 [PM_TRACE_ALIGNED] = SCRIPT_ALIGNED,
						 [PM_TRACE_ATTACH] = SCRIPT_MALLOC};
	struct traced_block block = {.address = event->address};

	make_way(maker, self, event->address);
	block.slot = take_slot(maker, self);
	put_pair(maker, &maker->thread[self], steps[event->kind], block.slot, event->size);
	if (event->kind == PM_TRACE_ALIGNED)
		put_number(&maker->thread[self], event->log2_alignment);
	note_block(maker, self, &block, event);
}

static void on_free(struct maker *maker, uint32_t self, const struct trace_event *event)
{
	struct traced_block *block = trace_blocks_find(&maker->blocks, event->address);

	if (block)
		let_go(maker, self, block, event);
	else
		maker->facts->unknown++;
}

/* `old` is in no table any more. */
static void resize(struct maker *maker, uint32_t self, const struct traced_block *old,
		   const struct trace_event *event)
{
	struct traced_block block = *old;

	make_way(maker, self, event->address);
	wait_for(maker, self, (struct moment){old->last_thread, old->last_step});
	put_pair(maker, &maker->thread[self], SCRIPT_REALLOC, old->slot, event->size);
	live_changed(maker, 0, old->size);
	note_block(maker, self, &block, event);
}

static struct traced_block detach(struct maker *maker, uint64_t address,
				  const struct trace_event *event)
{
	struct traced_block *found = trace_blocks_find(&maker->blocks, address);
	struct traced_block block = {.address = 0};

	if (!found) {
		maker->facts->unknown++;
		return block;
	}
	block = *found;
	trace_blocks_take(&maker->blocks, found);
	if (event->has_pages)
		set_pages(maker, &block, event->pages);
	return block;
}

static void on_realloc(struct maker *maker, uint32_t self, const struct trace_event *event)
{
	struct traced_block old = detach(maker, event->old, event);

	if (old.address)
		resize(maker, self, &old, event);
	else
		on_request(maker, self,
			   &(struct trace_event){.kind = PM_TRACE_MALLOC,
						 .address = event->address,
						 .size = event->size});
}

static void on_attach(struct maker *maker, uint32_t self, const struct trace_event *event)
{
	struct traced_block old = maker->thread[self].detached;

	maker->thread[self].detached.address = 0;
	if (old.address)
		resize(maker, self, &old, event);
	else
		on_request(maker, self, event);
}

static void on_call(struct maker *maker, uint32_t self, const struct trace_event *event)
{
	keep_in_step(maker, self);
	switch (event->kind) {
	case PM_TRACE_FREE: on_free(maker, self, event); break;
	case PM_TRACE_REALLOC: on_realloc(maker, self, event); break;
	case PM_TRACE_DETACH:
		maker->thread[self].detached = detach(maker, event->address, event);
		break;
	case PM_TRACE_ATTACH: on_attach(maker, self, event); break;
	default: on_request(maker, self, event);
	}
	next_event(maker, self);
}

/* Thread 0 ends last of all: it begins those whose parents have ended. */
static void on_note(struct maker *maker, uint32_t self, const struct trace_event *event)
{
	struct traced_block *block;

	switch (event->note) {
	case PM_TRACE_NOTE_FOUND: on_call(maker, self, event); break;
	case PM_TRACE_NOTE_LEFT:
		block = trace_blocks_find(&maker->blocks, event->address);
		if (block)
			set_pages(maker, block, event->pages);
		break;
	case PM_TRACE_NOTE_TIME:
		put_pair(maker, &maker->thread[self], SCRIPT_TIME, event->size, 0);
		break;
	case PM_TRACE_NOTE_END:
		if (!self)
			break;
		give_all_slots(maker, &maker->thread[self]);
		maker->alive--;
		end_thread(maker, &maker->thread[self]);
		break;
	default: break;
	}
}

static bool on_event(struct maker *maker, const struct trace_event *event, struct failure *why)
{
	if (event->thread >= THREADS_MAX ||
	    (event->thread < maker->thread_count && maker->thread[event->thread].has_ended))
		return fail(why, FAILURE_UNREADABLE, "damaged trace: an event of no thread");
	thread_of(maker, event->thread);
	if (event->kind == PM_TRACE_NOTE)
		on_note(maker, event->thread, event);
	else
		on_call(maker, event->thread, event);
	return true;
}

/* --- the whole -------------------------------------------------------------------------------------- */

static void end_all(struct maker *maker)
{
	struct script_header header = {
		.magic = SCRIPT_MAGIC,
		.first = SCRIPT_CHUNK_BYTES,
		.slots = maker->slots,
		.threads = (uint32_t)maker->thread_count,
		.at_once = maker->at_once,
		.page_bytes = maker->page_bytes,
	};

	for (size_t i = maker->thread_count; i-- > 0;)
		if (maker->thread[i].chunk)
			end_thread(maker, &maker->thread[i]);
	write_at(maker, &header, sizeof header, 0);
	maker->facts->live_end = maker->live;
}

static bool make(struct maker *maker, struct trace *trace, struct failure *why)
{
	struct trace_event event;
	enum trace_next next;

	thread_of(maker, 0);
	while ((next = trace_next(trace, &event, why)) == TRACE_NEXT && !maker->error)
		if (!on_event(maker, &event, why))
			return false;
	if (next == TRACE_FAILED)
		return false;
	end_all(maker);
	return !maker->error ||
	       fail(why, FAILURE_WRITE, "the script of the replay cannot be written: %s",
		    strerror(maker->error));
}

static void free_all(struct maker *maker)
{
	for (size_t i = 0; i < maker->thread_count; i++) {
		free(maker->thread[i].chunk);
		free(maker->thread[i].spares.spare);
	}
	free(maker->thread);
	free(maker->spares.spare);
	trace_blocks_free(&maker->blocks);
}

bool script_make(struct trace *trace, int fd, struct script_facts *ret, struct failure *why)
{
	struct maker maker = {.fd = fd,
			      .end = SCRIPT_CHUNK_BYTES,
			      .facts = ret,
			      .page_bytes = trace->file->header.page_bytes};

	*ret = (struct script_facts){.events = 0};
	bool made = make(&maker, trace, why);

	free_all(&maker);
	return made;
}
