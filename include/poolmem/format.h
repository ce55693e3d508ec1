/* SPDX-License-Identifier: MIT */
/*
 * format.h: the segment, the contract between the library that writes and the analyzer that reads.
 *
 *   segment file                       one chunk = PM_CHUNK_BYTES, chunk n at n * PM_CHUNK_BYTES
 *   +--------+-------+------+-----+-----+------+--
 *   | HEADER | FACTS | SLOT | MAP | ... | SLOT |      grows by chunks, never shrinks
 *   +--------+-------+------+-----+-----+------+--
 *
 * Each chunk but the first opens with a struct pm_chunk that says what it is and whose.  A process is
 * named by the number of its first SLOT chunk, its leader, which also carries the process record.  The
 * program that was exec'ed is the header's `leader`; children it forked claim SLOT chunks laid ready
 * (kind SPARE) and so live in the same file.  An exec makes a new file.
 *
 * Rules for writers: each word has one writer at a time (named below).  64-bit counters only grow.
 * Publish the payload, then the word that makes it valid (`ready`, `kind`), with a release store.
 * Rules for readers: hostile until verified.  Copy a field before checking it; take every stride and
 * count from the file, and step over what is longer than known here.  Sum frees first, allocations
 * after, so that a live count is never negative.
 */
#ifndef POOLMEM_FORMAT_H
#define POOLMEM_FORMAT_H

#include <poolmem/words.h>
#include <stdbool.h>
#include <stdint.h>

#define PM_MAGIC "poolmem\n"
#define PM_ENDIAN UINT32_C(0x01020304)
#define PM_READY UINT32_C(0x59444552)

/* Other values are those of libraries that `poolmem replay --what-if` tries: see launch/variants.h. */
#ifndef PM_UNIT_KIB
#define PM_UNIT_KIB 64
#endif
#ifndef PM_CHUNK_KIB
#define PM_CHUNK_KIB 16
#endif

enum {
	PM_FORMAT_VERSION = 2,
	PM_CHUNK_BYTES = PM_CHUNK_KIB * 1024,
	PM_UNIT_BYTES = PM_UNIT_KIB * 1024, /* granularity of pools */
	PM_ARENA_UNITS = 64,                /* units in an arena: one bit each in a 64-bit word */
	PM_TALLY_COUNT = PM_CHUNK_KIB > 16 ? 160 : 107, /* records of pm_slot.tally */
	PM_SWEEP_ROOM = 180,                            /* sweeps in a SURVIVAL chunk */
	PM_MARK_ROOM = 51,                              /* marks in a MARKS chunk */
	PM_MARK_NAME = 56,     /* bytes of a mark's name, the closing NUL among them */
	PM_COUNTER_ROOM = 24,  /* words of pm_slot.counter */
	PM_MOMENT_ROOM = 169,  /* moments in each half of a TIMELINE chunk */
	PM_FRAME_ROOM = 1022,  /* frames in a FRAMES chunk */
	PM_FRAME_IDS = 1024,   /* numbers that frames of a chunk have: see struct pm_frame */
	PM_SITE_ROOM = 60,     /* rows in a SITES chunk */
	PM_AGE_COUNT = 13,     /* age buckets */
	PM_MAP_ARENAS = 15,    /* arenas in a MAP chunk */
	PM_LEFT_STEP = 256,    /* pm_tally.left falls by this for each allocation */
	PM_RECENT_AGES = 7,    /* age buckets that pm_tally.recent counts */
	PM_RECENT_BITS = 9,    /* of each in there */
	PM_RECENT_SHIFT = 55,  /* of the sum in there */
	PM_CONTROL_SHIFT = 48, /* of the number in pm_process.control */
};

#define PM_CONTROL_PERIOD_MAX (UINT64_C(1) << 40) /* bytes; a process ignores what is beyond */

#define PM_NAME_OF_COUNTER(name, key, help) PM_COUNTER_##name,
enum pm_counter { PM_COUNTERS(PM_NAME_OF_COUNTER) PM_COUNTER_COUNT };
#define PM_NAME_OF_NOTE(name, key, help) PM_NOTE_##name,
enum pm_note { PM_NOTES(PM_NAME_OF_NOTE) PM_NOTE_COUNT };
#define PM_NAME_OF_STATE(name, key, help) PM_STATE_##name,
enum pm_state { PM_STATES(PM_NAME_OF_STATE) PM_STATE_COUNT };
#define PM_NAME_OF_MISUSE(name, key, help) PM_MISUSE_##name,
enum pm_misuse { PM_MISUSES(PM_NAME_OF_MISUSE) PM_MISUSE_COUNT };
#define PM_NAME_OF_CLOCK(name, key, length, help) PM_CLOCK_##name,
enum pm_clock { PM_CLOCKS(PM_NAME_OF_CLOCK) PM_CLOCK_COUNT };
#define PM_NAME_OF_END(name, key, help) PM_STACK_##name,
enum pm_stack_end { PM_STACK_ENDS(PM_NAME_OF_END) PM_STACK_END_COUNT };
#define PM_NAME_OF_CONTROL(name, key, help) PM_CONTROL_##name,
enum pm_control { PM_CONTROLS(PM_NAME_OF_CONTROL) PM_CONTROL_COUNT };
#define PM_NAME_OF_FACT(name, key, help) PM_FACT_##name,
enum pm_fact_tag { PM_FACTS(PM_NAME_OF_FACT) PM_FACT_COUNT };
#define PM_NAME_OF_INSIDE(name, help) PM_INSIDE_##name,
enum pm_inside { PM_INSIDE(PM_NAME_OF_INSIDE) PM_INSIDE_COUNT };

