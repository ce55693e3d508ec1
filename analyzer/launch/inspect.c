/* SPDX-License-Identifier: MIT */
/* inspect.c: see inspect.h. */
#define _GNU_SOURCE
#include "launch/inspect.h"

#include "model/survey.h"
#include "text/allocate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	STAMPS = 256,
	BLOCKS_MAX = 4096, /* of a pool */
	ARENAS_MAX = 1 << 18,
	RECORD_MAX = 4096, /* bytes of any of the library's records */
	RECORD_ROOM = RECORD_MAX + 8,
	PLACES_MAX = 1 << 27, /* of recorded blocks, in all tables */
	SITES_BYTES_MAX = 1 << 26,
	OWN_MAX = 4096,
	RECORDS_AT_ONCE = 512,
	TRIES = 5,
	DRIFT_SHARE = 200, /* one part in so many is held still enough */
};

/* What is known of a block by its address. */
struct remembered {
	uint64_t address, requested;
	uint32_t row;
	uint8_t stamp;
	bool is_frozen;
};

struct target {
	pid_t pid;
	const struct process *process;
	const uint64_t *in; /* by enum pm_inside */
	uint32_t page_bytes, arena_pages, arena_units;
	uint64_t unit_bytes;
	int pagemap;
	uint8_t generation[STAMPS];
	unsigned char **site_blocks; /* by number; NULL: not read yet */
	struct remembered *known;    /* by address */
	size_t known_count, known_room;
	uint32_t *owners;
	uint64_t owner_count;
	char *stream;
	size_t bytes, room;
	uint64_t rss; /* bytes, before it is looked at: no more is believed than memory of that size can hold */
	bool is_false; /* it holds more */
};

static bool peek(const struct target *target, uint64_t address, void *to, size_t bytes)
{
	struct iovec local = {to, bytes}, remote = {(void *)(uintptr_t)address, bytes};

	return !bytes || process_vm_readv(target->pid, &local, 1, &remote, 1, 0) == (ssize_t)bytes;
}

static uint64_t word(const struct target *target, enum pm_inside which)
{
	return target->in[which];
}

/* A field of a record that was copied. */
static uint64_t field(const unsigned char *record, uint64_t offset, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, record + offset, bytes);
	return value;
}

/* --- the stream -------------------------------------------------------------------------------------------- */

static void put(struct target *target, const void *data, size_t bytes)
{
	enum { ROOM_FOR_ALL = 16 << 20 };

	target->is_false = target->is_false || target->bytes + bytes > target->rss + ROOM_FOR_ALL;
	if (target->is_false)
		return;
	if (target->bytes + bytes > target->room) {
		size_t room = 2 * (target->bytes + bytes) + 65536;
		char *more = allocate(room, 1);
		if (target->bytes)
			memcpy(more, target->stream, target->bytes);
		free(target->stream);
		target->stream = more;
		target->room = room;
	}
	if (bytes)
		memcpy(target->stream + target->bytes, data, bytes);
	target->bytes += bytes;
}

static void put_fact(struct target *target, enum pm_survey_tag tag, const void *payload,
		     size_t bytes, const void *more, size_t more_bytes)
{
	static const char zeros[8];
	struct pm_fact fact = {tag, (uint32_t)(bytes + more_bytes)};

	put(target, &fact, sizeof fact);
	put(target, payload, bytes);
	put(target, more, more_bytes);
	put(target, zeros, -(bytes + more_bytes) % 8);
}

/* --- /proc ------------------------------------------------------------------------------------------------- */

static int open_proc(const struct target *target, const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)target->pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* All of it is kept; who reads the survey knows which lines to take. */
static bool put_smaps(struct target *target)
{
	char text[65536];
	int fd = open_proc(target, "smaps");
	ssize_t bytes = 0;

	while (fd >= 0 && (bytes = read(fd, text, sizeof text)) > 0)
		put_fact(target, PM_SURVEY_SMAPS, text, (size_t)bytes, NULL, 0);
	if (fd >= 0)
		close(fd);
	return fd >= 0 && bytes == 0;
}

