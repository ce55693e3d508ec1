/* SPDX-License-Identifier: MIT */
/*
 * survey.c: where each block and each resident page is, when the process ends; asked for by `frag`.
 *
 *   /proc/self/smaps ----\
 *   own mappings ---------+--> a stream of facts in the segment (see PM_CHUNK_SURVEY)
 *   arenas, pools, stamps /
 *
 * Other threads may go on meanwhile: each pool is right at some moment.  A process that began under a seccomp filter
 * opens nothing: then resident pages are not known.
 */
#define _GNU_SOURCE
#include "life/survey.h"

#include "heap/region.h"
#include "life/inside.h"
#include "life/life.h"
#include "life/records.h"
#include "sys/raw.h"

#include <fcntl.h>
#include <poolmem/pagemap.h>

/* A variant for tests of kernels before 6.7: make EXTRA_CFLAGS=-DPM_FORCE_NO_SCAN */
#ifdef PM_FORCE_NO_SCAN
#define PM_SCAN_REFUSED true
#else
#define PM_SCAN_REFUSED false
#endif

enum {
	FRAG_EXIT = 1, /* the words of the setting */
	ARENA_PAGES = ARENA_BYTES / MEMORY_PAGE,
	BLOCKS_MAX = PM_UNIT_BYTES / CLASS_GRAIN,
	TEXT_ROOM = 16384,
	STATUS_ROOM = 4096,
	STATM_ROOM = 128,
	OWN_TOUCHED = 512 << 10,
};

_Static_assert((int)BESIDE_BLOCKS_MAX >= (int)BLOCKS_MAX, "blocks of a pool");

/* What is known of the blocks of the pool in hand. */
struct blocks {
	uint32_t states[BLOCKS_MAX / 16];
	uint32_t frames[BLOCKS_MAX];
	uint16_t sites[BLOCKS_MAX];          /* their numbers, as frames[] */
	uint16_t which[BLOCKS_MAX];          /* of each live block */
	uint16_t index_of[INTERN_SITES + 1]; /* in frames[], from 1 on; 0: not there */
	uint32_t live_count;
};

/* Mapped while a survey is made: most processes make none. */
static struct surveying {
	struct segment_stream stream;
	int pagemap; /* below 0: resident pages are not known */
	bool is_cut;
	uint64_t pages[ARENA_PAGES]; /* of the pagemap */
	char text[TEXT_ROOM], kept[TEXT_ROOM];
	struct blocks blocks;
} * surveying;

static bool filtered; /* the process began under a seccomp filter */

static void put(const void *data, size_t bytes)
{
	surveying->is_cut = surveying->is_cut || !segment_append(&surveying->stream, data, bytes);
}

static void put_fact(enum pm_survey_tag tag, const void *payload, size_t bytes, const void *more,
		     size_t more_bytes)
{
	surveying->is_cut = surveying->is_cut ||
			    !segment_append_fact(&surveying->stream, tag, payload, bytes, more,
						 more_bytes);
}

/* --- /proc ------------------------------------------------------------------------------------------ */

static bool begins_with(const char *line, const char *word)
{
	return __builtin_strncmp(line, word, __builtin_strlen(word)) == 0;
}

static bool is_kept(const char *line)
{
	return (*line >= '0' && *line <= '9') || (*line >= 'a' && *line <= 'f') ||
	       begins_with(line, "Rss:") || begins_with(line, "Swap:") ||
	       begins_with(line, "AnonHugePages:");
}

/* Puts the lines that are kept into the survey; returns the bytes of all whole ones. */
static size_t put_lines(const char *text, size_t bytes)
{
	size_t kept = 0, at = 0;
	for (size_t end = 0; end < bytes; end++) {
		if (text[end] != '\n')
			continue;
		if (is_kept(text + at)) {
			__builtin_memcpy(surveying->kept + kept, text + at, end + 1 - at);
			kept += end + 1 - at;
		}
		at = end + 1;
	}
	put_fact(PM_SURVEY_SMAPS, surveying->kept, kept, NULL, 0);
	return at;
}

