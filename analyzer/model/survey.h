/* SPDX-License-Identifier: MIT */
/*
 * survey.h: where each block and each resident page of a process was at a moment: when it ended (setting `frag`), now, or
 * at a peak.
 *
 * What contradicts itself is left out and counted.
 */
#ifndef POOLMEM_MODEL_SURVEY_H
#define POOLMEM_MODEL_SURVEY_H

#include <poolmem/format.h>
#include <stdbool.h>
#include <stddef.h>

/* X(NAME, "word")  Of which moment a process is shown. */
#define MOMENTS(X)                                                                                 \
	X(END, "end")   /* or now, of a process that runs */                                       \
	X(PEAK, "peak") /* when most was resident */                                               \
	X(LIVE_PEAK, "live-peak")

#define MOMENT_NAME(name, key) MOMENT_##name,
enum moment { MOMENT_CHOOSE, MOMENTS(MOMENT_NAME) };
#undef MOMENT_NAME

/* A mapping, as the kernel has it. */
struct surveyed_mapping {
	uint64_t first, last;     /* addresses of its first and behind its last byte */
	uint64_t rss, swap, huge; /* bytes */
	char *name;               /* "": none */
};

struct surveyed_pool {
	uint64_t first, bytes; /* of its units */
	uint64_t start, block_bytes;
	uint32_t capacity, live_count, live[3]; /* blocks; by generation */
	uint32_t owner;                         /* SLOT chunk; 0: none */
	uint8_t size_class;
	enum pm_survey_pool_state state;
	uint32_t *states; /* as in the file; NULL: all blocks are live */
	uint32_t frame_count;
	uint32_t *frames; /* indices in process->frames->list; 0: not known */
	uint16_t *which; /* of live blocks in order: index in `frames` plus 1, 0: not recorded; NULL: none was */
	uint32_t recorded;
	uint64_t recorded_requested;
};

struct surveyed_arena {
	uint64_t base, free_units;
	uint64_t meta, meta_bytes, meta_resident;
	uint32_t kind, mapped_units;
	uint64_t *resident; /* a bit for each page */
};

struct survey {
	bool is_whole;    /* else it was cut short */
	bool knows_pages; /* which pages are resident, and the mappings */
	uint64_t at_ns;
	uint64_t tree_rss;    /* of all processes of the run then; 0: not known */
	uint64_t drift_bytes; /* by which RSS changed while it was taken */
	bool knows_counts;
	struct pm_survey_counts
		counts; /* where knows_counts: live blocks, and how many came or went meanwhile */
	uint32_t page_bytes, arena_pages;
	struct surveyed_mapping *mappings; /* by address */
	struct pm_survey_range *ranges;
	struct surveyed_arena *arenas; /* by address */
	struct surveyed_pool *pools;
	struct pm_survey_live *live; /* by call site; `frame` is an index in process->frames->list */
	size_t mapping_count, range_count, arena_count, pool_count, live_count;
	uint32_t torn;
};

/* 0: it is free; else 1 more than its generation. */
static inline unsigned survey_state(const struct surveyed_pool *pool, uint32_t block)
{
	return pool->states ? pool->states[block / 16] >> block % 16 * 2 & 3 : 1;
}

/* The arena that an address lies in; NULL: none. */
const struct surveyed_arena *survey_arena(const struct survey *survey, uint64_t address);

/* Whether the page at an address of an arena is resident. */
bool survey_is_resident(const struct survey *survey, const struct surveyed_arena *arena,
			uint64_t address);

/* Resident bytes of a pool. */
uint64_t survey_resident_bytes(const struct survey *survey, const struct surveyed_pool *pool);

/* What is live of a row of call sites; its frame as the row has it. */
struct pm_survey_live survey_live_of(const struct pm_site *row);

struct process;

/* Reads a stream like that of SURVEY chunks, and takes it over.  NULL: it is empty. */
struct survey *survey_read(const struct process *process, void *stream, size_t byte_count);

void survey_free(struct survey *survey);

#endif
