/* SPDX-License-Identifier: MIT */
/*
 * segment_builder.h: synthetic segments and captures, for tests.
 *
 * A header and not a .c file: unit tests, fuzzers and the maker of golden captures all include it.
 * Needs format.h and zlib's crc32; knows nothing of the analyzer.
 */
#ifndef POOLMEM_TESTS_SEGMENT_BUILDER_H
#define POOLMEM_TESTS_SEGMENT_BUILDER_H

#include <poolmem/format.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* A row of bytes that grows. */
struct bytes {
	unsigned char *data;
	size_t count;
};

static inline void bytes_add(struct bytes *bytes, const void *data, size_t count)
{
	bytes->data = realloc(bytes->data, bytes->count + count + 1);
	if (!bytes->data)
		abort();
	if (count)
		memcpy(bytes->data + bytes->count, data, count);
	bytes->count += count;
}

static inline void bytes_zero(struct bytes *bytes, size_t count)
{
	static const unsigned char zero[4096];
	for (; count > sizeof zero; count -= sizeof zero)
		bytes_add(bytes, zero, sizeof zero);
	bytes_add(bytes, zero, count);
}

static inline void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){NULL, 0};
}

/* The file under construction.  Pointers into it are good until the next chunk is added. */
struct builder {
	struct bytes file;
	uint32_t leader;
	uint32_t class_count, chunk_bytes;
};

static inline struct pm_header *builder_header(struct builder *b)
{
	return (struct pm_header *)b->file.data;
}

static inline void *builder_chunk(struct builder *b, uint32_t number)
{
	return b->file.data + (size_t)number * b->chunk_bytes;
}

static inline uint32_t builder_add(struct builder *b, uint32_t kind, uint32_t process,
				   uint32_t sequence)
{
	uint32_t number = builder_header(b)->chunks++;
	bytes_zero(&b->file, b->chunk_bytes);
	struct pm_chunk *chunk = builder_chunk(b, number);
	chunk->process = process ? process : number;
	chunk->sequence = sequence;
	chunk->kind = kind;
	return number;
}

/* The same classes as the library has: 0, then every 16 bytes, then eight to a doubling. */
static inline struct pm_class builder_class(uint32_t index, uint32_t count)
{
	if (index + 2 == count)
		return (struct pm_class){.kind = PM_CLASS_LARGE};
	if (index + 1 == count)
		return (struct pm_class){.kind = PM_CLASS_LARGE_BYTES};
	uint32_t block = index ? index * 16 : 16;
	if (index > 64) {
		uint32_t step = index - 65;
		block = (1024u << step / 8) + ((step % 8 + 1) * 128u << step / 8);
	}
	return (struct pm_class){PM_CLASS_POOL, block, block <= 8192 ? 65536 : 262144,
				 index ? block : 0};
}

static inline struct pm_age builder_age(uint32_t index)
{
	static const struct pm_age ages[PM_AGE_COUNT] = {
		{0, 0, 0, 0},
		{0, 1, 1, 0},
		{0, 2, 3, 0},
		{0, 4, 9, 0},
		{1, 1, 3, 0},
		{1, 4, 7, 0},
		{1, 8, 15, 0},
		{1, 16, 31, 0},
		{1, 32, 99, 0},
		{2, 10, 63, 0},
		{2, 64, 127, 0},
		{2, 128, 255, 0},
		{2, 256, UINT32_MAX, 0},
	};
	return ages[index];
}

static inline void builder_tables(struct builder *b)
{
	struct pm_header *header = builder_header(b);

	for (uint32_t i = 0; i < header->classes.count; i++) {
		struct pm_class record = builder_class(i, header->classes.count);
		memcpy(b->file.data + header->classes.offset + i * header->classes.stride, &record,
		       sizeof record);
	}
	for (uint32_t i = 0; i < header->ages.count; i++) {
		struct pm_age record = builder_age(i);
		memcpy(b->file.data + header->ages.offset + i * header->ages.stride, &record,
		       sizeof record);
	}
}

