/* SPDX-License-Identifier: MIT */
/*
 * segment.h: the only door to shared memory.
 *
 * The segment is a sparse file, mapped shared; its descriptor is closed before main.  It grows by chunks:
 * a chunk is populated before anything is written to it, so that a full file system is an answer and not
 * a SIGBUS.  The mapping grows in place, behind it nothing of ours lies.
 * Forked children share the mapping and add chunks to the same file.
 */
#ifndef SEGMENT_SEGMENT_H
#define SEGMENT_SEGMENT_H

#include <poolmem/format.h>
#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

/* What the creator wants.  Strings are borrowed for the call. */
struct segment_plan {
	const char *directory; /* "": the default one of this user */
	const char *temporary; /* $TMPDIR or NULL, for when there is no /dev/shm */
	uint64_t file_bytes;   /* limit of this segment */
	uint64_t total_bytes;  /* limit of all segments of the user, 0: the default */
	uint64_t run_id;
	uint32_t class_count;
	const struct pm_class *classes;
	const struct pm_age *ages;
	void *hint;      /* where to map it */
	bool keeps_dead; /* areas of dead children are used again late: when they died is chance */
};

struct segment {
	struct pm_header *header; /* NULL: there is no segment */
	uint32_t mapped;          /* chunks mapped in this process */
	uint32_t mapping; /* the same, as it was going to be; for a child forked meanwhile */
	uint32_t pid;     /* of this process; 0 when pids of the segment mean others here */
	bool fixed;       /* the kernel cannot populate: all that is there is allocated already */
	bool full;        /* no room was found once; not asked again */
	bool keeps_dead;  /* the plan's */
};

extern struct segment segment;

/*
 * Creates the file, with room for a first slot.  false: no segment can be had, and no file is left; the
 * program counts in private memory.
 */
bool segment_create(const struct segment_plan *plan);

/* Chunk `number`, mapped if it was not.  NULL: beyond the file or the address space. */
void *segment_chunk(uint32_t number);

/*
 * Adds a chunk for `process` (0: for itself), its first `bytes` present and zero, its kind EMPTY.  Every
 * chunk that header->chunks counts is present at least so far.  0: no room.
 */
uint32_t segment_add(uint32_t process, uint32_t sequence, size_t bytes);

/* From here on what is left is for counts. */
bool segment_is_half_full(void);

/* Makes the first `bytes` of a chunk present.  false: no room. */
bool segment_present(void *chunk, size_t bytes);

/* Makes a chunk visible to readers. */
void segment_commit(uint32_t number, enum pm_chunk_kind kind);

/* A SLOT laid ready for a forked child; `likely` are looked at first, 0 none.  0: none left. */
uint32_t segment_claim_spare(const uint32_t *likely, unsigned count);

/* A spare slot for forked children: `number` if it still is one, else another.  0: no room. */
uint32_t segment_renew_spare(uint32_t number);

/* A SLOT for a forked child that found no spare: of a dead one, or new.  0: no room. */
uint32_t segment_claim_any(void);

/* The end of a stream of facts: FACTS or SURVEY chunks of a process. */
struct segment_stream {
	uint32_t process, last, sequence;
	enum pm_chunk_kind kind;
};

/* That of the process, as it is now; nobody else may append meanwhile. */
struct segment_stream segment_stream(uint32_t process, enum pm_chunk_kind kind);

/* Copies bytes to the end, adding chunks as needed.  false: no room. */
bool segment_append(struct segment_stream *stream, const void *data, size_t bytes);

/* A struct pm_fact and its payload in two parts, padded. */
bool segment_append_fact(struct segment_stream *stream, uint32_t tag, const void *payload,
			 size_t bytes, const void *more, size_t more_bytes);

/* Appends a fact to a process's stream, its payload in two parts.  false: no room. */
bool segment_add_fact(uint32_t process, enum pm_fact_tag tag, const void *payload, size_t bytes,
		      const void *more, size_t more_bytes);

/* Room for arena `index` of the process.  One caller at a time.  NULL: none. */
struct pm_arena *segment_map_arena(uint32_t process, uint32_t index);

/* The process's record of sweeps, made when it has none.  One caller at a time.  NULL: no room. */
struct pm_survival *segment_survival(uint32_t process);

/* Its marks, likewise. */
struct pm_marks *segment_marks(uint32_t process);

/* Its timeline, likewise, of which a page is present, in the first half of the segment; and more of it.  false: no room. */
struct pm_timeline *segment_timeline(uint32_t process);
bool segment_timeline_present(struct pm_timeline *timeline, size_t bytes);

/* Calls for each chunk of `kind`, until `visit` says stop; returns that one's number or 0. */
uint32_t segment_find(uint32_t kind, bool (*visit)(struct pm_chunk *, void *), void *context);

/* An emptied chunk of that kind, left in an area that was another's.  0: none. */
uint32_t segment_emptied(uint32_t process, enum pm_chunk_kind kind);

/* Adds a frame; returns its number, or 0: no room.  One caller at a time. */
uint32_t segment_add_frame(uint32_t process, const struct pm_frame *frame);

/* Where the rows of one slot go.  All zero at first. */
struct segment_rows {
	uint32_t process, number, used;
};

/* Adds a copy of a row, at an address that stays.  One caller at a time.  NULL: no room. */
struct pm_site *segment_add_row(uint32_t process, struct segment_rows *rows,
				const struct pm_site *row);

/* All rows of the process, of all slots.  As above. */
void segment_each_row(uint32_t process, void (*visit)(struct pm_site *, void *), void *context);

/*
 * Removes finished segments of the directory, oldest first, while all together exceed the limit.  Most starts, as
 * `random` chooses, do not look: the limit holds to within what 64 starts make, or an eighth of those that are there.
 */
void segment_clean(int directory, uint64_t total_bytes, uint64_t random);

#pragma GCC visibility pop

#endif
