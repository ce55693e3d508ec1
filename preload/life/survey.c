/* SPDX-License-Identifier: MIT */
/*
 * survey.c: where each block and each resident page is, when the process ends; asked for by `frag`.
 *
 *   /proc/self/smaps ----\
 *   own mappings ---------+--> a stream of facts in the segment (see PM_CHUNK_SURVEY)
 *   arenas, pools, stamps /
 *
 * Other threads may go on meanwhile.  A process that began under a seccomp filter, or has asked for one, opens nothing:
 * then resident pages are not known.
 */
#define _GNU_SOURCE
#include "life/survey.h"

#include "life/inside.h"
#include "life/life.h"
#include "life/survey_parts.h"
#include "sys/raw.h"
#include "tally/clock.h"

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
	TEXT_ROOM = 16384,
	STATM_ROOM = 128,
	OWN_TOUCHED = 512 << 10,
};

/* Mapped while a survey is made: most processes make none. */
static struct surveying {
	struct segment_stream stream;
	int pagemap; /* below 0: resident pages are not known */
	bool is_cut;
	uint64_t pages[SURVEY_ARENA_PAGES]; /* of the pagemap */
	char text[TEXT_ROOM], kept[TEXT_ROOM];
	struct survey_blocks blocks;
	struct survival_counts before, after; /* of the look at blocks and pages */
} * surveying;

void survey_put(const void *data, size_t bytes)
{
	surveying->is_cut = surveying->is_cut || !segment_append(&surveying->stream, data, bytes);
}

void survey_put_fact(enum pm_survey_tag tag, const void *payload, size_t bytes, const void *more,
		     size_t more_bytes)
{
	surveying->is_cut = surveying->is_cut ||
			    !segment_append_fact(&surveying->stream, tag, payload, bytes, more,
						 more_bytes);
}

bool survey_is_cut(void)
{
	return surveying->is_cut;
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
	survey_put_fact(PM_SURVEY_SMAPS, surveying->kept, kept, NULL, 0);
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
	char text[STATM_ROOM];
	size_t bytes = raw_read_text("/proc/self/statm", text, sizeof text);
	uint64_t pages = 0;
	size_t at = 0;
	while (at < bytes && text[at] != ' ')
		at++;
	for (at++; at < bytes && text[at] >= '0' && text[at] <= '9'; at++)
		pages = pages * 10 + (uint64_t)(text[at] - '0');
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

uint64_t survey_resident_bytes(uintptr_t address, size_t bytes)
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

void survey_resident_pages(const struct arena *arena, uint64_t ret_pages[SURVEY_ARENA_PAGES / 64])
{
	look_at_pages((uintptr_t)arena_base(arena), SURVEY_ARENA_PAGES);
	for (size_t page = 0; page < SURVEY_ARENA_PAGES; page++)
		ret_pages[page / 64] |= (uint64_t)is_present(page) << page % 64;
}

/* --- memory of our own -------------------------------------------------------------------------------- */

static void put_range(const void *address, size_t bytes, enum pm_range_use use)
{
	uintptr_t first = (uintptr_t)address & -(uintptr_t)MEMORY_PAGE;
	struct pm_survey_range range = {.first = first, .use = use};
	range.bytes = ((uintptr_t)address + bytes - first + MEMORY_PAGE - 1) &
		      -(uint64_t)MEMORY_PAGE;
	range.resident_bytes = survey_resident_bytes(range.first, range.bytes);
	survey_put_fact(PM_SURVEY_RANGE, &range, sizeof range, NULL, 0);
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

/* --- what goes on meanwhile ----------------------------------------------------------------------------- */

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Counters are read one after the other: they may differ by what came meanwhile. */
static uint64_t excess(uint64_t whole, uint64_t part)
{
	return whole > part ? whole - part : 0;
}

/* Of a class, as readers reckon it who look from outside: gone is who lived before, come who lives after. */
static uint64_t changed(const struct survival_counts *before, const struct survival_counts *after,
			unsigned c)
{
	uint64_t live_before = excess(before->allocated[c], before->freed[c]);
	uint64_t live_after = excess(after->allocated[c], after->freed[c]);
	return smaller(excess(after->freed[c], before->freed[c]), live_before) +
	       smaller(excess(after->allocated[c], before->allocated[c]), live_after);
}

static void put_counts(void)
{
	const struct survival_counts *before = &surveying->before, *after = &surveying->after;
	struct pm_survey_counts counts = {.live_blocks = 0};
	survival_count(&surveying->after);
	for (unsigned c = 0; c < CLASS_COUNT; c++) {
		uint64_t live = excess(after->allocated[c], after->freed[c]);
		uint64_t drift = changed(before, after, c);
		counts.live_blocks += c == CLASS_LARGE_BYTES ? 0 : live;
		counts.live_bytes += live * life_unit(c);
		counts.drift_blocks += c == CLASS_LARGE_BYTES ? 0 : drift;
		counts.drift_bytes += drift * life_unit(c);
	}
	survey_put_fact(PM_SURVEY_COUNTS, &counts, sizeof counts, NULL, 0);
}

/* --- all of it ------------------------------------------------------------------------------------------ */

void survey_init(void)
{
	if (life.settings.frag.index == FRAG_EXIT)
		sandbox_init();
}

/*
 * Pools first: to look at blocks brings back what is swapped out of their descriptors, and the stream takes memory, for both of
 * which the kernel may swap out other pages.  What it says of mappings and of pages stands close together.
 */
static void take(void)
{
	struct pm_survey begin = {.at_ns = threads_clock_ns(), .page_bytes = MEMORY_PAGE};
	surveying->stream = segment_stream(life.leader, PM_CHUNK_SURVEY);
	surveying->pagemap = sandbox_may_be() ? -1
					      : (int)raw_open_at(AT_FDCWD, "/proc/self/pagemap",
								 O_RDONLY | O_CLOEXEC, 0);
	begin.knows_pages = surveying->pagemap >= 0;
	survey_put_fact(PM_SURVEY_BEGIN, &begin, sizeof begin, NULL, 0);
	survival_count(&surveying->before);
	surveying->is_cut = !survey_put_pools(&surveying->blocks) || surveying->is_cut;
	if (begin.knows_pages)
		put_smaps();
	uint64_t pages = begin.knows_pages ? resident_pages() : 0;
	uint32_t chunks = segment.mapped;
	put_ranges();
	survey_put_arenas();
	begin.drift_bytes = begin.knows_pages ? drift_since(pages, chunks) : 0;
	if (begin.drift_bytes)
		survey_put_fact(PM_SURVEY_BEGIN, &begin, sizeof begin, NULL, 0);
	put_counts();
	survey_put_fact(PM_SURVEY_END, NULL, 0, NULL, 0);
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