/* A table inside the header chunk.  offset: bytes from the start of the file. */
struct pm_table {
	uint64_t offset;
	uint32_t stride, count;
};

/* What a tally record counts. */
enum pm_class_kind {
	PM_CLASS_POOL = 1,        /* blocks of block_bytes, cut from pools of pool_bytes */
	PM_CLASS_LARGE = 2,       /* blocks too large for a pool, one run of pages each */
	PM_CLASS_LARGE_BYTES = 3, /* their usable bytes: same record, unit bytes instead of blocks */
};

/*
 * One size class, as data: a reader needs no allocator code.  Written once before `ready`; but where another allocator serves
 * (PM_NOTE_NEXT) a class stands for the first usable size up to request_max that came, and block_bytes is 0 until then, atomic.
 */
struct pm_class {
	uint32_t kind;        /* enum pm_class_kind */
	uint32_t block_bytes; /* usable size of each block; 0 for large */
	uint32_t pool_bytes;  /* size of a pool; 0 for large */
	uint32_t request_max; /* largest request served by this class, bytes */
};

/*
 * An age bucket of pm_tally.freed: deaths of blocks that were in `generation` and between age_min and
 * age_max epochs old (age_max UINT32_MAX: no end).  Written once before `ready`.
 */
struct pm_age {
	uint32_t generation, age_min, age_max, reserved;
};

/* Chunk 0.  Written by the process that creates the segment; `chunks` by whoever adds a chunk. */
struct pm_header {
	char magic[8];           /* PM_MAGIC */
	uint32_t endian;         /* PM_ENDIAN in the writer's byte order */
	uint32_t version;        /* PM_FORMAT_VERSION; a reader refuses a newer one */
	uint32_t header_bytes;   /* sizeof(struct pm_header) of the writer */
	uint32_t chunk_bytes;    /* PM_CHUNK_BYTES */
	uint64_t features;       /* parts a reader may ignore; none yet */
	uint64_t requires;       /* parts a reader must know, or refuse; none yet */
	uint64_t id[2];          /* random */
	uint8_t boot_id[16];     /* of the kernel; zero when unknown */
	uint64_t pid_namespace;  /* inode; zero when unknown */
	uint64_t run_id;         /* of `poolmem run`; zero for a bare preload */
	uint64_t created_ns;     /* CLOCK_REALTIME */
	uint64_t file_bytes;     /* size of the sparse file: the segment's limit */
	uint32_t page_bytes;     /* what pages are counted in */
	uint32_t unit_bytes;     /* PM_UNIT_BYTES */
	uint32_t arena_units;    /* PM_ARENA_UNITS */
	uint32_t slot_counters;  /* words in use of pm_slot.counter */
	uint32_t tally_offset;   /* of the tally records in a SLOT chunk, bytes */
	uint32_t tally_stride;   /* sizeof(struct pm_tally) */
	uint32_t map_arenas;     /* arenas in a MAP chunk */
	uint32_t leader;         /* chunk of the process that created the segment */
	struct pm_table classes; /* struct pm_class: one for each tally record */
	struct pm_table ages;    /* struct pm_age: one for each word of pm_tally.freed */
	uint32_t chunks;         /* chunks handed out, this one included; atomic, only grows */
	uint32_t ready;          /* PM_READY once all above is written */
};

enum pm_chunk_kind {
	PM_CHUNK_EMPTY = 0, /* handed out, not written yet: a reader steps over it */
	PM_CHUNK_SLOT = 1,
	PM_CHUNK_SPARE = 2, /* a SLOT laid ready for a forked child; becomes SLOT by compare-and-swap */
	PM_CHUNK_MAP = 3,
	PM_CHUNK_FACTS = 4,
	PM_CHUNK_DYING = 5, /* a SLOT of a dead process whose counts go to DEPARTED; see pm_slot.absorbed */
	PM_CHUNK_SURVIVAL = 6,
	PM_CHUNK_MARKS = 7,
	PM_CHUNK_FRAMES = 8,
	PM_CHUNK_SITES = 9,
	PM_CHUNK_TIMELINE = 10,
	PM_CHUNK_SURVEY = 11,
};