/* is_small: chunks of 4 KiB and few classes, so that a fuzzer has little to chew on. */
static inline struct builder builder_begin(uint32_t pid, bool is_small)
{
	struct builder b = {.class_count = is_small ? 12 : 107,
			    .chunk_bytes = is_small ? 4096 : PM_CHUNK_BYTES};

	bytes_zero(&b.file, b.chunk_bytes);
	struct pm_header *header = builder_header(&b);
	memcpy(header->magic, PM_MAGIC, sizeof header->magic);
	header->endian = PM_ENDIAN;
	header->version = PM_FORMAT_VERSION;
	header->header_bytes = sizeof *header;
	header->chunk_bytes = b.chunk_bytes;
	header->id[0] = 0x1111222233334444;
	memcpy(header->boot_id, "synthetic boot.", 16);
	header->created_ns = UINT64_C(1700000000000000000) + pid;
	header->file_bytes = 64 << 20;
	header->page_bytes = 4096;
	header->unit_bytes = PM_UNIT_BYTES;
	header->arena_units = PM_ARENA_UNITS;
	header->slot_counters = PM_COUNTER_COUNT;
	header->tally_offset = __builtin_offsetof(struct pm_slot, tally);
	header->tally_stride = sizeof(struct pm_tally);
	header->map_arenas = is_small ? 2 : PM_MAP_ARENAS;
	header->classes = (struct pm_table){512, sizeof(struct pm_class), b.class_count};
	header->ages = (struct pm_table){512 + b.class_count * sizeof(struct pm_class),
					 sizeof(struct pm_age), PM_AGE_COUNT};
	header->chunks = 1;
	header->ready = PM_READY;
	builder_tables(&b);
	return b;
}

static inline struct pm_slot *builder_slot_at(struct builder *b, uint32_t number)
{
	return builder_chunk(b, number);
}

static inline uint32_t builder_slot(struct builder *b, uint32_t process, uint32_t sequence,
				    uint32_t use, uint32_t tid)
{
	uint32_t number = builder_add(b, PM_CHUNK_SLOT, process, sequence);
	struct pm_slot *slot = builder_slot_at(b, number);
	slot->use = use;
	slot->tid = tid;
	slot->holders = use == PM_SLOT_THREAD;
	return number;
}

/* The first slot of a process, with its record.  parent 0: the exec'ed one. */
static inline uint32_t builder_process(struct builder *b, uint32_t pid, uint32_t ppid,
				       uint32_t parent, uint32_t state)
{
	uint32_t number = builder_slot(b, 0, 0, PM_SLOT_THREAD, pid);
	struct pm_process *process = &builder_slot_at(b, number)->process;
	*process = (struct pm_process){
		.state = state,
		.pid = pid,
		.ppid = ppid,
		.uid = 1000,
		.parent = parent,
		.start_ticks = parent ? 0 : 4000 + pid,
		.began_ns = UINT64_C(5000000000) + pid,
		.ended_ns = state == PM_STATE_EXITED ? UINT64_C(6240000000) + pid : 0,
		.began_real_ns = builder_header(b)->created_ns + 1000,
		.epoch_length = 1000,
		.threshold = {1000, 10, 10},
	};
	if (!parent)
		builder_header(b)->leader = b->leader = number;
	return number;
}

static inline struct pm_process *builder_record(struct builder *b, uint32_t number)
{
	return &builder_slot_at(b, number)->process;
}

static inline struct pm_tally *builder_tally(struct builder *b, uint32_t number, uint32_t size_class)
{
	return (struct pm_tally *)((unsigned char *)builder_chunk(b, number) +
				   builder_header(b)->tally_offset) +
	       size_class;
}

/* allocated = limit - (left >> 8), with an odd and an even slow call behind it. */
static inline void builder_allocated(struct builder *b, uint32_t number, uint32_t size_class,
				     uint64_t allocated)
{
	struct pm_tally *tally = builder_tally(b, number, size_class);
	int side = size_class & 1;
	tally->limit[side] = (int64_t)(allocated + size_class % 7);
	tally->limit[!side] = (int64_t)(allocated / 2);
	tally->left = (int64_t)(size_class % 7) * PM_LEFT_STEP + side;
}

