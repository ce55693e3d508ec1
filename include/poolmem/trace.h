/* SPDX-License-Identifier: MIT */
/*
 * trace.h: the format of a trace, the stream of a program's calls of malloc's family.
 *
 *   as recorded   | header, one chunk long | chunk | chunk | ...          all of chunk_bytes; may end in zeros
 *   packed        | header, its own length | chunk | chunk | ...          each as long as its header and `stored`
 *
 *   chunk         | struct pm_trace_chunk | events, `used` bytes (packed: as a zstd frame of `stored` bytes) |
 *
 * libpoolmem.so writes it (POOLMEM=trace=FILE), through a shared mapping: what stands in it after a kill is whole up to the
 * last event of each thread.  Chunks stand in the order in which they were begun.  A forked child writes chunks of its own
 * to the same file, with the next number of a process; a program that is executed begins a file of its own.
 *
 * A chunk belongs to a writer, a heap, which serves one thread after the other: the events of a writer follow each other.
 * Across writers of a process the order is that of sequence numbers, of which each event has one: a block's free is before
 * the next event that hands out its address.  Numbers may be missing.  Each chunk can be read without those before.
 *
 * Event:  a byte: kind, PM_TRACE_SKIPS, argument << 4; then, as the kind says, numbers of 7 bits a byte, lowest first,
 * the last below 128 (LEB128).  A signed difference d is written as d < 0 ? -2d - 1 : 2d.  With PM_TRACE_SKIPS the first
 * number is how many sequence numbers were skipped since the writer's last event; for the first event of a chunk
 * pm_trace_chunk.sequence stands for what would be its number without.
 *
 * Addresses are in grains of 16 bytes.  In each chunk these begin as zero:
 *   near[b]    the last address that a request of sizes of bucket b got; see pm_trace_bucket()
 *   stride[b]  its distance from the one before
 *   freed      the address that the last PLACE named
 *   latest[]   the addresses that requests got, the newest first
 *
 *   BLOCK(b)   argument PM_TRACE_SAME: near[b]; PM_TRACE_STRIDE: near[b] + stride[b]; 0: a difference to near[b] follows
 *   PLACE      argument 1 to 15: latest[argument - 1]; 0: a difference to `freed` follows
 *
 *   PM_TRACE_MALLOC    size, BLOCK           PM_TRACE_FREE      PLACE
 *   PM_TRACE_CALLOC    size, BLOCK           PM_TRACE_REALLOC   PLACE of the old, size, a difference: new less old; it has
 *   PM_TRACE_ALIGNED   log2 of the                              the next sequence number, too
 *                      alignment, size,      PM_TRACE_DETACH    PLACE: a realloc began, others did something meanwhile
 *                      BLOCK                 PM_TRACE_ATTACH    size, BLOCK: it ended, with this block
 *   PM_TRACE_NOTE      argument: enum pm_trace_note, then as said there; has no sequence number
 */
#ifndef POOLMEM_TRACE_H
#define POOLMEM_TRACE_H

#include <stddef.h>
#include <stdint.h>

#define PM_TRACE_MAGIC "PMTRACE" /* with its zero */
#define PM_TRACE_CHUNK_MAGIC 0x6b6e6843u
#define PM_TRACE_ENDIAN 0x01020304u
#define PM_TRACE_VERSION 1u

enum {
	PM_TRACE_CHUNK_BYTES = 1 << 16,
	PM_TRACE_GRAIN = 16,
	PM_TRACE_BUCKETS = 128,
	PM_TRACE_LATEST = 15,
	PM_TRACE_EVENT_MAX = 48,         /* bytes of the longest event */
	PM_TRACE_LARGE_BYTES = 16 << 10, /* blocks whose resident pages are noted */
	PM_TRACE_EXE_ROOM = 256,
};

/* Bits of pm_trace_header.flags. */
enum {
	PM_TRACE_PACKED = 1,
	PM_TRACE_FULL = 2, /* recording ended because there was no room */
};

