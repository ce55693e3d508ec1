/* SPDX-License-Identifier: MIT */
/*
 * grow.c: chunks handed out, by any thread of any process that maps the file.
 *
 * `header->chunks` is the only shared word; who moves it owns the chunk.
 */
#include "segment/segment.h"

#include "sys/memory.h"
#include "sys/wiped.h"

enum { MAP_STEP = 16, WAIT_TURNS = 500, ADD_WAITS = 3 };

static uint32_t chunk_limit(void)
{
	return (uint32_t)(segment.header->file_bytes / PM_CHUNK_BYTES);
}

/*
 * A fork by another thread, between the call and the note of it, leaves a child that does not know how much
 * is mapped: it is `mapped` or `mapping`.
 */
static bool grow_mapping(uint32_t wanted)
{
	uint32_t known[] = {segment.mapped, segment.mapping};
	if (segment.mapping < wanted)
		segment.mapping = wanted;
	for (unsigned i = 0; i < 2; i++)
		if (memory_grow(segment.header, (size_t)known[i] * PM_CHUNK_BYTES,
				(size_t)wanted * PM_CHUNK_BYTES)) {
			__atomic_store_n(&segment.mapped, wanted, __ATOMIC_RELEASE);
			return true;
		}
	return false;
}

static bool map_up_to(uint32_t chunks)
{
	uint32_t limit = chunk_limit();
	uint32_t wanted = chunks + MAP_STEP < limit ? chunks + MAP_STEP : limit;
	for (unsigned turn = 0; !wiped_try(&wiped.growing); turn++) {
		if (__atomic_load_n(&segment.mapped, __ATOMIC_ACQUIRE) >= chunks)
			return true;
		if (turn == WAIT_TURNS) /* its holder does not run; another time */
			return false;
		memory_pause(&wiped.growing, 1, turn);
	}
	bool grown = segment.mapped >= chunks || grow_mapping(wanted);
	segment.full |= !grown;
	wiped_done(&wiped.growing);
	return grown;
}

void *segment_chunk(uint32_t number)
{
	if (!segment.header || number >= chunk_limit())
		return NULL;
	if (number >= __atomic_load_n(&segment.mapped, __ATOMIC_ACQUIRE) && !map_up_to(number + 1))
		return NULL;
	return (char *)segment.header + (size_t)number * PM_CHUNK_BYTES;
}

static size_t pages_of(size_t bytes)
{
	return (bytes + MEMORY_PAGE - 1) / MEMORY_PAGE;
}

bool segment_present(void *chunk, size_t bytes)
{
	return segment.fixed ||
	       memory_populate(chunk, pages_of(bytes) * MEMORY_PAGE) == MEMORY_POPULATED;
}