struct pm_chunk {
	uint32_t kind;     /* enum pm_chunk_kind; written last, atomic */
	uint32_t process;  /* leader chunk of the process it belongs to; of itself for a leader */
	uint32_t sequence; /* 0, 1, 2 ... among the chunks of one kind and process */
	uint32_t used_bytes; /* FACTS, SURVEY: bytes of the stream in this chunk; MAP, TIMELINE: bytes present, the rest is zero;
			      * SITES: bytes written, rows in use end there; atomic */
};

/*
 * Counts of one size class in one slot.  One writer: the thread that holds the slot.
 *
 *   allocations = limit[left & 1] - (left >> 8)        (arithmetic shift)
 *
 * An allocation is one subtraction of PM_LEFT_STEP from `left`; when that goes below zero the thread
 * takes a slow call, which writes the other `limit` and then `left`, its low byte one higher; or neither, then
 * the next allocation is another slow call.  A reader
 * reads both limits, left, and then the limit that belongs to it once more; when that has changed, it reads
 * all again.  (The low byte alone does not tell: it is the same after 256 slow calls.)
 *
 * A free of one of the first PM_RECENT_AGES ages is one addition to `recent`:
 *
 *   63 - 55  frees in there       9 a - 8 ... 9 a  those of age a = 1 ... 6       0  turn
 *
 * of which those that have no field are of age 0.  Others are one increment of freed[age].  When there are 256 the thread
 * moves them to `freed`: it writes, at the same turn, what the lowest nine bits of freed[0 ... 6] are going to be to bits
 * 9 a + 1 ... 9 a + 9 of `moving`; then `recent`, empty and at the other turn; then `freed`; then the other turn to `moving`.
 * So at any instant
 *
 *   frees of age a = freed[a] + recent[a] + (turns differ ? (moving[a] - freed[a]) mod 512 : 0)
 *
 * (256 and not 64: where free takes that turn the processor has foreseen the other, and throws away what it was ahead.)
 * A reader reads freed, recent, moving, in this order, and freed once more; when that has changed, it reads all again.
 */
struct pm_tally {
	int64_t left;
	int64_t limit[2];
	uint64_t freed[PM_AGE_COUNT];
	uint64_t recent,
		moving; /* from version 2 on, where tally_stride has room for them: before, each free was one of `freed` */
};

/* Frees that `recent` holds of an age from 1 on, and of age 0. */
static inline uint64_t pm_recent_aged(uint64_t recent, unsigned age)
{
	return recent >> (PM_RECENT_BITS * (age - 1) + 1) & ((1 << PM_RECENT_BITS) - 1);
}

/* All fields together are no more than the frees, so in the product each digit is the sum of the fields up to it. */
static inline uint64_t pm_recent_young(uint64_t recent)
{
	uint64_t sums = (recent >> 1) * 0x0000201008040201;
	return (recent >> PM_RECENT_SHIFT) - pm_recent_aged(sums << 1, PM_RECENT_AGES - 1);
}

/* Frees of an age in a record that holds still. */
static inline uint64_t pm_tally_freed(const struct pm_tally *tally, unsigned age)
{
	uint64_t count = tally->freed[age], mask = (1 << PM_RECENT_BITS) - 1;
	bool is_moving = (tally->recent ^ tally->moving) & 1;
	if (age >= PM_RECENT_AGES)
		return count;
	if (is_moving)
		count += ((tally->moving >> (PM_RECENT_BITS * age + 1)) - count) & mask;
	return count + (age ? pm_recent_aged(tally->recent, age) : pm_recent_young(tally->recent));
}

/* What of a generation a forked child began with. */
struct pm_inherited {
	uint64_t blocks, bytes;
};