/* Written by the process that begins the trace, before its first chunk; what is atomic by all its processes. */
struct pm_trace_header {
	char magic[8];
	uint32_t endian, version;
	uint32_t header_bytes; /* sizeof, by the writer's version */
	uint32_t chunk_bytes;
	uint32_t page_bytes; /* of the machine: unit of resident pages */
	uint32_t flags;      /* atomic */
	uint64_t run_id;     /* of `poolmem run`; 0: without it */
	uint64_t began_real_ns;
	uint32_t chunks;    /* atomic: begun so far, the header not counted */
	uint32_t processes; /* atomic: numbers given */
	uint32_t pid;       /* of the first */
	uint32_t reserved;
	uint64_t missed; /* atomic: calls of threads past their end, and of handlers inside malloc: not recorded */
	char exe[PM_TRACE_EXE_ROOM]; /* path of the executable, with a zero; cut where it is longer */
};

enum { PM_TRACE_OPEN = 1, PM_TRACE_CLOSED = 2 };

/* Written by the writer's thread. */
struct pm_trace_chunk {
	uint32_t magic;   /* last of all when the chunk begins; 0: it never did */
	uint32_t state;   /* PM_TRACE_OPEN: `used` grows and there is no checksum */
	uint32_t process; /* number from 0 */
	uint32_t pid;
	uint32_t writer;   /* number from 0 in the process */
	uint32_t used;     /* bytes of events; stored behind the event that they end with */
	uint32_t stored;   /* of a packed trace: bytes that follow; else 0 */
	uint32_t thread;   /* whose events it begins with; see PM_TRACE_NOTE_THREAD */
	uint64_t sequence; /* of its first event, unless that skips */
	uint64_t checksum; /* pm_trace_checksum() of the events, as unpacked */
};

enum pm_trace_kind {
	PM_TRACE_NOTE,
	PM_TRACE_MALLOC,
	PM_TRACE_CALLOC,
	PM_TRACE_ALIGNED,
	PM_TRACE_FREE,
	PM_TRACE_REALLOC,
	PM_TRACE_DETACH,
	PM_TRACE_ATTACH,
	PM_TRACE_KIND_MASK = 7,
	PM_TRACE_SKIPS = 8,
	PM_TRACE_ARGUMENT_SHIFT = 4,
};

enum { PM_TRACE_SAME = 1, PM_TRACE_STRIDE = 2 };

enum pm_trace_note {
	PM_TRACE_NOTE_THREAD = 1, /* its number, from 0 in the process: events that follow are of this thread */
	PM_TRACE_NOTE_END, /* the thread ends */
	PM_TRACE_NOTE_RESIDENT, /* pages: of the block that the next event frees or resizes, so many were resident */
	PM_TRACE_NOTE_FOUND, /* address, bytes: a block from before the recording; bytes are usable ones */
	PM_TRACE_NOTE_LEFT, /* address, pages: a large block that was live at exit() had so many */
	PM_TRACE_NOTE_TIME, /* milliseconds since the trace began; now and then, of all that follows at least so many */
};

/* Sizes up to 1 KiB by grains, larger ones by powers of two. */
static inline uint32_t pm_trace_bucket(uint64_t size)
{
	return size < 1024 ? (uint32_t)(size / PM_TRACE_GRAIN)
			   : (uint32_t)(PM_TRACE_BUCKETS - 1 - __builtin_clzll(size));
}

/* Of events; words of eight bytes, the last one filled up with zeros. */
static inline uint64_t pm_trace_checksum(const void *events, size_t bytes)
{
	const unsigned char *at = (const unsigned char *)events;
	uint64_t sum = bytes;
	for (size_t done = 0; done < bytes; done += 8) {
		uint64_t word = 0;
		__builtin_memcpy(&word, at + done, bytes - done < 8 ? bytes - done : 8);
		sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 29;
	}
	return sum;
}

#ifdef __cplusplus
static_assert(sizeof(struct pm_trace_chunk) == 48, "the contract");
#else
_Static_assert(sizeof(struct pm_trace_chunk) == 48, "the contract");
_Static_assert(offsetof(struct pm_trace_header, exe) == 72, "the contract");
#endif

#endif