static uint64_t rss_of(const struct target *target)
{
	char text[128] = "";
	int fd = open_proc(target, "statm");
	uint64_t pages = 0;

	if (fd >= 0 && read(fd, text, sizeof text - 1) > 0)
		sscanf(text, "%*u %" SCNu64, &pages);
	if (fd >= 0)
		close(fd);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* PAGEMAP_SCAN of linux/fs.h, since 6.7. */
struct scan {
	uint64_t size, flags, start, end, walk_end, regions, region_count, page_max;
	uint64_t inverted, all_of, any_of, returned;
};

struct scanned {
	uint64_t start, end, categories;
};

/* Pages that were only read, and never written to: the kernel's page of zeros.  false: the kernel does not say. */
static bool find_zeros(const struct target *target, uint64_t address, size_t count,
		       uint64_t *ret_zeros)
{
	enum { SCAN_ZERO = 1 << 5, SCANNED_MAX = 64 };
	struct scanned regions[SCANNED_MAX];
	uint64_t page = target->page_bytes;
	struct scan scan = {.size = sizeof scan,
			    .end = address + count * page,
			    .walk_end = address,
			    .regions = (uintptr_t)regions,
			    .region_count = SCANNED_MAX,
			    .all_of = SCAN_ZERO,
			    .returned = SCAN_ZERO};

	while (scan.walk_end < scan.end) {
		scan.start = scan.walk_end;
		int found = ioctl(target->pagemap, _IOWR('f', 16, struct scan), &scan);
		if (found < 0 || scan.walk_end <= scan.start)
			return false;
		for (int i = 0; i < found; i++)
			for (uint64_t at = regions[i].start; at < regions[i].end; at += page) {
				uint64_t bit = (at - address) / page;
				ret_zeros[bit / 64] |= UINT64_C(1) << bit % 64;
			}
	}
	return true;
}

/*
 * Without the kernel's word: it is nobody's alone and no file's.  So is what is shared with a forked child or with who
 * forked the process; then it is not told apart, and counts.
 */
static bool is_resident(const struct target *target, uint64_t entry, bool knows_zeros)
{
	const uint64_t present = UINT64_C(1) << 63, file = UINT64_C(1) << 61,
		       alone = UINT64_C(1) << 56;
	const struct pm_process *record = &target->process->record;
	bool is_shared = record->parent || record->children || record->children_unseen;

	return entry & present && (knows_zeros || is_shared || entry & (file | alone));
}

/* A bit for each page from an address on. */
static void look_at_pages(const struct target *target, uint64_t address, size_t count,
			  uint64_t *ret_resident)
{
	enum { AT_ONCE = 1024 };
	uint64_t entries[AT_ONCE];

	uint64_t *zeros = allocate((count + 63) / 64 + 1, sizeof *zeros);
	bool knows_zeros = find_zeros(target, address, count, zeros);
	memset(ret_resident, 0, (count + 63) / 64 * sizeof *ret_resident);
	for (size_t at = 0; at < count; at += AT_ONCE) {
		size_t part = count - at < AT_ONCE ? count - at : AT_ONCE;
		ssize_t bytes = pread(target->pagemap, entries, part * sizeof *entries,
				      (off_t)((address / target->page_bytes + at) * sizeof *entries));
		for (size_t i = 0; i < part && (ssize_t)((i + 1) * sizeof *entries) <= bytes; i++)
			if (is_resident(target, entries[i], knows_zeros))
				ret_resident[(at + i) / 64] |= UINT64_C(1) << (at + i) % 64;
	}
	for (size_t i = 0; i < (count + 63) / 64; i++)
		ret_resident[i] &= ~zeros[i];
	free(zeros);
}

static uint64_t resident_bytes(const struct target *target, uint64_t address, uint64_t bytes)
{
	size_t count = bytes / target->page_bytes;
	uint64_t *resident = allocate((count + 63) / 64 + 1, sizeof *resident);
	uint64_t pages = 0;

	look_at_pages(target, address, count, resident);
	for (size_t i = 0; i < (count + 63) / 64; i++)
		pages += (uint64_t)__builtin_popcountll(resident[i]);
	free(resident);
	return pages * target->page_bytes;
}

/* --- the library's own memory ------------------------------------------------------------------------------ */

static void put_range(struct target *target, uint64_t first, uint64_t bytes, uint32_t use)
{
	enum { RANGE_MAX = 1 << 30 };
	uint64_t page = target->page_bytes, begin = first / page * page;
	uint64_t end = (first + bytes + page - 1) / page * page;
	struct pm_survey_range range = {.first = begin, .bytes = end - begin, .use = use};

	if (end < begin || end - begin > RANGE_MAX)
		return;
	range.resident_bytes = resident_bytes(target, range.first, range.bytes);
	put_fact(target, PM_SURVEY_RANGE, &range, sizeof range, NULL, 0);
}

static void put_own(struct target *target)
{
	enum { ADDRESS_OF = 0, BYTES_OF = 8, USE_OF = 16 };
	uint64_t stride = word(target, PM_INSIDE_OWN_BYTES);
	uint64_t most = word(target, PM_INSIDE_OWN_MAX);
	unsigned char own[RECORD_ROOM];
	uint32_t count = 0;

	peek(target, word(target, PM_INSIDE_OWN_COUNT_AT), &count, sizeof count);
	for (uint32_t i = 0; i < count && i < most; i++)
		if (peek(target, word(target, PM_INSIDE_OWN_AT) + i * stride, own, stride) &&
		    field(own, ADDRESS_OF, 8))
			put_range(target, field(own, ADDRESS_OF, 8), field(own, BYTES_OF, 8),
				  (uint32_t)field(own, USE_OF, 4));
}

static void put_ranges(struct target *target)
{
	uint64_t segment = 0, first = word(target, PM_INSIDE_IMAGE_FIRST);
	uint32_t chunks = 0;

	put_own(target);
	if (peek(target, word(target, PM_INSIDE_SEGMENT_AT), &segment, sizeof segment) &&
	    peek(target, word(target, PM_INSIDE_SEGMENT_CHUNKS_AT), &chunks, sizeof chunks) &&
	    segment)
		put_range(target, segment, (uint64_t)chunks * PM_CHUNK_BYTES, PM_RANGE_TELEMETRY);
	put_range(target, first, word(target, PM_INSIDE_IMAGE_LAST) - first, PM_RANGE_TELEMETRY);
}

/* --- recorded blocks --------------------------------------------------------------------------------------- */

static void read_generations(struct target *target)
{
	int64_t offset[STAMPS] = {0};
	const struct layout *layout = target->process->layout;

	peek(target, word(target, PM_INSIDE_AGES_AT), offset, sizeof offset);
	for (unsigned stamp = 0; stamp < STAMPS; stamp++) {
		uint64_t bucket = (uint64_t)offset[stamp] / sizeof(uint64_t);
		uint32_t generation = offset[stamp] >= 0 && bucket < layout->age_count
					      ? layout->ages[bucket].generation
					      : 0;
		target->generation[stamp] = (uint8_t)(generation < 3 ? generation : 2);
	}
}

/* Index of the site of a row, and the number of its frame; 0: not known. */
static uint32_t frame_of(struct target *target, uint32_t row)
{
	uint64_t block_sites = word(target, PM_INSIDE_SITE_BLOCK);
	uint64_t site = (row - 1) % word(target, PM_INSIDE_SITES), bytes;
	unsigned char **block = &target->site_blocks[site / block_sites];

	bytes = word(target, PM_INSIDE_SITE_BYTES);
	if (!*block) {
		uint64_t address = 0;
		*block = allocate(block_sites + 1, bytes + 8);
		if (peek(target, word(target, PM_INSIDE_SITES_AT) + site / block_sites * 8,
			 &address, sizeof address))
			peek(target, address, *block, block_sites * bytes);
	}
	return (uint32_t)field(*block + site % block_sites * bytes,
			       word(target, PM_INSIDE_SITE_FRAME_OF), 4);
}

static int by_address(const void *left, const void *right)
{
	const struct remembered *a = left, *b = right;
	return (a->address > b->address) - (a->address < b->address);
}

static void read_known(struct target *target, uint64_t address, const unsigned char *record)
{
	enum { BLOCK_MIN = 16 };

	target->is_false = target->is_false || target->known_count > target->rss / BLOCK_MIN;
	if (target->is_false)
		return;
	target->known = allocate_more(target->known, target->known_count, &target->known_room,
				      sizeof *target->known);
	target->known[target->known_count++] = (struct remembered){
		.address = address,
		.requested = field(record, word(target, PM_INSIDE_RECORDED_REQUESTED_OF), 8),
		.row = (uint32_t)field(record, word(target, PM_INSIDE_RECORDED_ROW_OF), 4),
		.stamp = (uint8_t)field(record, word(target, PM_INSIDE_RECORDED_STAMP_OF), 1),
		.is_frozen = field(record, word(target, PM_INSIDE_RECORDED_FROZEN_OF), 1),
	};
}

/* false: it cannot be read. */
static bool read_records(struct target *target, uint64_t records, const uint64_t *addresses,
			 unsigned char *room)
{
	uint64_t bytes = word(target, PM_INSIDE_RECORDED_BYTES);
	bool is_there = false;

	for (unsigned i = 0; i < RECORDS_AT_ONCE && !is_there; i++)
		is_there = addresses[i] > 1;
	if (is_there && !peek(target, records, room, RECORDS_AT_ONCE * bytes))
		return false;
	for (unsigned i = 0; i < RECORDS_AT_ONCE && is_there; i++)
		if (addresses[i] > 1)
			read_known(target, addresses[i], room + i * bytes);
	return true;
}

static void read_table(struct target *target, uint64_t table, uint64_t places)
{
	uint64_t addresses[RECORDS_AT_ONCE], bytes = word(target, PM_INSIDE_RECORDED_BYTES);
	unsigned char *room = allocate(RECORDS_AT_ONCE + 1, bytes + 8);

	for (uint64_t at = 0; at < places && !target->is_false; at += RECORDS_AT_ONCE)
		if (!peek(target, table + at * 8, addresses, sizeof addresses) ||
		    !read_records(target, table + places * 8 + at * bytes, addresses, room))
			break;
	free(room);
}

static void read_tables(struct target *target)
{
	for (uint64_t t = 0; t < word(target, PM_INSIDE_TABLES); t++) {
		uint64_t table = 0;
		if (!peek(target, word(target, PM_INSIDE_TABLES_AT) + t * 8, &table, sizeof table) ||
		    !table)
			break;
		read_table(target, table,
			   word(target, PM_INSIDE_TABLE_PLACES)
				   << t * word(target, PM_INSIDE_TABLE_SHIFT));
	}
	if (target->known_count)
		qsort(target->known, target->known_count, sizeof *target->known, by_address);
}

/* --- pools ------------------------------------------------------------------------------------------------- */

/* A pool while its blocks are gone through. */
struct pool_in_hand {
	struct pm_survey_pool out;
	unsigned char stamps[BLOCKS_MAX];
	unsigned char *beside; /* NULL: none */
	uint32_t beside_count;
	uint32_t states[BLOCKS_MAX / 16], frames[BLOCKS_MAX];
	uint16_t which[BLOCKS_MAX];
	uint32_t live_count;
};

/* beside: of the pool, then by address. */
static bool find_known(struct target *target, const struct pool_in_hand *pool, uint32_t index,
		       struct remembered *ret)
{
	uint64_t bytes = word(target, PM_INSIDE_BESIDE_BYTES);
	uint64_t bits = word(target, PM_INSIDE_BESIDE_ROW_BITS);
	struct remembered wanted = {.address = pool->out.start + index * pool->out.block_bytes};

	if (index < pool->beside_count) {
		const unsigned char *entry = pool->beside + index * bytes;
		uint64_t word_0 = field(entry, 0, 4);
		wanted.row = (uint32_t)(word_0 & ((UINT64_C(1) << bits) - 1));
		wanted.is_frozen = word_0 >> bits & 1;
		wanted.requested = field(entry, word(target, PM_INSIDE_BESIDE_REQUESTED_OF), 2);
		wanted.stamp = (uint8_t)field(entry, word(target, PM_INSIDE_BESIDE_STAMP_OF), 1);
		*ret = wanted;
		if (wanted.row)
			return true;
	}
	const struct remembered *found = target->known_count
						 ? bsearch(&wanted, target->known,
							   target->known_count,
							   sizeof *target->known, by_address)
						 : NULL;
	if (found)
		*ret = *found;
	return found;
}

static uint16_t index_of_frame(struct pool_in_hand *pool, uint32_t frame)
{
	uint32_t i = pool->out.frame_count;

	while (i && pool->frames[i - 1] != frame)
		i--;
	if (!i) {
		pool->frames[pool->out.frame_count] = frame;
		i = ++pool->out.frame_count;
	}
	return (uint16_t)i;
}

static void look_at_block(struct target *target, struct pool_in_hand *pool, uint32_t index)
{
	uint8_t stamp = pool->stamps[index];
	uint32_t generation = target->generation[stamp];
	struct remembered known;

	if (!stamp)
		return;
	pool->which[pool->live_count] = 0;
	if (stamp == word(target, PM_INSIDE_STAMP_SPECIAL)) {
		bool is_known = find_known(target, pool, index, &known);
		generation = is_known && !known.is_frozen ? target->generation[known.stamp] : 2;
		if (is_known && known.row) {
			pool->out.recorded++;
			pool->out.recorded_requested += known.requested;
			pool->which[pool->live_count] = index_of_frame(pool,
								       frame_of(target, known.row));
		}
	}
	pool->states[index / 16] |= (generation + 1) << index % 16 * 2;
	pool->out.live[generation]++;
	pool->live_count++;
}

static void put_blocks(struct target *target, struct pool_in_hand *pool)
{
	struct pm_survey_pool *out = &pool->out;
	char more[sizeof pool->states + sizeof pool->frames + sizeof pool->which];
	size_t bytes = 0;

	out->has_states = out->state != PM_SURVEY_KEPT && pool->live_count < out->capacity;
	size_t states = out->has_states ? (out->capacity + 15) / 16 * sizeof *pool->states : 0;
	size_t frames = out->frame_count * sizeof *pool->frames;
	size_t which = out->frame_count ? pool->live_count * sizeof *pool->which : 0;
	memcpy(more, pool->states, states);
	bytes += states;
	memcpy(more + bytes, pool->frames, frames);
	bytes += frames;
	memcpy(more + bytes, pool->which, which);
	bytes += which;
	put_fact(target, PM_SURVEY_POOL, out, sizeof *out, more, bytes);
}

/* Where the last publication had a pool, it says whose; by unit from the first arena on. */
static void read_owners(struct target *target, uint32_t arenas)
{
	const struct process *process = target->process;
	uint64_t units = (uint64_t)arenas * target->arena_units;

	target->owners = allocate(units + 1, sizeof *target->owners);
	target->owner_count = units;
	for (size_t i = 0; i < process->pool_count; i++) {
		const struct pool *pool = &process->pools[i];
		uint64_t at = (process->arenas[pool->arena].base - word(target, PM_INSIDE_BASE)) /
				      target->unit_bytes +
			      pool->unit;
		if (at < units)
			target->owners[at] = pool->owner;
	}
}

static uint32_t owner_of(const struct target *target, uint64_t address)
{
	uint64_t at = (address - word(target, PM_INSIDE_BASE)) / target->unit_bytes;
	return at < target->owner_count ? target->owners[at] : 0;
}

static void read_beside(struct target *target, const unsigned char *arena, unsigned unit,
			struct pool_in_hand *pool)
{
	uint64_t bytes = word(target, PM_INSIDE_BESIDE_BYTES);
	uint64_t at = field(arena, word(target, PM_INSIDE_ARENA_BESIDE_OF) + unit * 8, 8);
	uint32_t room = 0;

	if (!at || !peek(target, at, &room, sizeof room))
		return;
	room = room < pool->out.capacity ? room : pool->out.capacity;
	pool->beside = allocate(room + 1, bytes + 8);
	if (peek(target, at + word(target, PM_INSIDE_BESIDE_ENTRY_OF), pool->beside, room * bytes))
		pool->beside_count = room;
}

static void put_pool(struct target *target, const unsigned char *arena, uint64_t base,
		     unsigned unit, uint64_t address, const unsigned char *record)
{
	uint64_t state = field(record, word(target, PM_INSIDE_POOL_STATE_OF), 1);
	bool is_huge = field(arena, word(target, PM_INSIDE_ARENA_KIND_OF), 4) ==
		       word(target, PM_INSIDE_KIND_HUGE);
	uint64_t threaded = field(record, word(target, PM_INSIDE_POOL_THREADED_OF), 4);
	uint64_t capacity = field(record, word(target, PM_INSIDE_POOL_CAPACITY_OF), 8);
	struct pool_in_hand *pool = allocate(1, sizeof *pool);

	pool->out = (struct pm_survey_pool){
		.first = base + unit * target->unit_bytes,
		.bytes = is_huge ? field(arena, word(target, PM_INSIDE_ARENA_HUGE_BYTES_OF), 8)
				 : field(record, word(target, PM_INSIDE_POOL_UNITS_OF), 2) *
					   target->unit_bytes,
		.start = field(record, word(target, PM_INSIDE_POOL_START_OF), 8),
		.block_bytes = field(record, word(target, PM_INSIDE_POOL_BLOCK_BYTES_OF), 8),
		.capacity = (uint32_t)(capacity < BLOCKS_MAX ? capacity : BLOCKS_MAX),
		.owner = owner_of(target, base + unit * target->unit_bytes),
		.size_class = (uint8_t)field(record, word(target, PM_INSIDE_POOL_CLASS_OF), 1),
		.state = state == word(target, PM_INSIDE_STATE_LARGE)  ? PM_SURVEY_LARGE
			 : state == word(target, PM_INSIDE_STATE_KEPT) ? PM_SURVEY_KEPT
								       : PM_SURVEY_BLOCKS,
	};
	threaded = threaded < pool->out.capacity ? threaded : pool->out.capacity;
	if (pool->out.state != PM_SURVEY_KEPT &&
	    peek(target, address + word(target, PM_INSIDE_POOL_BYTES), pool->stamps, threaded)) {
		read_beside(target, arena, unit, pool);
		for (uint32_t i = 0; i < threaded; i++)
			look_at_block(target, pool, i);
	}
	put_blocks(target, pool);
	free(pool->beside);
	free(pool);
}

static void put_pools(struct target *target, const unsigned char *arena, uint64_t base)
{
	uint64_t records = field(arena, word(target, PM_INSIDE_ARENA_RECORDS_OF), 8);
	unsigned char record[RECORD_ROOM];

	for (unsigned unit = 0; unit < target->arena_units && !target->is_false; unit++) {
		uint64_t line = field(arena, word(target, PM_INSIDE_ARENA_RECORD_AT_OF) + unit * 2,
				      2);
		uint64_t address = records + line * word(target, PM_INSIDE_RECORD_LINE);
		if (!line || !peek(target, address, record, word(target, PM_INSIDE_POOL_BYTES)))
			continue;
		/* One that was there before lies inside another pool now, or its units are free. */
		if (field(record, word(target, PM_INSIDE_POOL_STATE_OF), 1) !=
			    word(target, PM_INSIDE_STATE_UNUSED) &&
		    field(record, word(target, PM_INSIDE_POOL_FIRST_UNIT_OF), 1) == unit)
			put_pool(target, arena, base, unit, address, record);
	}
}

/* --- arenas ------------------------------------------------------------------------------------------------ */

/* free_units: those that were free before its pools were gone through, or after. */
static void put_arena(struct target *target, const unsigned char *arena, uint64_t base,
		      uint64_t free_units, bool is_huge)
{
	size_t words = (target->arena_pages + 63) / 64;
	uint64_t *resident = allocate(words, sizeof *resident);
	uint64_t records = field(arena, word(target, PM_INSIDE_ARENA_RECORDS_OF), 8);
	struct pm_survey_arena out = {
		.base = base,
		.free_units = is_huge ? 0 : free_units,
		.meta = records,
		.meta_bytes = records ? word(target, PM_INSIDE_RECORDS_BYTES) : 0,
		.kind = is_huge ? PM_ARENA_HUGE : PM_ARENA_POOLS,
		.mapped_units = is_huge ? target->arena_units
					: (uint32_t)field(
						  arena, word(target, PM_INSIDE_ARENA_MAPPED_OF), 4),
	};

	out.meta_resident = resident_bytes(target, out.meta, out.meta_bytes);
	look_at_pages(target, base, target->arena_pages, resident);
	put_fact(target, PM_SURVEY_ARENA, &out, sizeof out, resident, words * sizeof *resident);
	free(resident);
}

/* In the copy, or by now. */
static uint64_t free_units(const struct target *target, const unsigned char *arena, uint64_t address)
{
	uint64_t offset = word(target, PM_INSIDE_ARENA_FREE_OF), now = 0;

	peek(target, address + offset, &now, sizeof now);
	return field(arena, offset, sizeof now) | now;
}

static bool put_arena_of(struct target *target, uint64_t number, uint64_t block)
{
	uint64_t stride = word(target, PM_INSIDE_ARENA_BYTES);
	unsigned char arena[RECORD_ROOM];
	uint64_t base = word(target, PM_INSIDE_BASE) +
			number * target->arena_units * target->unit_bytes;

	uint64_t address = block + number % word(target, PM_INSIDE_ARENA_BLOCK) * stride;

	if (!peek(target, address, arena, stride))
		return false;
	uint64_t kind = field(arena, word(target, PM_INSIDE_ARENA_KIND_OF), 4);
	bool is_pools = kind == word(target, PM_INSIDE_KIND_POOLS);
	bool is_huge = kind == word(target, PM_INSIDE_KIND_HUGE);
	if (is_pools || is_huge)
		put_pools(target, arena, base);
	if (is_pools || is_huge || kind == word(target, PM_INSIDE_KIND_HUGE_TAIL))
		put_arena(target, arena, base, free_units(target, arena, address), !is_pools);
	return true;
}

static bool put_arenas(struct target *target)
{
	uint64_t per_block = word(target, PM_INSIDE_ARENA_BLOCK), block = 0;
	uint32_t count = 0;

	if (!peek(target, word(target, PM_INSIDE_ARENAS_AT), &count, sizeof count) ||
	    count > ARENAS_MAX)
		return false;
	read_owners(target, count);
	for (uint64_t i = 0; i < count && !target->is_false; i++) {
		if (i % per_block == 0 &&
		    !peek(target, word(target, PM_INSIDE_ARENA_BLOCKS_AT) + i / per_block * 8,
			  &block, sizeof block))
			return false;
		if (!put_arena_of(target, i, block))
			return false;
	}
	return true;
}

/* --- all --------------------------------------------------------------------------------------------------- */

/* What a file says of lengths is believed as far as our buffers go. */
static bool is_sane(const uint64_t *in, uint32_t arena_units)
{
	static const enum pm_inside lengths[] = {PM_INSIDE_ARENA_BYTES, PM_INSIDE_POOL_BYTES,
						 PM_INSIDE_OWN_BYTES, PM_INSIDE_RECORDED_BYTES};
	static const struct {
		enum pm_inside offset, length;
	} inside[] = {
		{PM_INSIDE_ARENA_FREE_OF, PM_INSIDE_ARENA_BYTES},
		{PM_INSIDE_ARENA_MAPPED_OF, PM_INSIDE_ARENA_BYTES},
		{PM_INSIDE_ARENA_KIND_OF, PM_INSIDE_ARENA_BYTES},
		{PM_INSIDE_ARENA_HUGE_BYTES_OF, PM_INSIDE_ARENA_BYTES},
		{PM_INSIDE_ARENA_RECORDS_OF, PM_INSIDE_ARENA_BYTES},
		{PM_INSIDE_POOL_START_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_CAPACITY_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_THREADED_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_BLOCK_BYTES_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_UNITS_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_FIRST_UNIT_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_CLASS_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_POOL_STATE_OF, PM_INSIDE_POOL_BYTES},
		{PM_INSIDE_RECORDED_REQUESTED_OF, PM_INSIDE_RECORDED_BYTES},
		{PM_INSIDE_RECORDED_ROW_OF, PM_INSIDE_RECORDED_BYTES},
		{PM_INSIDE_RECORDED_STAMP_OF, PM_INSIDE_RECORDED_BYTES},
		{PM_INSIDE_RECORDED_FROZEN_OF, PM_INSIDE_RECORDED_BYTES},
		{PM_INSIDE_BESIDE_REQUESTED_OF, PM_INSIDE_BESIDE_BYTES},
		{PM_INSIDE_BESIDE_STAMP_OF, PM_INSIDE_BESIDE_BYTES},
		{PM_INSIDE_SITE_FRAME_OF, PM_INSIDE_SITE_BYTES},
	};

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		if (in[lengths[i]] < 24 || in[lengths[i]] > RECORD_MAX)
			return false;
	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
		if (in[inside[i].offset] >= in[inside[i].length])
			return false;
	uint64_t places = 0, site_bytes = in[PM_INSIDE_SITE_BYTES] + 8;
	if (in[PM_INSIDE_TABLES] > 16 || in[PM_INSIDE_TABLE_SHIFT] > 4 ||
	    in[PM_INSIDE_TABLE_PLACES] > 1 << 20)
		return false;
	for (uint64_t t = 0; t < in[PM_INSIDE_TABLES] && t * in[PM_INSIDE_TABLE_SHIFT] <= 32; t++)
		places += in[PM_INSIDE_TABLE_PLACES] << t * in[PM_INSIDE_TABLE_SHIFT];
	if (places > PLACES_MAX)
		return false;
	return in[PM_INSIDE_ARENA_BYTES] >= 8ULL * arena_units &&
	       in[PM_INSIDE_ARENA_RECORD_AT_OF] <= in[PM_INSIDE_ARENA_BYTES] - 2ULL * arena_units &&
	       in[PM_INSIDE_ARENA_BESIDE_OF] <= in[PM_INSIDE_ARENA_BYTES] - 8ULL * arena_units &&
	       in[PM_INSIDE_ARENA_BLOCK] && in[PM_INSIDE_ARENA_BLOCK] <= ARENAS_MAX &&
	       in[PM_INSIDE_BESIDE_BYTES] <= RECORD_MAX && in[PM_INSIDE_BESIDE_ROW_BITS] < 32 &&
	       in[PM_INSIDE_SITES] && in[PM_INSIDE_SITES] <= 1 << 20 && in[PM_INSIDE_SITE_BLOCK] &&
	       in[PM_INSIDE_SITE_BLOCK] <= in[PM_INSIDE_SITES] &&
	       in[PM_INSIDE_SITE_BYTES] <= RECORD_MAX &&
	       in[PM_INSIDE_SITES] * site_bytes <= SITES_BYTES_MAX &&
	       in[PM_INSIDE_TABLE_PLACES] >= 512 && in[PM_INSIDE_TABLE_PLACES] % 512 == 0 &&
	       in[PM_INSIDE_OWN_MAX] <= OWN_MAX && in[PM_INSIDE_RECORDS_BYTES] <= 1 << 24;
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void forget(struct target *target)
{
	uint64_t blocks = word(target, PM_INSIDE_SITES) / word(target, PM_INSIDE_SITE_BLOCK) + 1;

	for (uint64_t i = 0; target->site_blocks && i < blocks; i++)
		free(target->site_blocks[i]);
	free(target->site_blocks);
	free(target->known);
	free(target->owners);
	free(target->stream);
	target->site_blocks = NULL;
	target->known = NULL;
	target->owners = NULL;
	target->stream = NULL;
	target->known_count = target->known_room = target->bytes = target->room = 0;
}

/* By call site, as the segment had it a moment ago. */
static void put_live(struct target *target)
{
	const struct process *process = target->process;
	struct pm_survey_live *live = allocate(process->site_count + 1, sizeof *live);

	for (size_t i = 0; i < process->site_count; i++) {
		const struct pm_site *row = &process->sites[i];
		live[i] = (struct pm_survey_live){
			.frame = frames_number(process->frames, row->frame),
			.size_class = row->size_class,
			.large_log2 = row->large_log2,
			.period = row->period,
			.blocks = (int64_t)(row->allocated - row->freed),
			.bytes = (int64_t)(row->allocated_bytes - row->freed_bytes) +
				 row->resized_bytes,
		};
	}
	put_fact(target, PM_SURVEY_LIVE, live, process->site_count * sizeof *live, NULL, 0);
	free(live);
}

/* *ret_drift: by how much RSS changed meanwhile. */
static bool take(struct target *target, uint64_t *ret_drift)
{
	struct pm_survey begin = {
		.at_ns = monotonic_ns(), .page_bytes = target->page_bytes, .knows_pages = 1};
	uint64_t blocks = word(target, PM_INSIDE_SITES) / word(target, PM_INSIDE_SITE_BLOCK) + 1;
	uint64_t before = rss_of(target);

	target->rss = before;
	target->site_blocks = allocate(blocks, sizeof *target->site_blocks);
	put_fact(target, PM_SURVEY_BEGIN, &begin, sizeof begin, NULL, 0);
	read_generations(target);
	read_tables(target);
	if (!put_arenas(target) || target->is_false)
		return false;
	put_ranges(target);
	put_live(target);
	if (!put_smaps(target)) /* last: of a heap that grows they say no less than its pages did */
		return false;
	put_fact(target, PM_SURVEY_END, NULL, 0, NULL, 0);
	uint64_t after = rss_of(target);
	begin.drift_bytes = after > before ? after - before : before - after;
	memcpy(target->stream + sizeof(struct pm_fact), &begin, sizeof begin);
	*ret_drift = after ? begin.drift_bytes : UINT64_MAX;
	return after;
}

static bool take_until_still(struct target *target, unsigned tries)
{
	uint64_t drift;

	for (unsigned turn = 1;; turn++) {
		if (!take(target, &drift))
			return false;
		if (turn == tries || drift <= rss_of(target) / DRIFT_SHARE)
			return true;
		forget(target);
	}
}

static bool open_target(struct target *target, struct failure *why)
{
	uint64_t probe;

	target->arena_pages = (uint32_t)(target->arena_units * target->unit_bytes /
					 target->page_bytes);
	target->pagemap = open_proc(target, "pagemap");
	if (target->pagemap >= 0 &&
	    peek(target, word(target, PM_INSIDE_SEGMENT_AT), &probe, sizeof probe))
		return true;
	int error = errno;
	if (target->pagemap >= 0)
		close(target->pagemap);
	return fail(why, FAILURE_NOTHING, "its memory cannot be read: %s; be its user or root%s",
		    strerror(error), error == EPERM ? ", and see kernel.yama.ptrace_scope" : "");
}

void *inspect_stream(const struct recording *recording, const struct process *process,
		     unsigned tries, size_t *ret_bytes, struct failure *why)
{
	const struct process *facts = facts_of(recording, process);
	struct target target = {
		.pid = (pid_t)process->record.pid,
		.process = process,
		.in = facts ? facts->inside : NULL,
		.page_bytes = process->layout->page_bytes,
		.arena_units = process->layout->arena_units,
		.unit_bytes = process->layout->unit_bytes,
	};
	void *stream = NULL;

	if (!target.in || !is_sane(target.in, target.arena_units) ||
	    target.page_bytes != (uint64_t)sysconf(_SC_PAGESIZE)) {
		fail(why, FAILURE_NOTHING,
		     "its libpoolmem.so does not say where its memory has what it knows");
		return NULL;
	}
	if (!open_target(&target, why))
		return NULL;
	if (take_until_still(&target, tries)) {
		stream = target.stream;
		*ret_bytes = target.bytes;
		target.stream = NULL;
	} else {
		fail(why, FAILURE_NOTHING, "%s",
		     target.is_false ? "its memory does not have what its libpoolmem.so says"
				     : "it ended while it was read");
	}
	forget(&target);
	close(target.pagemap);
	return stream;
}

bool inspect(const struct recording *recording, struct process *process, struct failure *why)
{
	size_t bytes;
	void *stream = inspect_stream(recording, process, TRIES, &bytes, why);

	if (stream)
		process->survey = survey_read(process, stream, bytes);
	return stream;
}
