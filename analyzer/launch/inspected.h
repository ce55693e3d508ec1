/* SPDX-License-Identifier: MIT */
/*
 * inspected.h: a process while its memory is read.  Included by inspect.c and its parts inspect_*.c alone.
 *
 *   /proc: smaps, statm, pagemap --> inspect_pages ----\
 *   the library's own mappings ----> inspect_own -------+--> a stream of facts as in SURVEY chunks
 *   recorded blocks, by address ---> inspect_blocks --\ |
 *   arenas, pools, stamps ---------> inspect_pools ----+
 *   counters, before and after ----> inspect_counts ---/
 *
 * What is read may be false: the segment that says where to look may lie, and the process goes on.
 */
#ifndef POOLMEM_LAUNCH_INSPECTED_H
#define POOLMEM_LAUNCH_INSPECTED_H

#include "model/recording.h"
#include "text/buffer.h"

#include <string.h>
#include <sys/types.h>

enum {
	STAMPS = 256,
	SMALLEST_BLOCK = 16,
	BLOCKS_MAX = 4096, /* of a pool of 64 KiB */
	ARENAS_MAX = 1 << 18,
	RECORD_MAX = 4096, /* bytes of any of the library's records */
	RECORD_ROOM = RECORD_MAX + 8,
};

/* What is known of a block by its address. */
struct remembered {
	uint64_t address, requested;
	uint32_t row;
	uint8_t stamp;
	bool is_frozen;
};

struct inspected {
	const struct process *process;
	const uint64_t *in; /* by enum pm_inside */
	uint64_t unit_bytes;
	const struct input *segment; /* NULL: its file cannot be opened */
	struct buffer stream;

	/* What was read of it. */
	unsigned char **site_blocks; /* by number; NULL: not read yet */
	struct remembered *known;    /* by address */
	size_t known_count, known_room;
	uint32_t *owners; /* as published, by unit; where the process does not say */
	uint64_t owner_count;
	uint64_t last_heap; /* whose owner was read last: last_owner */
	uint64_t rss; /* bytes, before it is looked at: no more is believed than memory of that size can hold */
	uint64_t drift_bytes; /* of RSS, meanwhile */
	struct pm_survey_counts counts;

	const char *lacking; /* what could not be read; see error */
	pid_t pid;
	uint32_t page_bytes, arena_pages, arena_units;
	int pagemap;
	uint32_t last_owner;
	int error;
	bool is_false; /* it holds more than memory of its RSS can */
	bool knows_counts;
	uint8_t generation[STAMPS];
};

/* Blocks of each size class that a process counted itself, without those that it inherited; bytes of LARGE_BYTES. */
struct block_counts {
	uint64_t allocated[PM_TALLY_COUNT], freed[PM_TALLY_COUNT];
};

/* A pool while its blocks are gone through. */
struct pool_in_hand {
	struct pm_survey_pool out;
	unsigned char stamps[BLOCKS_MAX];
	unsigned char *beside; /* records of its blocks; NULL: none */
	uint32_t beside_count;
	uint32_t states[BLOCKS_MAX / 16], frames[BLOCKS_MAX];
	uint16_t which[BLOCKS_MAX];
	uint32_t live_count;
};

static inline uint64_t word(const struct inspected *target, enum pm_inside which)
{
	return target->in[which];
}

/* A field of a record that was copied. */
static inline uint64_t field(const unsigned char *record, uint64_t offset, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, record + offset, bytes);
	return value;
}

/* inspect.c */

/* Copies memory of the process.  false: it cannot be read, see errno. */
bool peek(const struct inspected *target, uint64_t address, void *to, size_t bytes);

void put_fact(struct inspected *target, enum pm_survey_tag tag, const void *payload, size_t bytes,
	      const void *more, size_t more_bytes);

/* inspect_refused.c */
bool lacks(struct inspected *target, const char *what); /* notes it, with errno; false */
void inspect_refused(const struct inspected *target, struct failure *why);
bool inside_is_known(const struct inspected *target, struct failure *why);

/* inspect_sane.c: what a file says of lengths is believed as far as our buffers go. */
bool inside_is_sane(const uint64_t *in, uint32_t arena_units);
bool inside_knows_owners(const uint64_t *in); /* false: the library is older */

/* inspect_pages.c */
int open_proc(const struct inspected *target, const char *name);
bool put_smaps(struct inspected *target);
uint64_t rss_of(const struct inspected *target); /* bytes; 0: not known */

/* A bit for each page from an address on. */
void look_at_pages(const struct inspected *target, uint64_t address, size_t count,
		   uint64_t *ret_resident);
uint64_t resident_bytes(const struct inspected *target, uint64_t address, uint64_t bytes);

/* inspect_own.c: mappings of the library outside arenas. */
void put_ranges(struct inspected *target);

/* inspect_blocks.c */
void read_generations(struct inspected *target); /* of blocks by their stamps */
void read_tables(struct inspected *target);      /* recorded blocks by address */
void read_beside(const struct inspected *target, uint64_t at, struct pool_in_hand *pool);
bool find_known(const struct inspected *target, const struct pool_in_hand *pool, uint32_t index,
		struct remembered *ret);
uint32_t frame_of(struct inspected *target, uint32_t row); /* its number; 0: not known */

/* inspect_pools.c.  false: they cannot be read. */
bool put_arenas(struct inspected *target);

/* inspect_counts.c.  false: its counters are in private memory, or cannot be read. */
bool read_counts_of(const struct inspected *target, struct block_counts *ret);

/* What two readings say together. */
void compare_counts(const struct process *process, const struct block_counts *before,
		    const struct block_counts *after, struct pm_survey_counts *ret);

#endif