static inline void builder_freed(struct builder *b, uint32_t number, uint32_t size_class,
				 uint32_t age, uint64_t count)
{
	builder_tally(b, number, size_class)->freed[age] += count;
}

/*
 * One fact, in FACTS chunks of its process: added to the last one, or to a new one when that is
 * full.
 */
static inline void builder_fact(struct builder *b, uint32_t process, uint32_t tag,
				const void *payload, uint32_t byte_count)
{
	struct bytes record = {NULL, 0};
	struct pm_fact fact = {tag, byte_count};
	uint32_t last = 0, sequence = 0;

	bytes_add(&record, &fact, sizeof fact);
	bytes_add(&record, payload, byte_count);
	bytes_zero(&record, -record.count % 8);
	for (uint32_t n = 1; n < builder_header(b)->chunks; n++) {
		const struct pm_chunk *chunk = builder_chunk(b, n);
		if (chunk->kind == PM_CHUNK_FACTS && chunk->process == process) {
			last = n;
			sequence = chunk->sequence + 1;
		}
	}
	for (size_t at = 0; at < record.count;) {
		struct pm_chunk *chunk = last ? builder_chunk(b, last) : NULL;
		size_t room = chunk ? b->chunk_bytes - sizeof *chunk - chunk->used_bytes : 0;
		if (!room) {
			last = builder_add(b, PM_CHUNK_FACTS, process, sequence++);
			continue;
		}
		size_t part = record.count - at < room ? record.count - at : room;
		memcpy((unsigned char *)(chunk + 1) + chunk->used_bytes, record.data + at, part);
		chunk->used_bytes += (uint32_t)part;
		at += part;
	}
	bytes_free(&record);
}

static inline void builder_text_fact(struct builder *b, uint32_t process, uint32_t tag,
				     const char *text)
{
	builder_fact(b, process, tag, text, (uint32_t)strlen(text));
}

/* seed: of its build id. */
static inline void builder_module_of(struct builder *b, uint32_t process, const char *path,
				     uint64_t base, unsigned seed)
{
	unsigned char payload[512];
	struct pm_module module = {base, base, base + 0x20000, 20, (uint32_t)strlen(path)};

	memcpy(payload, &module, sizeof module);
	for (unsigned i = 0; i < 20; i++)
		payload[sizeof module + i] = (unsigned char)(i * 13 + seed);
	memcpy(payload + sizeof module + 20, path, strlen(path));
	builder_fact(b, process, PM_FACT_MODULE, payload,
		     (uint32_t)(sizeof module + 20 + strlen(path)));
}

static inline void builder_module(struct builder *b, uint32_t process, const char *path,
				  uint64_t base)
{
	builder_module_of(b, process, path, base, 7);
}

static inline struct pm_arena *builder_arena(struct builder *b, uint32_t map, uint32_t index,
					     uint64_t base, uint32_t mapped_units)
{
	struct pm_arena *arena = &((struct pm_map *)builder_chunk(b, map))->arena[index];
	arena->kind = PM_ARENA_POOLS;
	arena->base = base;
	arena->mapped_units = mapped_units;
	return arena;
}

static inline void builder_pool(struct pm_arena *arena, uint32_t unit, uint32_t owner,
				uint32_t size_class, uint32_t block_bytes, uint32_t live)
{
	arena->pool[unit] = (struct pm_pool){
		.owner = owner,
		.live = (uint16_t)live,
		.capacity = (uint16_t)(PM_UNIT_BYTES / block_bytes),
		.state = PM_POOL_LIVE,
		.size_class = (uint8_t)size_class,
		.touched_pages = (uint16_t)((live * block_bytes + 4095) / 4096),
		.pages = PM_UNIT_BYTES / 4096,
	};
}

/* An empty record of sweeps. */
static inline struct pm_survival *builder_survival(struct builder *b, uint32_t process)
{
	uint32_t number = builder_add(b, PM_CHUNK_SURVIVAL, process, 0);
	struct pm_survival *survival = builder_chunk(b, number);
	survival->class_room = b->class_count + 3;
	survival->sweep_room = 4;
	return survival;
}