static void put_smaps(void)
{
	int fd = (int)raw_open_at(AT_FDCWD, "/proc/self/smaps", O_RDONLY | O_CLOEXEC, 0);
	size_t left = 0;
	long more;
	while (fd >= 0 && left < sizeof surveying->text &&
	       (more = raw_read(fd, surveying->text + left, sizeof surveying->text - left)) > 0) {
		size_t bytes = left + (size_t)more, whole = put_lines(surveying->text, bytes);
		left = bytes - whole;
		__builtin_memmove(surveying->text, surveying->text + whole, left);
	}
	if (fd >= 0)
		raw_close(fd);
}

/* Pages that were only read, and never written to, are the kernel's page of zeros.  false: the kernel does not say. */
static bool forget_zeros(uintptr_t address, size_t count)
{
	struct pm_scanned regions[PM_SCAN_REGIONS];
	struct pm_scan scan = pm_scan_for_zeros(address, address + count * memory_page(), regions);
	while (scan.walk_end < scan.end) {
		scan.start = scan.walk_end;
		long found = raw_call3(SYS_ioctl, surveying->pagemap, PM_SCAN_CALL, (long)&scan);
		if (PM_SCAN_REFUSED || found < 0 || scan.walk_end <= scan.start)
			return false;
		for (long i = 0; i < found; i++)
			for (uint64_t at = regions[i].start; at < regions[i].end;
			     at += memory_page())
				surveying->pages[(at - address) / memory_page()] = 0;
	}
	return true;
}

/*
 * Without the kernel's word: it is nobody's alone and no file's.  So is what is shared with a forked child or with who
 * forked this process; then it is not told apart, and counts.
 */
static void guess_zeros(size_t count)
{
	const struct pm_process *process = life_process();
	if (process->parent || process->children || process->children_unseen)
		return;
	for (size_t i = 0; i < count; i++)
		if (pm_page_may_be_zeros(surveying->pages[i]))
			surveying->pages[i] = 0;
}

/* Pages, as the kernel counts them roughly. */
static uint64_t resident_pages(void)
{
	char text[STATM_ROOM] = "";
	int fd = (int)raw_open_at(AT_FDCWD, "/proc/self/statm", O_RDONLY | O_CLOEXEC, 0);
	long bytes = fd < 0 ? 0 : raw_read(fd, text, sizeof text);
	uint64_t pages = 0;
	long at = 0;
	while (at < bytes && text[at] != ' ')
		at++;
	for (at++; at < bytes && text[at] >= '0' && text[at] <= '9'; at++)
		pages = pages * 10 + (uint64_t)(text[at] - '0');
	if (fd >= 0)
		raw_close(fd);
	return pages;
}

/* By which RSS changed, but for chunks of the segment that were added, and for what the survey itself touches first. */
static uint64_t drift_since(uint64_t pages, uint32_t chunks)
{
	int64_t own = (int64_t)(segment.mapped - chunks) * PM_CHUNK_BYTES;
	int64_t more = ((int64_t)resident_pages() - (int64_t)pages) * (int64_t)memory_page() - own;
	int64_t drift = more < 0 ? -more : more;
	return drift > OWN_TOUCHED ? (uint64_t)drift : 0;
}

/* A word for each page of the kernel from a number on; those that are not known read as present. */
static void read_pages(uintptr_t first, size_t count)
{
	long bytes = surveying->pagemap < 0
			     ? -1
			     : raw_call(SYS_pread64, surveying->pagemap, (long)surveying->pages,
					(long)(count * sizeof surveying->pages[0]),
					(long)(first * sizeof surveying->pages[0]), 0, 0);
	size_t known = bytes > 0 ? (size_t)bytes / sizeof surveying->pages[0] : 0;
	for (size_t i = known; i < count; i++)
		surveying->pages[i] = UINT64_MAX;
	if (known && !forget_zeros(first * memory_page(), count))
		guess_zeros(known);
}