/* A process.  One writer at a time: the process itself, at slow calls. */
struct pm_process {
	uint32_t state;       /* enum pm_state; written last at start and at exit */
	int32_t exit_status;  /* argument of exit(), when state is EXITED */
	uint32_t pid, ppid;   /* in the namespace of the header */
	uint64_t start_ticks; /* field 22 of /proc/PID/stat; zero for a forked child */
	uint32_t uid;
	uint32_t parent;   /* leader chunk of the process that forked it; zero for an exec'ed one */
	uint64_t began_ns; /* CLOCK_MONOTONIC */
	uint64_t ended_ns; /* CLOCK_MONOTONIC; zero while running */
	uint64_t began_real_ns; /* CLOCK_REALTIME */
	uint64_t notes;         /* bits of enum pm_note */
	uint64_t inherited_blocks, inherited_bytes;
	uint64_t live_now_bytes; /* as of the last slow call */
	uint64_t live_peak_bytes; /* highest live_now_bytes: seen at slow calls, see peak_bound_bytes */
	uint64_t peak_bound_bytes; /* the true peak is at most this much higher; sum over threads */
	uint64_t committed_bytes, committed_peak_bytes; /* mapped in arenas */
	uint64_t meta_bytes; /* descriptors and stamps, as many as were ever in use, and what is mapped for heaps */
	uint64_t purged_bytes; /* given back by madvise or munmap so far */
	uint64_t clock; /* what the clock has counted, as of slow calls; NET: the count now, which sweeps reset */
	uint64_t epoch;           /* young sweeps so far */
	uint64_t epoch_length;    /* clock units in the present epoch */
	uint64_t sweeps[3];       /* per generation */
	uint32_t threshold[3];    /* t0, t1, t2 */
	uint32_t slots_unseen;    /* threads that count in private memory */
	uint32_t children_unseen; /* forked children that found no area */
	uint32_t arenas_unseen;   /* arenas with no room in a MAP chunk */
	uint64_t published_epoch; /* epoch at which the pools were published last */
	uint64_t published_ns;    /* CLOCK_MONOTONIC */
	uint64_t misuse_address;
	uint32_t misuse_kind; /* enum pm_misuse, of the last one */
	uint32_t misuse_class;
	uint64_t misuse_count;
	uint32_t recycled_children; /* children whose totals are in DEPARTED, there and at the creator */
	uint32_t more_slots;        /* SLOT chunks besides the leader; atomic */
	uint32_t children;   /* forked children that found an area; atomic, written by them */
	uint32_t foreign;    /* bits of enum pm_foreign; atomic */
	uint32_t clock_kind; /* enum pm_clock: the unit of clock, epoch_length and threshold[0] */
	uint32_t control_state;              /* enum pm_control */
	uint64_t inherited_epoch;            /* of the parent, at the fork */
	struct pm_inherited inherited_in[3]; /* by generation at the fork; all zero: not known */
	uint64_t dropped_stacks; /* recorded blocks whose stack found no room: they stand in rows of frame 0; atomic */
	uint64_t dropped_blocks; /* blocks that should have been recorded and found no room; atomic */
	uint64_t site_period;    /* bytes; 0: sites are not recorded, 1: each block is */
	/*
	 * What `poolmem ctl` asks for, the one word that a reader writes; atomic.  Below PM_CONTROL_SHIFT a period as in
	 * site_period, above it a number that is another one each time and not 0.  0: nothing was asked for.  The process
	 * looks at it at slow calls.
	 */
	uint64_t control;
	uint64_t control_taken; /* the last one it has looked at, whether it followed or not; atomic */
	uint64_t sample_period; /* bytes: that of a sample, when no other is asked for */
	uint64_t site_since_ns; /* CLOCK_MONOTONIC: since when site_period is what it is; 0: since it began */
	uint64_t site_before; /* what it was before */
	uint64_t peak_excess_bytes; /* the true peak is at most this much lower than live_peak_bytes; atomic */
	/*
	 * Epochs at the beginning of which each row of call sites noted what lived of it, in turn; 0: none, or it is being
	 * written.  How far they are apart goes by the number of rows.
	 */
	uint64_t noted_epoch[2];
	uint32_t doubling; /* after so many epochs they become twice as long; 0: 1024, as once for all clocks */
	uint32_t reserved;
};

/* Why its pid does not tell others whether a process lives. */
enum pm_foreign {
	PM_FOREIGN_PIDS = 1,   /* its pids are of another namespace than the header's */
	PM_FOREIGN_LEADER = 2, /* its first thread has ended, others go on */
};

enum pm_slot_use {
	PM_SLOT_THREAD = 1, /* counts of threads, one after the other */
	PM_SLOT_SHARED = 2, /* counts of calls outside any thread's heap; atomic adds */
	PM_SLOT_DEPARTED = 3, /* added-up counts of dead children whose areas were reused: there are two,
			       * the one of the higher chunk.sequence is in force */
};

/* A thread slot.  One writer: the thread that holds it. */
struct pm_slot {
	struct pm_chunk chunk; /* SLOT or SPARE */
	uint32_t use;          /* enum pm_slot_use */
	uint32_t tid;          /* of the thread that holds it, or held it last; zero when unknown */
	uint32_t held;         /* 1 while a thread holds it */
	uint32_t holders;      /* threads that have held it so far */
	uint64_t began_ns;     /* CLOCK_MONOTONIC of the present or last holder */
	uint64_t ended_ns;
	uint64_t counter[PM_COUNTER_ROOM]; /* by enum pm_counter */
	uint32_t recycler; /* of the creator's leader: pid that writes DEPARTED just now; atomic */
	uint32_t absorbed; /* DEPARTED: this chunk's counts are in here, also while it stands as DYING */
	uint64_t control; /* the pm_process.control_taken that its thread follows; atomic */
	struct pm_process process; /* of a leader; DEPARTED: recycled_children; else zero */
	uint8_t room[960 - 16 - 32 - 8 * (PM_COUNTER_ROOM + 2) - sizeof(struct pm_process)];
	struct pm_tally tally[PM_TALLY_COUNT];
};