/* Present first, counted afterwards: two may prepare the same chunk, one gets it. */
static uint32_t add_chunk(uint32_t process, uint32_t sequence, size_t bytes)
{
	if (!segment.header || segment.full)
		return 0;
	uint32_t number = __atomic_load_n(&segment.header->chunks, __ATOMIC_ACQUIRE);
	struct pm_chunk *chunk;
	do {
		chunk = segment_chunk(number);
		segment.full |= number >= chunk_limit() || (chunk && !segment_present(chunk, bytes));
		if (!chunk || segment.full)
			return 0;
	} while (!__atomic_compare_exchange_n(&segment.header->chunks, &number, number + 1, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	chunk->process = process ? process : number;
	chunk->sequence = sequence;
	return number;
}

/*
 * One after the other where that goes: of a thousand threads at once each would prepare chunks for all others, and
 * keep from a processor the one that is through.  Nothing hangs on it: who waits too long goes on.
 */
static bool begin_adding(void)
{
	uint32_t nobody = 0;
	if (__atomic_compare_exchange_n(&wiped.adding, &nobody, 1, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED))
		return true;
	for (unsigned i = 0; i < ADD_WAITS; i++) {
		if (!__atomic_exchange_n(&wiped.adding, 2, __ATOMIC_ACQUIRE))
			return true;
		memory_sleep(&wiped.adding, 2);
	}
	return false;
}

static void end_adding(void)
{
	if (__atomic_exchange_n(&wiped.adding, 0, __ATOMIC_RELEASE) == 2)
		memory_wake(&wiped.adding);
}

uint32_t segment_add(uint32_t process, uint32_t sequence, size_t bytes)
{
	bool alone = begin_adding();
	uint32_t number = add_chunk(process, sequence, bytes);
	if (alone)
		end_adding();
	return number;
}

bool segment_is_half_full(void)
{
	return __atomic_load_n(&segment.header->chunks, __ATOMIC_RELAXED) >= chunk_limit() / 2;
}

void segment_commit(uint32_t number, enum pm_chunk_kind kind)
{
	struct pm_chunk *chunk = segment_chunk(number);
	__atomic_store_n(&chunk->kind, kind, __ATOMIC_RELEASE);
}

uint32_t segment_find(uint32_t kind, bool (*visit)(struct pm_chunk *, void *), void *context)
{
	uint32_t chunks = segment.header ? __atomic_load_n(&segment.header->chunks, __ATOMIC_ACQUIRE)
					 : 0;
	for (uint32_t n = 1; n < chunks; n++) {
		struct pm_chunk *chunk = segment_chunk(n);
		if (!chunk)
			return 0;
		if (__atomic_load_n(&chunk->kind, __ATOMIC_ACQUIRE) == kind && visit(chunk, context))
			return n;
	}
	return 0;
}

static bool claim(struct pm_chunk *chunk, void *context)
{
	uint32_t spare = PM_CHUNK_SPARE;
	(void)context;
	return __atomic_compare_exchange_n(&chunk->kind, &spare, PM_CHUNK_SLOT, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

uint32_t segment_claim_spare(const uint32_t *likely, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct pm_chunk *chunk = likely[i] ? segment_chunk(likely[i]) : NULL;
		if (chunk && claim(chunk, NULL))
			return likely[i];
	}
	return segment_find(PM_CHUNK_SPARE, claim, NULL);
}

static bool note_last(struct pm_chunk *chunk, void *context)
{
	struct segment_stream *stream = context;
	if (chunk->process == stream->process && chunk->sequence >= stream->sequence) {
		stream->sequence = chunk->sequence;
		stream->last = (uint32_t)(((char *)chunk - (char *)segment.header) / PM_CHUNK_BYTES);
	}
	return false;
}

struct segment_stream segment_stream(uint32_t process, enum pm_chunk_kind kind)
{
	struct segment_stream stream = {.process = process, .kind = kind};
	segment_find(kind, note_last, &stream);
	return stream;
}

enum { STREAM_ROOM = PM_CHUNK_BYTES - (int)sizeof(struct pm_chunk) };

bool segment_append(struct segment_stream *tail, const void *data, size_t bytes)
{
	const char *from = data;
	while (bytes) {
		struct pm_chunk *chunk = tail->last ? segment_chunk(tail->last) : NULL;
		if (!chunk || chunk->used_bytes == STREAM_ROOM) {
			uint32_t sequence = tail->last ? tail->sequence + 1 : 0;
			uint32_t number = segment_add(tail->process, sequence, MEMORY_PAGE);
			if (!number)
				return false;
			segment_commit(number, tail->kind);
			tail->last = number;
			tail->sequence = sequence;
			continue;
		}
		size_t room = STREAM_ROOM - chunk->used_bytes;
		size_t part = bytes < room ? bytes : room;
		size_t end = sizeof *chunk + chunk->used_bytes + part;
		if (pages_of(end) > pages_of(end - part) && !segment_present(chunk, end))
			return false;
		__builtin_memcpy((char *)(chunk + 1) + chunk->used_bytes, from, part);
		__atomic_store_n(&chunk->used_bytes, chunk->used_bytes + (uint32_t)part,
				 __ATOMIC_RELEASE);
		from += part;
		bytes -= part;
	}
	return true;
}

bool segment_append_fact(struct segment_stream *stream, uint32_t tag, const void *payload,
			 size_t bytes, const void *more, size_t more_bytes)
{
	static const char zeros[8];
	struct pm_fact fact = {tag, (uint32_t)(bytes + more_bytes)};
	size_t padding = -(bytes + more_bytes) % 8;
	return segment_append(stream, &fact, sizeof fact) &&
	       segment_append(stream, payload, bytes) && segment_append(stream, more, more_bytes) &&
	       segment_append(stream, zeros, padding);
}

bool segment_add_fact(uint32_t process, enum pm_fact_tag tag, const void *payload, size_t bytes,
		      const void *more, size_t more_bytes)
{
	struct segment_stream stream = segment_stream(process, PM_CHUNK_FACTS);
	return segment_append_fact(&stream, tag, payload, bytes, more, more_bytes);
}

static bool is_map_of(struct pm_chunk *chunk, void *context)
{
	const struct segment_stream *wanted = context;
	return chunk->process == wanted->process && chunk->sequence == wanted->sequence;
}

/* Chunks of this process's maps by their sequence; NO_MAP: there is none, and no room for one. */
enum { MAPS_NOTED = 32768 };
static uint32_t map_noted[MAPS_NOTED] MEMORY_FAR, maps_noted, maps_process;
static const uint32_t NO_MAP = UINT32_MAX;

static void note_map(uint32_t sequence, uint32_t number)
{
	if (sequence >= MAPS_NOTED)
		return;
	map_noted[sequence] = number ? number : NO_MAP;
	if (sequence >= maps_noted)
		maps_noted = sequence + 1;
}

/* Searched for once, as the area may have been another's: a segment has thousands of chunks. */
static uint32_t find_map(uint32_t process, uint32_t sequence)
{
	if (maps_process != process) {
		__builtin_memset(map_noted, 0, maps_noted * sizeof *map_noted);
		maps_noted = 0;
		maps_process = process;
	}
	uint32_t noted = sequence < MAPS_NOTED ? map_noted[sequence] : 0;
	if (noted)
		return noted == NO_MAP ? 0 : noted;
	struct segment_stream wanted = {.process = process, .sequence = sequence};
	uint32_t number = segment_find(PM_CHUNK_MAP, is_map_of, &wanted);
	if (number || segment.full)
		note_map(sequence, number);
	return number;
}

struct pm_arena *segment_map_arena(uint32_t process, uint32_t index)
{
	uint32_t sequence = index / PM_MAP_ARENAS;
	uint32_t number = find_map(process, sequence);
	if (!number) {
		number = segment_add(process, sequence, MEMORY_PAGE);
		if (!number)
			return NULL;
		segment_commit(number, PM_CHUNK_MAP);
		note_map(sequence, number);
	}
	struct pm_map *map = segment_chunk(number);
	struct pm_arena *arena = &map->arena[index % PM_MAP_ARENAS];
	uint32_t end = (uint32_t)((char *)(arena + 1) - (char *)map);
	if (map->chunk.used_bytes < end) {
		if (!segment_present(map, end))
			return NULL;
		map->chunk.used_bytes = end;
	}
	return arena;
}

static bool is_of(struct pm_chunk *chunk, void *context)
{
	return chunk->process == *(uint32_t *)context;
}

static bool is_emptied(struct pm_chunk *chunk, void *context)
{
	return is_of(chunk, context) && !chunk->used_bytes;
}

uint32_t segment_emptied(uint32_t process, enum pm_chunk_kind kind)
{
	return segment_find(kind, is_emptied, &process);
}

/* A chunk of that kind of the process.  An area that was another's may still have that one's, emptied.  0: no room. */
static uint32_t only_chunk(uint32_t process, enum pm_chunk_kind kind, size_t bytes)
{
	uint32_t number = segment_find(kind, is_of, &process);
	return number ? number : segment_add(process, 0, bytes);
}

struct pm_survival *segment_survival(uint32_t process)
{
	uint32_t number = only_chunk(process, PM_CHUNK_SURVIVAL, sizeof(struct pm_survival));
	if (!number)
		return NULL;
	struct pm_survival *survival = segment_chunk(number);
	survival->sweep_room = PM_SWEEP_ROOM;
	survival->class_room = PM_TALLY_COUNT;
	segment_commit(number, PM_CHUNK_SURVIVAL);
	return survival;
}

struct pm_marks *segment_marks(uint32_t process)
{
	uint32_t number = only_chunk(process, PM_CHUNK_MARKS, sizeof(struct pm_marks));
	if (!number)
		return NULL;
	struct pm_marks *marks = segment_chunk(number);
	marks->mark_stride = sizeof marks->mark[0];
	marks->room = PM_MARK_ROOM;
	segment_commit(number, PM_CHUNK_MARKS);
	return marks;
}

struct pm_timeline *segment_timeline(uint32_t process)
{
	uint32_t number = segment_find(PM_CHUNK_TIMELINE, is_of, &process);
	if (!number && !segment_is_half_full())
		number = segment_add(process, 0, MEMORY_PAGE);
	if (!number)
		return NULL;
	struct pm_timeline *timeline = segment_chunk(number);
	if (!timeline->chunk.used_bytes)
		timeline->chunk.used_bytes = MEMORY_PAGE;
	timeline->moment_stride = sizeof timeline->open[0];
	timeline->room = PM_MOMENT_ROOM;
	segment_commit(number, PM_CHUNK_TIMELINE);
	return timeline;
}

bool segment_timeline_present(struct pm_timeline *timeline, size_t bytes)
{
	if (bytes > timeline->chunk.used_bytes) {
		if (!segment_present(timeline, bytes))
			return false;
		timeline->chunk.used_bytes = (uint32_t)(pages_of(bytes) * MEMORY_PAGE);
	}
	return true;
}