/* A word for each page of ours: that of the kernel's that holds it. */
static void look_at_pages(uintptr_t address, size_t count)
{
	uintptr_t first = address / memory_page();
	uintptr_t last = (address + count * MEMORY_PAGE - 1) / memory_page();
	if (!count)
		return;
	read_pages(first, last - first + 1);
	for (size_t i = count; memory_page() > MEMORY_PAGE && i--;)
		surveying->pages[i] = surveying->pages[(address + i * MEMORY_PAGE) / memory_page() -
						       first];
}

static bool is_present(size_t page)
{
	return surveying->pages[page] & PM_PAGE_PRESENT;
}

static uint64_t resident_bytes(uintptr_t address, size_t bytes)
{
	uint64_t resident = 0;
	for (size_t at = 0; at < bytes; at += ARENA_BYTES) {
		size_t part = bytes - at < ARENA_BYTES ? bytes - at : ARENA_BYTES;
		look_at_pages(address + at, part / MEMORY_PAGE);
		for (size_t page = 0; page < part / MEMORY_PAGE; page++)
			resident += is_present(page) ? MEMORY_PAGE : 0;
	}
	return resident;
}

/* --- memory of our own -------------------------------------------------------------------------------- */

static void put_range(const void *address, size_t bytes, enum pm_range_use use)
{
	uintptr_t first = (uintptr_t)address & -(uintptr_t)MEMORY_PAGE;
	struct pm_survey_range range = {.first = first, .use = use};
	range.bytes = ((uintptr_t)address + bytes - first + MEMORY_PAGE - 1) &
		      -(uint64_t)MEMORY_PAGE;
	range.resident_bytes = resident_bytes(range.first, range.bytes);
	put_fact(PM_SURVEY_RANGE, &range, sizeof range, NULL, 0);
}

static void put_own(const void *address, size_t bytes, enum memory_use use, void *unused)
{
	(void)unused;
	put_range(address, bytes, use == MEMORY_META ? PM_RANGE_META : PM_RANGE_TELEMETRY);
}

static void put_ranges(void)
{
	memory_each_own(put_own, NULL);
	put_range(segment.header, (size_t)segment.mapped * PM_CHUNK_BYTES, PM_RANGE_TELEMETRY);
	put_range(inside_image_first, (size_t)(inside_image_last - inside_image_first),
		  PM_RANGE_TELEMETRY);
}

/* --- blocks ------------------------------------------------------------------------------------------- */

/* Where the stack of the site stands in frames[], from 1 on. */
static uint16_t index_of(struct pm_survey_pool *out, uint32_t number)
{
	struct blocks *blocks = &surveying->blocks;
	uint16_t *index = &blocks->index_of[number];
	if (!*index) {
		blocks->frames[out->frame_count] = intern_site(number)->frame;
		blocks->sites[out->frame_count] = (uint16_t)(number - 1);
		*index = (uint16_t)++out->frame_count;
	}
	return *index;
}

static void forget_sites(const struct pm_survey_pool *out)
{
	for (uint32_t i = 0; i < out->frame_count; i++)
		surveying->blocks.index_of[surveying->blocks.sites[i] + 1U] = 0;
}

/* A recorded block, whose own stamp its record has.  Returns its generation. */
static unsigned look_at_record(const struct pool *pool, uint64_t index, struct pm_survey_pool *out)
{
	struct recorded recorded;
	if (!records_look(pool, index, &recorded))
		return 2;
	if (recorded.site) {
		out->recorded++;
		out->recorded_requested += recorded.requested;
		surveying->blocks.which[surveying->blocks.live_count] = index_of(
			out, (recorded.site - 1) % INTERN_SITES + 1);
	}
	return recorded.is_frozen ? 2 : clock_generation(recorded.stamp);
}