/*
 * What sweeps did to the blocks of a class, bytes of LARGE_BYTES: sums since the process began.  With what it
 * inherited, `began`, and what was allocated and died (in generation 0, 1, 2):
 *
 *   entered 0 = began[0] + allocated     survived 0 = survived         live = entered - survived - died
 *   entered 1 = began[1] + survived 0 - skipped      survived 1 = old - skipped
 *   entered 2 = began[2] + old
 *
 * Frozen blocks, all of generation 2, are counted apart: live 2 is less by those that are frozen now or died frozen, and
 * died 2, where pm_tally.freed counts them among the oldest, by the latter.
 */
struct pm_survivors {
	uint64_t survived; /* left generation 0 */
	uint64_t old;      /* came to generation 2 */
	uint64_t skipped;  /* of both: straight from 0 to 2, in a sweep of generation 1 or 2 */
};

struct pm_survivor_table {
	uint64_t epoch; /* the sweep that ended it; zero: not written yet; written last, atomic */
	uint64_t reserved;
	struct pm_survivors of[PM_TALLY_COUNT];
};

struct pm_sweep {
	uint64_t epoch;       /* that it ended; written last, atomic */
	uint64_t allocations; /* of the process so far, those inherited not counted */
	uint64_t clock;       /* what the clock had counted */
	uint32_t generation;
	uint32_t reserved;
};

/* Blocks of a class, bytes of LARGE_BYTES, that poolmem_freeze() took out of the statistics.  Atomic. */
struct pm_frozen {
	uint64_t now;  /* that live */
	uint64_t died; /* that died while they were frozen */
};

/* Of a process that has turned an epoch.  One writer at a time.  The table of the lower epoch is written next. */
struct pm_survival {
	struct pm_chunk chunk;
	uint32_t class_room; /* length of the arrays below; zero: emptied, of a process that is gone */
	uint32_t sweep_room;
	uint64_t uncertain; /* atomic: blocks that other threads allocated while sweeps were taken: as many may be in the
			     * wrong generation, at most; what lives is right again after the next sweep */
	struct pm_survivor_table table[2];
	uint64_t began[PM_TALLY_COUNT][3]; /* a forked child's: inherited, by the generation then */
	struct pm_sweep sweep[PM_SWEEP_ROOM]; /* the last ones, epoch modulo their number */
	struct pm_frozen frozen[PM_TALLY_COUNT]; /* where there is room for it behind sweep_room sweeps */
};

/* Where the process called poolmem_mark(): sums over all its threads since it began. */
struct pm_mark {
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	uint64_t epoch, sweeps[3];
	uint64_t allocated, freed[PM_AGE_COUNT];             /* blocks */
	uint64_t allocated_bytes, freed_bytes[PM_AGE_COUNT]; /* usable ones */
	char name[PM_MARK_NAME]; /* UTF-8 if the program's is, cut where it was longer; the last byte is 0 */
};

/* Of a process that has marked something.  One writer at a time. */
struct pm_marks {
	struct pm_chunk chunk;
	uint32_t made; /* marks so far; those beyond `room` are counted only; written last, atomic */
	uint32_t room; /* length of the array below; zero: emptied, of a process that is gone */
	uint32_t mark_stride; /* sizeof(struct pm_mark) */
	uint32_t reserved;
	struct pm_mark mark[PM_MARK_ROOM];
};

/* What a process had at a moment, as of its slow calls. */
struct pm_moment {
	uint64_t at_ns; /* CLOCK_MONOTONIC; up to a tick of the kernel's clock early, 4 ms or so */
	uint64_t allocations; /* of the process so far */
	uint64_t live_bytes;  /* usable ones of live blocks */
	uint64_t used_bytes;  /* of pools and large blocks, without pages inside that went back */
	uint64_t kept_bytes;  /* besides, free, and not given back */
	uint64_t committed_bytes; /* mapped in arenas */
};

/*
 * A process over time.  One writer at a time.  It goes by stretches of time and of allocations: `open` is the moment
 * when most was live in the one that has not ended, a point the same of one that has; the last point of a process that
 * ended by exit() is its end.  When there is no room stretches become longer, and points are merged into the other half.
 *
 * All that is in force hangs on `state`: of half[state >> 16 & 1] the first state & 0xffff points, in order of time, and
 * after them open[state >> 17 & 1], unless state is 0.  The upper 32 bits count changes.  A change writes what is
 * not in force, and then `state`: who is killed leaves it whole, and who copies it looks at `state` before and after.
 */
struct pm_timeline {
	struct pm_chunk chunk;
	uint64_t state;         /* written last, atomic */
	uint32_t moment_stride; /* sizeof(struct pm_moment) */
	uint32_t room;          /* moments in each half; zero: emptied, of a process that is gone */
	struct pm_moment open[2];
	struct pm_moment half[2][PM_MOMENT_ROOM];
};

/*
 * A return address and who called: stacks share what they have in common.  Frames belong to the file, not to a process:
 * a forked child's rows lead to its parent's frames, too.  Frame n of chunk c has the number c * PM_FRAME_IDS + n; 0 is
 * none.  A process may enter the same one twice.
 */