static inline void builder_survivors(struct pm_survival *survival, unsigned table, uint64_t epoch,
				     uint32_t size_class, struct pm_survivors survivors)
{
	size_t bytes = __builtin_offsetof(struct pm_survivor_table, of) +
		       survival->class_room * sizeof survivors;
	unsigned char *at = (unsigned char *)survival->table + table * bytes;
	memcpy(at, &epoch, sizeof epoch);
	memcpy(at + __builtin_offsetof(struct pm_survivor_table, of) + size_class * sizeof survivors,
	       &survivors, sizeof survivors);
}

/* Blocks, or bytes, of a class that were frozen; there is room behind the sweeps of builder_survival(). */
static inline void builder_frozen(struct pm_survival *survival, uint32_t size_class,
				  struct pm_frozen frozen)
{
	size_t tables = 2 * (__builtin_offsetof(struct pm_survivor_table, of) +
			     survival->class_room * sizeof(struct pm_survivors));
	size_t offset = __builtin_offsetof(struct pm_survival, table) + tables +
			survival->class_room * 3 * sizeof(uint64_t) +
			survival->sweep_room * sizeof(struct pm_sweep);
	memcpy((unsigned char *)survival + offset + size_class * sizeof frozen, &frozen,
	       sizeof frozen);
}

/* No marks yet.  more_bytes: by which each mark is longer than this version's. */
static inline uint32_t builder_marks(struct builder *b, uint32_t process, uint32_t more_bytes)
{
	uint32_t number = builder_add(b, PM_CHUNK_MARKS, process, 0);
	struct pm_marks *marks = builder_chunk(b, number);
	marks->mark_stride = sizeof(struct pm_mark) + more_bytes;
	marks->room = (uint32_t)((b->chunk_bytes - __builtin_offsetof(struct pm_marks, mark)) /
				 marks->mark_stride);
	return number;
}

/* The next mark; beyond the room it is counted only. */
static inline void builder_mark(struct builder *b, uint32_t number, const char *name,
				struct pm_mark mark)
{
	struct pm_marks *marks = builder_chunk(b, number);
	uint32_t index = marks->made++;
	size_t length = strlen(name) < PM_MARK_NAME ? strlen(name) : PM_MARK_NAME;
	if (index >= marks->room)
		return;
	memcpy(mark.name, name, length);
	memcpy((unsigned char *)marks->mark + index * marks->mark_stride, &mark, sizeof mark);
}

/* A timeline without moments, each of which is longer by more_bytes than this version's. */
static inline uint32_t builder_timeline(struct builder *b, uint32_t process, uint32_t more_bytes)
{
	uint32_t number = builder_add(b, PM_CHUNK_TIMELINE, process, 0);
	struct pm_timeline *timeline = builder_chunk(b, number);
	size_t room = b->chunk_bytes - __builtin_offsetof(struct pm_timeline, open);
	timeline->moment_stride = sizeof(struct pm_moment) + more_bytes;
	timeline->room = (uint32_t)(room / timeline->moment_stride - 2) / 2;
	return number;
}

/* The next moment, the last one of which is the open one. */
static inline void builder_moment(struct builder *b, uint32_t number, struct pm_moment moment)
{
	struct pm_timeline *timeline = builder_chunk(b, number);
	unsigned char *open = (unsigned char *)timeline->open;
	size_t points = timeline->state & 0xffff;
	if (timeline->state) {
		memcpy(open + (2 + points) * timeline->moment_stride, open, sizeof moment);
		timeline->state++;
	}
	memcpy(open, &moment, sizeof moment);
	timeline->state += UINT64_C(1) << 32;
}

/* A chunk of frames, each longer by more_bytes than this version's. */
static inline uint32_t builder_frames(struct builder *b, uint32_t process, uint32_t more_bytes)
{
	uint32_t number = builder_add(b, PM_CHUNK_FRAMES, process, 0);
	struct pm_frames *frames = builder_chunk(b, number);
	frames->frame_stride = sizeof(struct pm_frame) + more_bytes;
	frames->frame_room = (uint32_t)((b->chunk_bytes -
					 __builtin_offsetof(struct pm_frames, frame)) /
					frames->frame_stride);
	return number;
}