static void look_at_block(const struct pool *pool, uint64_t index, struct pm_survey_pool *out)
{
	uint8_t stamp = __atomic_load_n(&pool->stamps[index], __ATOMIC_ACQUIRE);
	if (stamp == STAMP_FREE)
		return;
	surveying->blocks.which[surveying->blocks.live_count] = 0;
	unsigned generation = stamp == STAMP_SPECIAL ? look_at_record(pool, index, out)
						     : clock_generation(stamp);
	surveying->blocks.states[index / 16] |= (generation + 1) << index % 16 * 2;
	out->live[generation]++;
	surveying->blocks.live_count++;
}

static void look_at_blocks(const struct pool *pool, struct pm_survey_pool *out)
{
	uint32_t blocks = out->capacity < BLOCKS_MAX ? out->capacity : BLOCKS_MAX;
	__builtin_memset(surveying->blocks.states, 0, sizeof surveying->blocks.states);
	surveying->blocks.live_count = 0;
	for (uint32_t i = 0; i < blocks && i < pool->threaded; i++)
		look_at_block(pool, i, out);
	out->has_states = surveying->blocks.live_count < out->capacity;
}

static void put_blocks(const struct pm_survey_pool *out)
{
	static const char zeros[8];
	const struct blocks *blocks = &surveying->blocks;
	size_t states = out->has_states ? (out->capacity + 15) / 16 * sizeof blocks->states[0] : 0;
	size_t frames = out->frame_count * sizeof blocks->frames[0];
	size_t which = out->frame_count ? blocks->live_count * sizeof blocks->which[0] : 0;
	struct pm_fact fact = {PM_SURVEY_POOL, (uint32_t)(sizeof *out + states + frames + which)};
	put(&fact, sizeof fact);
	put(out, sizeof *out);
	put(blocks->states, states);
	put(blocks->frames, frames);
	put(blocks->which, which);
	put(zeros, -(size_t)fact.bytes % 8);
}

static enum pm_survey_pool_state state_of(const struct pool *pool)
{
	switch (__atomic_load_n(&pool->state, __ATOMIC_ACQUIRE)) {
	case POOL_LARGE: return PM_SURVEY_LARGE;
	case POOL_CACHED: return PM_SURVEY_KEPT;
	default: return PM_SURVEY_BLOCKS;
	}
}

static void put_pool(const struct pool *pool)
{
	const struct arena *arena = arena_at(pool->arena);
	bool is_huge = arena->kind == ARENA_HUGE;
	struct pm_survey_pool out = {
		.first = (uintptr_t)arena_unit_at(arena, pool->first_unit),
		.bytes = is_huge ? arena->huge_bytes : pool->units * (uint64_t)PM_UNIT_BYTES,
		.start = (uintptr_t)pool->start,
		.block_bytes = pool->block_bytes,
		.capacity = (uint32_t)pool->capacity,
		.owner = publish_owner(pool->owner),
		.state = state_of(pool),
		.size_class = pool->size_class,
	};
	if (out.state != PM_SURVEY_KEPT)
		look_at_blocks(pool, &out);
	put_blocks(&out);
	forget_sites(&out);
}

/* What a heap keeps for its next large block, too. */
static void put_pools(const struct arena *arena)
{
	for (unsigned unit = 0; unit < PM_ARENA_UNITS && !surveying->is_cut; unit++) {
		const struct pool *pool = arena_pool(arena, unit);
		if (__atomic_load_n(&pool->state, __ATOMIC_ACQUIRE) != POOL_UNUSED)
			put_pool(pool);
	}
}