struct pm_frame {
	uint64_t address;    /* written last, atomic; 0: not written yet */
	uint32_t caller;     /* number of the frame outside this one; 0: none is known */
	uint32_t generation; /* of the code at that address: see PM_FACT_GENERATION */
};

struct pm_frames {
	struct pm_chunk chunk;
	uint32_t frame_stride; /* sizeof(struct pm_frame) */
	uint32_t frame_room;   /* length of the array below */
	uint64_t reserved;
	struct pm_frame frame[PM_FRAME_ROOM];
};

/*
 * What a thread slot did with recorded blocks of one stack and size.  One writer, that thread; of the shared slot all,
 * by atomic adds.  What one slot allocated another may have freed: sum rows of a stack over slots.
 *
 * A block is recorded with probability p = 1 - exp(-unit / period), where `unit` is the class's block_bytes, of
 * LARGE blocks 2 to the power of large_log2, the greatest not above their usable bytes; with period 1, p is 1.
 * A recorded block stands for 1/p blocks.  Of a process that was told to record otherwise, a slot has another row for
 * the same stack and size: a block is freed in the row of the period that it was recorded by.
 */
struct pm_site {
	uint32_t frame;      /* innermost one outside the library; 0: unknown */
	uint32_t slot;       /* SLOT chunk of the writer; 0: the shared slot */
	uint16_t size_class; /* index of the tally record: of a pool's class or LARGE */
	uint8_t large_log2;
	uint8_t stack_end; /* enum pm_stack_end */
	uint32_t reserved;
	uint64_t period; /* bytes */
	uint64_t allocated, allocated_bytes,
		requested; /* recorded blocks; usable and requested bytes */
	uint64_t freed, freed_bytes,
		freed_requested; /* of these, by this slot, wherever they came from */
	int64_t resized_bytes, resized_requested; /* in place: what live blocks gained */
	uint64_t moved;                           /* of `allocated`: by a realloc that moved */
	uint64_t temporary; /* of `freed`: the thread allocated nothing in between, and no epoch had turned */
	uint64_t remote;    /* of `freed`: another thread's heap owned the block */
	uint64_t inherited; /* of the parent's blocks, freed in a forked child; not in `freed` */
	uint64_t died[PM_AGE_COUNT]; /* of `freed`, by age as in pm_tally.freed */
	/* Allocated less freed, and with what was resized, when live bytes of the process were highest, or up to a
	 * 64th and 16 KiB lower, while sites were recorded.  Of whoever saw that. */
	int64_t peak_live, peak_bytes;
	/* Likewise, when the epochs pm_process.noted_epoch began, the one and the other.  Not in rows of earlier versions. */
	struct pm_site_then {
		int64_t live, bytes;
	} then[2];
};

/* Rows of a process, in use up to chunk.used_bytes; a later version's are longer. */
struct pm_sites {
	struct pm_chunk chunk;
	uint32_t row_stride; /* sizeof(struct pm_site) */
	uint32_t row_room;   /* length of the array below */
	uint64_t reserved;
	struct pm_site row[PM_SITE_ROOM];
};

enum pm_pool_state {
	PM_POOL_NONE = 0, /* no pool begins at this unit */
	PM_POOL_LIVE = 1,
	PM_POOL_LARGE = 2,
};

/* A pool or a large block, at the unit where it begins.  Written at each epoch and at exit. */
struct pm_pool {
	uint32_t owner;         /* SLOT chunk of the owning thread; zero: none or unknown */
	uint16_t live;          /* blocks live */
	uint16_t capacity;      /* blocks that fit */
	uint8_t state;          /* enum pm_pool_state */
	uint8_t size_class;     /* index of the tally record */
	uint16_t touched_pages; /* pages from the start that were ever written */
	uint32_t pages;         /* length, in pages of the header's page_bytes */
};

enum pm_arena_kind {
	PM_ARENA_NONE = 0,
	PM_ARENA_POOLS = 1, /* cut into pools and large blocks */
	PM_ARENA_HUGE = 2,  /* part of one block with arenas of its own; described by the first */
};

/* An arena: PM_ARENA_UNITS units from base on.  Bit n of a word is unit n. */
struct pm_arena {
	uint64_t base;         /* address */
	uint64_t free_units;   /* mapped and not in use */
	uint64_t dirty_units;  /* of these, written to and not yet given back */
	uint32_t mapped_units; /* from the start */
	uint32_t kind;         /* enum pm_arena_kind */
	uint64_t huge_bytes; /* HUGE, first arena: mapped for the block, which lives if pool[0] is LARGE; else 0 */
	uint64_t reserved[3];
	struct pm_pool pool[PM_ARENA_UNITS];
};

/* Arenas sequence * PM_MAP_ARENAS ... of a process. */
struct pm_map {
	struct pm_chunk chunk;
	uint64_t reserved[6];
	struct pm_arena arena[PM_MAP_ARENAS];
};

/*
 * Facts of a process: the used_bytes after each struct pm_chunk, put together in order of sequence, are
 * a stream of these records, each padded to 8 bytes.
 */