static inline struct pm_frame *builder_frame_at(struct builder *b, uint32_t frame)
{
	struct pm_frames *frames = builder_chunk(b, frame / PM_FRAME_IDS);
	return (struct pm_frame *)((unsigned char *)frames->frame +
				   frame % PM_FRAME_IDS * frames->frame_stride);
}

/* Frame `index` of a chunk; returns its number. */
static inline uint32_t builder_frame(struct builder *b, uint32_t chunk, uint32_t index,
				     uint64_t address, uint32_t caller, uint32_t generation)
{
	uint32_t number = chunk * PM_FRAME_IDS + index;
	*builder_frame_at(b, number) = (struct pm_frame){address, caller, generation};
	return number;
}

/* Rows, each longer by more_bytes than this version's. */
static inline uint32_t builder_sites(struct builder *b, uint32_t process, uint32_t sequence,
				     uint32_t more_bytes)
{
	uint32_t number = builder_add(b, PM_CHUNK_SITES, process, sequence);
	struct pm_sites *sites = builder_chunk(b, number);
	sites->row_stride = sizeof(struct pm_site) + more_bytes;
	sites->row_room = (uint32_t)((b->chunk_bytes - __builtin_offsetof(struct pm_sites, row)) /
				     sites->row_stride);
	sites->chunk.used_bytes = __builtin_offsetof(struct pm_sites, row);
	return number;
}

/* The next row, to change as long as no chunk is added. */
static inline struct pm_site *builder_site(struct builder *b, uint32_t chunk, struct pm_site site)
{
	struct pm_sites *sites = builder_chunk(b, chunk);
	struct pm_site *row = (struct pm_site *)((unsigned char *)sites + sites->chunk.used_bytes);
	if (sites->chunk.used_bytes + sites->row_stride > b->chunk_bytes)
		abort();
	*row = site;
	sites->chunk.used_bytes += sites->row_stride;
	return row;
}

/* What the sweeps of builder_example() did: of its live blocks 20 are in generation 0, 203 in 1, 1,051 in 2. */
static inline void builder_example_swept(struct builder *b)
{
	struct pm_survival *survival = builder_survival(b, b->leader);
	uint32_t large = b->class_count - 2;
	builder_survivors(survival, 0, 10, 3, (struct pm_survivors){2000, 400, 90});
	builder_survivors(survival, 1, 11, 0, (struct pm_survivors){3, 0, 0});
	builder_survivors(survival, 1, 11, 3, (struct pm_survivors){2200, 500, 100});
	builder_survivors(survival, 1, 11, 4, (struct pm_survivors){650, 650, 0});
	builder_survivors(survival, 1, 11, large, (struct pm_survivors){1, 1, 1});
	builder_survivors(survival, 1, 11, large + 1,
			  (struct pm_survivors){1 << 20, 1 << 20, 1 << 20});
}

/* Three marks and frozen blocks in builder_example(), whose sweeps were recorded. */
static inline void builder_example_marked(struct builder *b)
{
	uint64_t began = builder_record(b, b->leader)->began_ns;
	uint32_t number = builder_marks(b, b->leader, 16);
	struct pm_survival *survival = NULL;

	builder_mark(b, number, "load",
		     (struct pm_mark){.at_ns = began + 100000000,
				      .epoch = 2,
				      .sweeps = {2},
				      .allocated = 2000,
				      .freed = {500},
				      .allocated_bytes = 120000,
				      .freed_bytes = {24000}});
	builder_mark(b, number, "serve <&>",
		     (struct pm_mark){.at_ns = began + 500000000,
				      .epoch = 6,
				      .sweeps = {6},
				      .allocated = 7000,
				      .freed = {4500, 100, 20, 0, 600},
				      .allocated_bytes = 1400000,
				      .freed_bytes = {1200000, 4800, 1280, 0, 28800}});
	builder_mark(b, number,
		     "a name that has no end, because it is longer than a mark has room for it",
		     (struct pm_mark){.at_ns = began + 1100000000,
				      .epoch = 10,
				      .sweeps = {9, 1},
				      .allocated = 11000,
				      .freed = {7900, 400, 50, 0, 1500},
				      .allocated_bytes = 4400000,
				      .freed_bytes = {3500000, 19200, 3200, 0, 72000}});
	for (uint32_t n = 1; n < builder_header(b)->chunks; n++)
		if (((struct pm_chunk *)builder_chunk(b, n))->kind == PM_CHUNK_SURVIVAL)
			survival = builder_chunk(b, n);
	if (!survival)
		return;
	survival->uncertain = 12;
	builder_frozen(survival, 4, (struct pm_frozen){200, 30});
}