/* free_before: its free units before its pools were gone through; what was free then or is now is no pool's. */
static void put_arena(const struct arena *arena, uint64_t free_before)
{
	bool is_huge = arena->kind != ARENA_POOLS;
	uint64_t resident[ARENA_PAGES / 64] = {0};
	struct pm_survey_arena out = {
		.base = (uintptr_t)arena_base(arena),
		.free_units = is_huge ? 0
				      : free_before | __atomic_load_n(&arena->free, __ATOMIC_RELAXED),
		.meta = (uintptr_t)arena->records,
		.meta_bytes = arena->records ? arena_records_bytes() : 0,
		.kind = is_huge ? PM_ARENA_HUGE : PM_ARENA_POOLS,
		.mapped_units = is_huge ? PM_ARENA_UNITS : arena->mapped,
	};
	out.meta_resident = resident_bytes(out.meta, out.meta_bytes);
	look_at_pages(out.base, ARENA_PAGES);
	for (size_t page = 0; page < ARENA_PAGES; page++)
		resident[page / 64] |= (uint64_t)is_present(page) << page % 64;
	put_fact(PM_SURVEY_ARENA, &out, sizeof out, resident, sizeof resident);
}

static bool is_in_use(const struct arena *arena)
{
	uint32_t kind = __atomic_load_n(&arena->kind, __ATOMIC_ACQUIRE);
	return kind == ARENA_POOLS || kind == ARENA_HUGE || kind == ARENA_HUGE_TAIL;
}

static void put_arenas(void)
{
	uint32_t arenas = __atomic_load_n(&region.arenas, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < arenas && !surveying->is_cut; i++) {
		struct arena *arena = arena_at(i);
		uint64_t free_before = __atomic_load_n(&arena->free, __ATOMIC_RELAXED);
		if (!is_in_use(arena))
			continue;
		put_pools(arena);
		put_arena(arena, free_before);
	}
}

/* --- all of it ------------------------------------------------------------------------------------------ */

void survey_init(void)
{
	static const char word[] = "\nSeccomp:\t";
	char status[STATUS_ROOM];
	if (life.settings.frag.index != FRAG_EXIT)
		return;
	int fd = (int)raw_open_at(AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
	long bytes = fd < 0 ? 0 : raw_read(fd, status, sizeof status - 1);
	if (fd >= 0)
		raw_close(fd);
	status[bytes > 0 ? bytes : 0] = 0;
	const char *found = __builtin_strstr(status, word);
	filtered = !found || found[sizeof word - 1] != '0';
}

static void take(void)
{
	struct pm_survey begin = {.at_ns = threads_clock_ns(), .page_bytes = MEMORY_PAGE};
	surveying->stream = segment_stream(life.leader, PM_CHUNK_SURVEY);
	surveying->pagemap = filtered ? -1
				      : (int)raw_open_at(AT_FDCWD, "/proc/self/pagemap",
							 O_RDONLY | O_CLOEXEC, 0);
	begin.knows_pages = surveying->pagemap >= 0;
	put_fact(PM_SURVEY_BEGIN, &begin, sizeof begin, NULL, 0);
	if (begin.knows_pages)
		put_smaps();
	uint64_t pages = begin.knows_pages ? resident_pages() : 0;
	uint32_t chunks = segment.mapped;
	put_ranges();
	put_arenas();
	begin.drift_bytes = begin.knows_pages ? drift_since(pages, chunks) : 0;
	if (begin.drift_bytes)
		put_fact(PM_SURVEY_BEGIN, &begin, sizeof begin, NULL, 0);
	put_fact(PM_SURVEY_END, NULL, 0, NULL, 0);
	if (begin.knows_pages)
		raw_close(surveying->pagemap);
}

void survey_take(void)
{
	size_t bytes = (sizeof *surveying + memory_page() - 1) / memory_page() * memory_page();
	if (life.settings.frag.index != FRAG_EXIT || !life.recording || !wiped.alive)
		return;
	surveying = memory_map_own(MEMORY_TELEMETRY, bytes);
	if (!surveying)
		return;
	take();
	memory_unmap_own(surveying, bytes);
}