struct pm_fact {
	uint32_t tag;   /* enum pm_fact_tag; unknown ones are stepped over */
	uint32_t bytes; /* of the payload that follows */
};

/*
 * Where each block is, when the process ended (setting `frag`): SURVEY chunks hold a stream like that of facts, whose tags
 * are these.  A survey without END was cut short.
 */
enum pm_survey_tag {
	PM_SURVEY_NONE = 0,
	PM_SURVEY_BEGIN = 1, /* struct pm_survey; once more before END when there was drift */
	PM_SURVEY_SMAPS = 2, /* text: of /proc/PID/smaps the lines that begin a mapping, Rss, Swap and AnonHugePages */
	PM_SURVEY_RANGE = 3, /* struct pm_survey_range */
	PM_SURVEY_ARENA = 4, /* struct pm_survey_arena, resident pages */
	PM_SURVEY_POOL = 5,  /* struct pm_survey_pool, states, frames */
	PM_SURVEY_END = 6,   /* empty */
	PM_SURVEY_LIVE = 7, /* struct pm_survey_live each, where the survey was taken from outside */
	PM_SURVEY_COUNTS = 8, /* struct pm_survey_counts; of the end only by newer libraries */
};

struct pm_survey {
	uint64_t at_ns;       /* CLOCK_MONOTONIC */
	uint64_t drift_bytes; /* by which RSS changed while it was taken */
	uint32_t page_bytes;  /* that a bit of pm_survey_arena stands for */
	uint32_t knows_pages; /* 1: resident pages are those of the kernel; 0: not known, all bits are set */
};

enum pm_range_use {
	PM_RANGE_META = 1,      /* what the allocator needs */
	PM_RANGE_TELEMETRY = 2, /* what the records need; the segment; the library itself */
};

/* Memory of the library outside arenas. */
struct pm_survey_range {
	uint64_t first, bytes; /* address and length */
	uint64_t resident_bytes;
	uint32_t use; /* enum pm_range_use */
	uint32_t reserved;
};

/* Followed by its resident pages, a bit for each, that of the first one lowest, in words of 64 bits. */
struct pm_survey_arena {
	uint64_t base;
	uint64_t free_units;       /* mapped and not in use, a bit each */
	uint64_t meta, meta_bytes; /* address and length of its descriptors */
	uint64_t meta_resident;    /* bytes */
	uint32_t kind;             /* enum pm_arena_kind */
	uint32_t mapped_units;
};

/* What of a row of struct pm_site was live: its figures then. */
struct pm_survey_live {
	uint32_t frame;
	uint16_t size_class;
	uint8_t large_log2, reserved;
	uint64_t period;
	int64_t blocks, bytes; /* below 0: slots were read one after the other */
};

/* By the counters of the process, before its blocks were gone through and after. */
struct pm_survey_counts {
	uint64_t live_blocks, live_bytes; /* usable ones; after */
	/* Blocks that were live before and not after, and the other way round: so many at most, by size class. */
	uint64_t drift_blocks, drift_bytes;
};

enum pm_survey_pool_state {
	PM_SURVEY_BLOCKS = 1, /* cut into blocks of one class */
	PM_SURVEY_LARGE = 2,  /* one block */
	PM_SURVEY_KEPT = 3,   /* was one, and is kept by a thread for its next */
};

/*
 * A pool or a large block.  Unless all blocks are live, followed by two bits for each block, in words of 32 bits, those
 * of the first lowest: 0 it is free, else 1 more than its generation.  And, where live blocks were recorded, by
 * frame_count numbers of frames, the innermost one of a stack, then for each live block, in order of address, 16 bits:
 * 0 it was not recorded, else 1 more than the index of its frame.  Padded to 8 bytes.
 */
struct pm_survey_pool {
	uint64_t first, bytes; /* address and length of the units it has */
	uint64_t start;        /* address of its first block */
	uint64_t block_bytes;  /* usable, of each */
	uint32_t capacity;     /* blocks that fit */
	uint32_t live[3];      /* blocks, by generation */
	uint32_t owner;        /* SLOT chunk of the owning thread; 0: none or unknown */
	uint8_t state;         /* enum pm_survey_pool_state */
	uint8_t size_class;    /* index of the tally record */
	uint8_t has_states, reserved;
	uint32_t frame_count;
	uint32_t recorded;           /* live blocks whose requested size is known */
	uint64_t recorded_requested; /* their requested bytes */
};

/* Payload of a MODULE fact, before build_id_bytes of build id and the path (no NUL). */
struct pm_module {
	uint64_t base;        /* load bias */
	uint64_t first, last; /* addresses of its first and behind its last byte */
	uint32_t build_id_bytes;
	uint32_t path_bytes;
};

/*
 * A capture: PM_CAPTURE_MAGIC, then sections, each a struct pm_section and its payload padded to 8 bytes,
 * closed by an END section.  A capture without END was cut short.
 */