static inline void builder_generation(struct builder *b, uint32_t process, uint32_t generation)
{
	builder_fact(b, process, PM_FACT_GENERATION, &generation, sizeof generation);
}

/*
 * Each block of builder_example() recorded (period 1): main of the example calls load, which calls parse; its second
 * thread frees what the first one allocated; a plugin was closed, and another is where it was.
 */
static inline void builder_example_sited(struct builder *b)
{
	const uint64_t exe = 0x555555554000, plugin = 0x7ffff6000000;
	uint32_t large = b->class_count - 2, second = b->leader + 1;
	uint32_t frames = builder_frames(b, b->leader, 8);
	uint32_t start = builder_frame(b, frames, 0, exe + 0x1010, 0, 0);
	uint32_t load = builder_frame(b, frames, 1, exe + 0x1200, start, 0);
	uint32_t parse = builder_frame(b, frames, 2, exe + 0x1344, load, 0);
	uint32_t other = builder_frame(b, frames, 3, exe + 0x1400, load, 0);
	uint32_t before = builder_frame(b, frames, 4, plugin + 0x500, start, 0);
	uint32_t after = builder_frame(b, frames, 5, plugin + 0x500, start, 2);
	uint32_t deep = builder_frame(b, frames, 6, exe + 0x1500, 0, 0);

	builder_module_of(b, b->leader, "/nonexistent/plugins/first.so", plugin, 8);
	builder_generation(b, b->leader, 2);
	builder_module_of(b, b->leader, "/nonexistent/plugins/second.so", plugin, 9);
	builder_record(b, b->leader)->site_period = 1;
	uint32_t rows = builder_sites(b, b->leader, 0, 16);
	builder_site(b, rows,
		     (struct pm_site){.frame = parse,
				      .slot = b->leader,
				      .size_class = 3,
				      .period = 1,
				      .allocated = 10120,
				      .allocated_bytes = 10120 * 48,
				      .requested = 10120 * 40,
				      .freed = 9500,
				      .freed_bytes = 9500 * 48,
				      .freed_requested = 9500 * 40,
				      .temporary = 7000,
				      .died = {8000, 0, 0, 0, 1500},
				      .peak_live = 2000,
				      .peak_bytes = 2000 * 48});
	builder_site(b, rows,
		     (struct pm_site){.frame = parse,
				      .slot = second,
				      .size_class = 3,
				      .period = 1,
				      .freed = 400,
				      .freed_bytes = 400 * 48,
				      .freed_requested = 400 * 40,
				      .remote = 400,
				      .died = {0, 400},
				      .peak_live = -300,
				      .peak_bytes = -300 * 48});
	builder_site(b, rows,
		     (struct pm_site){.frame = other,
				      .slot = b->leader,
				      .size_class = 4,
				      .stack_end = PM_STACK_LOST,
				      .period = 1,
				      .allocated = 700,
				      .allocated_bytes = 700 * 64,
				      .requested = 700 * 64,
				      .freed = 150,
				      .freed_bytes = 150 * 64,
				      .freed_requested = 150 * 64,
				      .moved = 17,
				      .died = {0, 0, 50, [12] = 100},
				      .peak_live = 600,
				      .peak_bytes = 600 * 64});
	builder_site(b, rows,
		     (struct pm_site){.frame = other,
				      .slot = second,
				      .size_class = 3,
				      .stack_end = PM_STACK_LOST,
				      .period = 1,
				      .allocated = 500,
				      .allocated_bytes = 500 * 48,
				      .requested = 500 * 33});
	builder_site(b, rows,
		     (struct pm_site){.frame = before,
				      .slot = b->leader,
				      .size_class = (uint16_t)large,
				      .large_log2 = 20,
				      .period = 1,
				      .allocated = 3,
				      .allocated_bytes = 3 << 20,
				      .requested = (3 << 20) - 300,
				      .freed = 3,
				      .freed_bytes = 3 << 20,
				      .freed_requested = (3 << 20) - 300,
				      .died = {3}});
	builder_site(b, rows,
		     (struct pm_site){.frame = after,
				      .slot = b->leader,
				      .size_class = (uint16_t)large,
				      .large_log2 = 19,
				      .period = 1,
				      .allocated = 1,
				      .allocated_bytes = 1 << 19,
				      .requested = 1 << 19,
				      .peak_live = 1,
				      .peak_bytes = 1 << 20});
	builder_site(b, rows,
		     (struct pm_site){.frame = after,
				      .size_class = (uint16_t)large,
				      .large_log2 = 19,
				      .period = 1,
				      .resized_bytes = 1 << 19,
				      .resized_requested = 1 << 19});
	builder_site(b, rows,
		     (struct pm_site){.frame = deep,
				      .slot = b->leader,
				      .size_class = 0,
				      .stack_end = PM_STACK_CUT,
				      .period = 1,
				      .allocated = 2,
				      .allocated_bytes = 32});
	builder_site(b, rows,
		     (struct pm_site){.slot = b->leader,
				      .size_class = 0,
				      .stack_end = PM_STACK_NONE,
				      .period = 1,
				      .allocated = 1,
				      .allocated_bytes = 16});
	builder_record(b, b->leader)->dropped_stacks = 1;
}

