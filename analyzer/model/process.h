/* SPDX-License-Identifier: MIT */
/* process.h: a heap process: a program that was exec'ed, or a child that it forked. */
#ifndef POOLMEM_MODEL_PROCESS_H
#define POOLMEM_MODEL_PROCESS_H

#include "model/frames.h"
#include "model/outside.h"
#include "model/survey.h"
#include "source/chunk.h"
#include "source/header.h"

#include <poolmem/format.h>
#include <stddef.h>

enum process_kind {
	PROCESS_EXEC,
	PROCESS_FORK,
	PROCESS_DEPARTED, /* dead children of a process, added up: their areas were used again */
};

enum process_state {
	STATE_RUNNING,
	STATE_EXITED,
	STATE_KILLED,   /* by a signal: only `poolmem run` knows */
	STATE_ENDED,    /* without exit(): killed or _exit */
	STATE_REPLACED, /* by exec */
	STATE_UNKNOWN,  /* running, or ended without exit() */
};

/* Of one size class. */
struct class_count {
	uint64_t allocated, freed; /* blocks; LARGE_BYTES: bytes */
	int64_t balance;           /* `allocated` while slots are read: one may be below 0 */
	uint64_t *freed_at;        /* of these, by age bucket */
};

enum { GENERATION_COUNT = 3 };

enum { SLOT_NAME_BYTES = 64 }; /* what the kernel has is shorter, a file may say anything */

struct slot {
	uint32_t chunk, use, tid, held, holders;
	char name[SLOT_NAME_BYTES]; /* of the thread that holds it, or held it last; "": not known */
	uint64_t began_ns, ended_ns;
	uint64_t counter[PM_COUNTER_COUNT];
	/* Blocks of all classes.  A thread that gave others' blocks another size may have allocated less than none. */
	int64_t allocated, allocated_bytes;
	uint64_t freed, freed_bytes;
	uint64_t died[GENERATION_COUNT]; /* of `freed`, by the generation they were in */
};

struct arena {
	uint64_t base, free_units, dirty_units, huge_bytes;
	uint32_t mapped_units, kind; /* enum pm_arena_kind */
	bool is_kept;                /* HUGE: its block was freed, and it waits for the next */
};

struct pool {
	uint32_t arena; /* index in process.arenas */
	uint32_t unit, owner, pages;
	uint16_t live, capacity, touched_pages;
	uint8_t state, size_class;
};

struct module {
	uint64_t base, first, last;
	uint32_t since; /* generation of frames that were seen in it first */
	char *path;
	char *build_id; /* hex digits */
};

/* The tables and sizes that processes of one segment share. */
struct layout {
	struct pm_class *classes;
	struct pm_age *ages;
	uint32_t class_count, age_count;
	uint32_t page_bytes, unit_bytes, arena_units;
};

struct process {
	const struct pm_header *header; /* of its segment */
	const struct layout *layout;
	enum process_kind kind;
	enum process_state state;
	int64_t exit_status, signal; /* -1: unknown; signal 0: none */
	uint32_t chunk;              /* leader */
	struct pm_process record;    /* as it stands; DEPARTED: little of the parent's */
	uint64_t telemetry_bytes;    /* of its chunks */
	struct class_count *classes; /* layout->class_count: sums over its slots */
	struct survivors *survivors; /* of each class; NULL: not known */
	uint64_t uncertain;          /* blocks that may be in the wrong generation, at most */
	struct pm_mark *marks;       /* in the order in which they were made */
	size_t mark_count;
	uint32_t marks_made;       /* those without room counted */
	struct pm_moment *moments; /* over time, in order of it: as of slow calls */
	size_t moment_count;
	const struct frames *frames; /* of its segment */
	struct pm_site *sites;       /* each `frame` is an index in frames->list */
	size_t site_count;
	struct survey *survey;       /* where each block was at the end, or is; NULL: not noted */
	struct survey *at_peak;      /* and when RSS was highest, as `poolmem run` saw it */
	struct survey *at_live_peak; /* and when most was live; may be the same */
	uint32_t sites_torn;         /* rows that contradict themselves */
	uint64_t switched_real_ns; /* CLOCK_REALTIME: since when record.site_period holds; 0: since it began */
	uint64_t counter[PM_COUNTER_COUNT];
	struct slot *slots;
	struct arena *arenas;
	struct pool *pools;
	struct module *modules;
	size_t slot_count, arena_count, pool_count, module_count;
	uint32_t pools_torn; /* records that contradict themselves: caught in a change */
	bool facts_cut;
	size_t facts_index;  /* in recording.processes: whose exe and argv hold for this one */
	size_t parent_index; /* in recording.processes: who forked it; its own when not known */
	uint64_t *inside; /* by enum pm_inside: where its memory has what the library knows; NULL: not said */
	char *exe, *options, *next_allocator; /* UTF-8 not assured; NULL: not recorded */
	char **argv;
	uint32_t *parents;
	size_t argv_count, parent_count;
	uint32_t unsettled;
	uint64_t drift_blocks, drift_bytes; /* that may be live besides: freed while it was read */
	uint64_t elapsed_ns;
	bool elapsed_is_bound; /* it lasted at least elapsed_ns */
	struct known rss_now, rss_peak;
};

void process_free(struct process *process);

/* The slot of a SLOT chunk; NULL: none. */
const struct slot *process_slot(const struct process *process, uint32_t chunk);

/* Whether it was said of it, or of the process it comes from. */
static inline bool process_has_note(const struct process *process, enum pm_note note)
{
	return process->record.notes >> note & 1;
}

/* Another allocator served it: nothing is known of pools. */
static inline bool process_is_served_elsewhere(const struct process *process)
{
	return process_has_note(process, PM_NOTE_NEXT);
}

/* It is known when blocks were born. */
static inline bool process_has_ages(const struct process *process)
{
	return !process_has_note(process, PM_NOTE_NO_BIRTHS);
}

/* Forked children that it stands for. */
size_t forks_in(const struct process *process);

#endif