#define PM_CAPTURE_MAGIC "pmcaptur"
#define PM_SECTION_MAGIC UINT32_C(0x53436d70)

enum pm_section_kind {
	PM_SECTION_END = 1,     /* empty */
	PM_SECTION_SEGMENT = 2, /* the chunks of one segment */
	PM_SECTION_RUN = 3,     /* JSON: what `poolmem run` saw from outside */
	PM_SECTION_NAMES = 4, /* struct pm_names: what `poolmem pack` found out about code; once at most */
	PM_SECTION_SURVEY = 5, /* struct pm_survey_of: what `poolmem run --frag` saw of a process */
};

enum pm_survey_peak {
	PM_PEAK_RSS = 1,  /* when most of the tree was resident */
	PM_PEAK_LIVE = 2, /* when most of the process was live */
};

/* Payload of a SURVEY section: this, then a stream as in SURVEY chunks, taken from outside about then. */
struct pm_survey_of {
	uint64_t id[2];  /* of the segment's header */
	uint32_t leader; /* chunk of the process */
	uint32_t peaks;  /* bits of enum pm_survey_peak; 0: RSS */
	uint64_t rss;    /* of the tree of processes then, bytes */
};

struct pm_capture {
	char magic[8];    /* PM_CAPTURE_MAGIC */
	uint32_t endian;  /* PM_ENDIAN */
	uint32_t version; /* PM_FORMAT_VERSION */
};

struct pm_section {
	uint32_t magic; /* PM_SECTION_MAGIC */
	uint32_t kind;  /* enum pm_section_kind; unknown ones are stepped over */
	uint64_t bytes; /* of the payload, padding not counted */
	uint32_t crc32; /* of the payload, as zlib's crc32() */
	uint32_t flags; /* none yet */
};

/*
 * Payload of a NAMES section: this, then one zstd frame that unpacks to struct pm_names_index and the tables that
 * it lists, whose offsets count from its first byte.  With it code is named without any file that the recording
 * names.  A text is the offset of its first byte in `texts`, of at most PM_NAMES_TEXT bytes and the closing 0; text 0
 * is empty and stands for what is not known.
 */
enum { PM_NAMES_VERSION = 1, PM_NAMES_TEXT = 4096, PM_NAMES_CALLS = 128, PM_NAMES_BYTES = 1 << 30 };

struct pm_names {
	uint32_t version; /* PM_NAMES_VERSION; a reader refuses a newer one */
	uint32_t reserved;
	uint64_t bytes; /* of what the frame unpacks to: at most PM_NAMES_BYTES */
};

struct pm_names_index {
	struct pm_table texts;   /* bytes */
	struct pm_table modules; /* struct pm_names_module */
	struct pm_table codes; /* struct pm_names_code: those of the first module, of the second ... */
	struct pm_table calls; /* struct pm_names_call: those of the first code, of the second ... */
};

/* A file that was mapped, or code of no file in the processes of a pid. */
struct pm_names_module {
	uint32_t path, build_id; /* texts; build_id in hexadecimal */
	uint32_t lack, help;     /* texts: what was missing, and what would help */
	uint32_t pid;            /* of code of no file; else 0 */
	uint32_t code_count;
};

/* A place in code.  In order of address within a module, none twice. */
struct pm_names_code {
	uint64_t address; /* a byte of the call; from the module's load bias, or as it was without a file */
	uint32_t call_count; /* 1 to PM_NAMES_CALLS, innermost first */
	uint32_t reserved;
};

enum { PM_NAMES_INLINED = 1 }; /* into the next one */

struct pm_names_call {
	uint32_t function, file; /* texts */
	uint32_t line;           /* 0: not known */
	uint32_t flags;
};

_Static_assert(sizeof(struct pm_tally) == 144, "no padding");
_Static_assert(sizeof(struct pm_pool) == 16, "packed");
_Static_assert(sizeof(struct pm_survey_pool) == 72, "no padding");
_Static_assert(sizeof(struct pm_slot) <= PM_CHUNK_BYTES, "a slot is one chunk");
_Static_assert(sizeof(struct pm_map) <= PM_CHUNK_BYTES, "a map is one chunk");
_Static_assert(sizeof(struct pm_survival) <= PM_CHUNK_BYTES, "sweeps are one chunk");
_Static_assert(sizeof(struct pm_marks) <= PM_CHUNK_BYTES, "marks are one chunk");
_Static_assert(sizeof(struct pm_timeline) <= PM_CHUNK_BYTES, "a timeline is one chunk");
_Static_assert(sizeof(struct pm_frames) <= PM_CHUNK_BYTES, "frames are one chunk");
_Static_assert(sizeof(struct pm_sites) <= PM_CHUNK_BYTES, "rows of sites are one chunk");
_Static_assert(__builtin_offsetof(struct pm_slot, tally) == 960, "header.tally_offset");
_Static_assert((int)PM_COUNTER_COUNT <= (int)PM_COUNTER_ROOM, "room for counters");

#endif