/* A whole small program: two threads, a few classes, arenas and facts. */
static inline struct builder builder_example(uint32_t pid, uint32_t state, bool is_small)
{
	struct builder b = builder_begin(pid, is_small);
	uint32_t large = b.class_count - 2;
	uint32_t leader = builder_process(&b, pid, pid - 1, 0, state);
	uint32_t second = builder_slot(&b, leader, 1, PM_SLOT_THREAD, pid + 1);

	builder_slot(&b, leader, 2, PM_SLOT_SHARED, 0);
	builder_allocated(&b, leader, 0, 3);
	builder_allocated(&b, leader, 3, 10120);
	builder_freed(&b, leader, 3, 0, 8000);
	builder_freed(&b, leader, 3, 4, 1500);
	builder_allocated(&b, leader, 4, 700);
	builder_freed(&b, leader, 4, 12, 100);
	builder_allocated(&b, second, 3, 500);
	builder_freed(&b, second, 3, 1, 400);
	builder_freed(&b, second, 4, 2, 50);
	builder_allocated(&b, leader, large, 4);
	builder_allocated(&b, leader, large + 1, 4 << 20);
	builder_freed(&b, leader, large, 0, 3);
	builder_freed(&b, leader, large + 1, 0, 3 << 20);
	builder_slot_at(&b, leader)->held = 1;
	builder_slot_at(&b, second)->holders = 3;
	builder_slot_at(&b, leader)->counter[PM_COUNTER_REALLOC] = 42;
	builder_slot_at(&b, leader)->counter[PM_COUNTER_REALLOC_MOVED] = 17;
	builder_slot_at(&b, second)->counter[PM_COUNTER_REMOTE_FREE] = 450;

	struct pm_process *record = builder_record(&b, leader);
	record->live_now_bytes = 1100000;
	record->live_peak_bytes = 2 << 20;
	record->peak_bound_bytes = 65536;
	record->committed_bytes = 4 << 20;
	record->committed_peak_bytes = 6 << 20;
	record->meta_bytes = 98304;
	record->clock = 11000;
	record->epoch = record->published_epoch = 11;
	record->published_ns = record->began_ns + 1200000000;
	record->sweeps[0] = 10;
	record->sweeps[1] = 1;

	uint32_t map = builder_add(&b, PM_CHUNK_MAP, leader, 0);
	struct pm_arena *arena = builder_arena(&b, map, 0, 0x7f0000000000, 8);
	builder_pool(arena, 0, leader, 3, 48, 600);
	builder_pool(arena, 1, second, 3, 48, 120);
	builder_pool(arena, 2, leader, 4, 64, 550);
	arena->pool[3] = (struct pm_pool){
		.state = PM_POOL_LARGE, .pages = 40, .size_class = (uint8_t)large};
	arena->free_units = 0xc0;
	arena->dirty_units = 0x40;
	struct pm_arena *huge = builder_arena(&b, map, 1, 0x7f0000400000, 0);
	huge->kind = PM_ARENA_HUGE;
	huge->pool[0] = (struct pm_pool){.state = PM_POOL_LARGE, .size_class = (uint8_t)large};
	huge->huge_bytes = 4 << 20;

	builder_text_fact(&b, leader, PM_FACT_EXE, "/usr/bin/example");
	builder_fact(&b, leader, PM_FACT_ARGV, "./example\0--fast\0input.txt", 27);
	builder_fact(&b, leader, PM_FACT_OPTIONS, "sites=off\0gen.threshold=1000:10:10", 35);
	builder_fact(&b, leader, PM_FACT_PARENTS, (const uint32_t[]){pid - 1, 1}, 8);
	builder_module(&b, leader, "/usr/bin/example", 0x555555554000);
	builder_module(&b, leader, "/usr/lib/x86_64-linux-gnu/libc.so.6", 0x7ffff7c00000);
	builder_add(&b, PM_CHUNK_SPARE, 0, 0);
	builder_add(&b, PM_CHUNK_EMPTY, 0, 0);
	return b;
}

static inline void builder_free(struct builder *b)
{
	bytes_free(&b->file);
}

static inline struct bytes capture_begin(void)
{
	struct bytes capture = {NULL, 0};
	struct pm_capture opening = {.endian = PM_ENDIAN, .version = PM_FORMAT_VERSION};

	memcpy(opening.magic, PM_CAPTURE_MAGIC, sizeof opening.magic);
	bytes_add(&capture, &opening, sizeof opening);
	return capture;
}

static inline void capture_section(struct bytes *capture, uint32_t kind, const void *payload,
				   size_t byte_count)
{
	struct pm_section section = {
		.magic = PM_SECTION_MAGIC,
		.kind = kind,
		.bytes = byte_count,
		.crc32 = (uint32_t)crc32(crc32(0, NULL, 0), payload, (uInt)byte_count),
	};
	bytes_add(capture, &section, sizeof section);
	bytes_add(capture, payload, byte_count);
	bytes_zero(capture, -byte_count % 8);
}

static inline void capture_segment(struct bytes *capture, const struct builder *b)
{
	capture_section(capture, PM_SECTION_SEGMENT, b->file.data, b->file.count);
}

static inline void capture_run(struct bytes *capture, const char *json)
{
	capture_section(capture, PM_SECTION_RUN, json, strlen(json));
}

static inline void capture_end(struct bytes *capture)
{
	capture_section(capture, PM_SECTION_END, "", 0);
}

/* Puts right the checksums of all sections that are whole. */
static inline void capture_fix_checksums(unsigned char *data, size_t byte_count)
{
	size_t at = sizeof(struct pm_capture);
	struct pm_section section;

	if (byte_count < at || memcmp(data, PM_CAPTURE_MAGIC, 8) != 0)
		return;
	while (byte_count - at >= sizeof section) {
		memcpy(&section, data + at, sizeof section);
		unsigned char *payload = data + at + sizeof section;
		size_t left = byte_count - at - sizeof section;
		if (section.magic != PM_SECTION_MAGIC || section.bytes > left)
			return;
		section.crc32 = (uint32_t)crc32(crc32(0, NULL, 0), payload, (uInt)section.bytes);
		memcpy(data + at, &section, sizeof section);
		size_t padding = -section.bytes % 8;
		left -= section.bytes;
		at += sizeof section + section.bytes + (padding < left ? padding : left);
	}
}

static inline bool bytes_write(const struct bytes *bytes, const char *path)
{
	FILE *file = fopen(path, "wb");
	bool written = file && fwrite(bytes->data, 1, bytes->count, file) == bytes->count;
	return file && fclose(file) == 0 && written;
}

#endif
