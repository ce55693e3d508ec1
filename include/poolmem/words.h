/* SPDX-License-Identifier: MIT */
/*
 * words.h: one list per vocabulary.
 *
 * Enum, name, help text and JSON key of each word come from one list here, so that the library, the
 * analyzer and the documents cannot disagree.  New words go to the end of their list: positions are
 * part of the segment format.
 */
#ifndef POOLMEM_WORDS_H
#define POOLMEM_WORDS_H

/*
 * Counters of a thread slot, besides those per size class.  Written by the slot's thread alone,
 * 64 bit, monotonic.            X(NAME, "metric or json key", "help")
 */
#define PM_COUNTERS(X)                                                                             \
	X(REALLOC, "realloc.count", "calls of realloc that changed or kept a block")               \
	X(REALLOC_MOVED, "realloc.moved", "calls of realloc that moved the block")                 \
	X(ALLOC_FAILED, "alloc.failed", "requests refused, all entry points")                      \
	X(FOREIGN_FREE, "foreign.free", "frees of blocks of another allocator, handed on to it")   \
	X(REMOTE_FREE, "free.remote", "frees of blocks that another thread's heap owns")           \
	X(NESTED, "alloc.nested", "requests of signal handlers inside, or threads past their end") \
	X(TICKS, "tick.count", "slow calls that the countdown of a size class asked for")          \
	X(POOLS_TAKEN, "pool.taken", "pools taken from arenas")                                    \
	X(POOLS_GIVEN, "pool.given", "pools given back to arenas")                                 \
	X(REQUESTED, "alloc.requested", "requested bytes of blocks handed out, with heap=next")

/*
 * Why a figure is missing or smaller than the truth.  Bits of pm_process.notes.
 *                               X(NAME, "json key", "what to tell the user")
 */
#define PM_NOTES(X)                                                                                 \
	X(TRUNCATED, "truncated",                                                                   \
	  "shared memory was full: new threads and pools are not in the segment")                   \
	X(THREADS_UNSEEN, "threads_unseen",                                                         \
	  "some threads counted in private memory: their calls are missing here")                   \
	X(CHILDREN_UNSEEN, "children_unseen",                                                       \
	  "some forked children found no spare area: their calls are missing here")                 \
	X(NO_WIPE, "no_wipe_on_fork",                                                               \
	  "the kernel has no MADV_WIPEONFORK: children of _Fork and clone count here")              \
	X(PASSIVE, "passive", "another malloc stands before poolmem and serves this program")       \
	X(NO_POPULATE, "fixed_size",                                                                \
	  "the kernel cannot populate on demand: the segment has a fixed, smaller size")            \
	X(FACTS_CUT, "facts_cut", "arguments and modules were too long for their room and are cut") \
	X(RECYCLED, "children_recycled",                                                            \
	  "areas of dead children were reused: their totals are added up")                          \
	X(OTHER_HEAP, "other_heap",                                                                 \
	  "another allocator works beside poolmem (the break has moved): libc's own for a library " \
	  "opened with RTLD_DEEPBIND, or the program's; its blocks are not in this report")         \
	X(NEXT, "heap_next",                                                                        \
	  "another allocator served the memory (heap=next): its calls were counted; where its "     \
	  "blocks and free pages lie is not known; large are blocks over 32 KiB, and those of "     \
	  "another size than the first of their class")                                             \
	X(NO_BIRTHS, "no_births",                                                                   \
	  "when blocks were born was not recorded (gen=off): there are no ages and generations")    \
	X(BIRTHS_LOST, "births_lost",                                                               \
	  "there was no memory to note when some blocks were born: these were not counted")         \
	X(NEW_UNSEEN, "new_unseen",                                                                 \
	  "the other allocator serves C++ new and delete past malloc: these were not counted "      \
	  "(preload libpoolmem-cxx.so behind libpoolmem.so)")

/* What a process is doing, as far as the segment knows.  pm_process.state. */
#define PM_STATES(X)                                                                               \
	X(NONE, "none", "no process here")                                                         \
	X(RUNNING, "running", "running, or ended without exit()")                                  \
	X(EXITED, "exited", "ended by exit() or by returning from main")

/* How the program broke malloc's contract.  pm_process.misuse_kind. */
#define PM_MISUSES(X)                                                                              \
	X(NONE, "none", "")                                                                        \
	X(DOUBLE_FREE, "double free", "the block is free already")                                 \
	X(INTERIOR_FREE, "interior free", "the address lies inside a block, not at its start")     \
	X(INVALID_FREE, "invalid free", "no block was ever handed out at the address")             \
	X(CORRUPT_LINK, "corrupt free list", "a free block was written to after its free")

/* How the stack of a recorded block ends.  pm_site.stack_end.       X(NAME, "json key", "what it is") */
#define PM_STACK_ENDS(X)                                                                           \
	X(WHOLE, "whole", "up to the first function of the thread")                                \
	X(CUT, "cut", "deeper than is kept: outer frames are missing")                             \
	X(LOST, "lost", "up to code without unwinding information, or memory that cannot be read") \
	X(NONE, "none", "not taken, for want of room or time")                                     \
	X(GUESSED, "guessed", "whole, but on the way frame pointers alone had to tell")

/* Whether a process that runs can be told to record call sites otherwise.  pm_process.control_state. */
#define PM_CONTROLS(X)                                                                             \
	X(NONE, "unknown", "its libpoolmem.so is too old for that")                                \
	X(OPEN, "open", "it can")                                                                  \
	X(NEVER, "never", "it was started with sites=never")                                       \
	X(NO_STACKS, "no_stacks", "its stacks cannot be walked: that needs glibc 2.35 or newer")   \
	X(NO_BIRTHS, "no_births",                                                                  \
	  "it was started with heap=next and gen=off: recorded blocks are told by their stamps")

/* Process facts, a stream of pm_fact records.   X(NAME, "json key", "content") */
#define PM_FACTS(X)                                                                                \
	X(NONE, "none", "")                                                                        \
	X(EXE, "exe", "path of the executable")                                                    \
	X(ARGV, "argv", "arguments, NUL after each")                                               \
	X(OPTIONS, "options", "settings in force, key=value, NUL after each")                      \
	X(PARENTS, "parents", "pids of the parents at start, nearest first, uint32_t each")        \
	X(MODULE, "module", "struct pm_module, build id, path")                                    \
	X(NEXT, "next", "path of the allocator that foreign frees go to")                          \
	X(GENERATION, "generation",                                                                \
	  "uint32_t: modules that follow hold frames of this one and later ones; at first 0")      \
	X(DIRECTORY, "directory", "working directory at start: of modules with relative names")    \
	X(INSIDE, "inside",                                                                        \
	  "uint64_t each, in the order of PM_INSIDE: where the process keeps what it knows")

/*
 * Where a reader that may read the memory of the process finds what the library knows of arenas, pools and blocks, as
 * CPython's _Py_DebugOffsets tells a debugger.  AT: an address in the process; OF: an offset in bytes inside a record;
 * others are values.  A forked child has the same.    X(NAME, "what it is")
 */
#define PM_INSIDE(X)                                                                               \
	X(BASE, "address of arena 0")                                                              \
	X(ARENAS_AT, "uint32_t: arenas ever claimed")                                              \
	X(ARENA_BLOCKS_AT, "array of pointers to blocks of arenas")                                \
	X(ARENA_BLOCK, "arenas in a block")                                                        \
	X(ARENA_BYTES, "length of an arena's record")                                              \
	X(ARENA_FREE_OF, "uint64_t: free units")                                                   \
	X(ARENA_MAPPED_OF, "uint32_t: units mapped")                                               \
	X(ARENA_KIND_OF, "uint32_t: one of KIND")                                                  \
	X(ARENA_HUGE_BYTES_OF, "uint64_t: length of a huge block")                                 \
	X(ARENA_RECORDS_OF, "pointer to its descriptors")                                          \
	X(ARENA_RECORD_AT_OF,                                                                      \
	  "uint16_t by unit: where its descriptor is there, in RECORD_LINE; 0: nowhere")           \
	X(ARENA_BESIDE_OF, "pointer by unit: records of its blocks, NULL: none")                   \
	X(RECORDS_BYTES, "length of an arena's descriptors")                                       \
	X(RECORD_LINE, "bytes")                                                                    \
	X(KIND_POOLS, "an arena of pools")                                                         \
	X(KIND_HUGE, "the first arena of a huge block")                                            \
	X(KIND_HUGE_TAIL, "another arena of one")                                                  \
	X(POOL_BYTES, "length of a descriptor; a stamp for each block follows")                    \
	X(POOL_START_OF, "pointer to the first block")                                             \
	X(POOL_CAPACITY_OF, "uint64_t: blocks")                                                    \
	X(POOL_THREADED_OF, "uint32_t: blocks ever on the free list")                              \
	X(POOL_BLOCK_BYTES_OF, "uint64_t: usable bytes of a block")                                \
	X(POOL_UNITS_OF, "uint16_t: its units")                                                    \
	X(POOL_FIRST_UNIT_OF, "uint8_t: the first")                                                \
	X(POOL_CLASS_OF, "uint8_t: its size class")                                                \
	X(POOL_STATE_OF, "uint8_t: one of STATE, else it is cut into blocks")                      \
	X(STATE_UNUSED, "no pool")                                                                 \
	X(STATE_LARGE, "one block")                                                                \
	X(STATE_KEPT, "was one")                                                                   \
	X(AGES_AT, "int64_t by stamp: offset of pm_tally.freed[] for a block that dies now")       \
	X(STAMP_SPECIAL, "of a block that is recorded or frozen")                                  \
	X(OWN_AT, "records of the library's own mappings")                                         \
	X(OWN_COUNT_AT, "uint32_t: how many")                                                      \
	X(OWN_MAX, "how many there may be")                                                        \
	X(OWN_BYTES, "length of one: address, length, use, 8 bytes each, the last of 4")           \
	X(SEGMENT_AT, "pointer to the segment")                                                    \
	X(SEGMENT_CHUNKS_AT, "uint32_t: chunks of it that are mapped")                             \
	X(IMAGE_FIRST, "address of the library")                                                   \
	X(IMAGE_LAST, "and of what is behind it")                                                  \
	X(BESIDE_ENTRY_OF, "the first record beside a pool, behind uint32_t: how many")            \
	X(BESIDE_BYTES, "length of one: begins with uint32_t, whose lowest bits are the row")      \
	X(BESIDE_ROW_BITS, "how many; the next one says that the block is frozen")                 \
	X(BESIDE_REQUESTED_OF, "uint16_t: requested bytes")                                        \
	X(BESIDE_STAMP_OF, "uint8_t: its stamp")                                                   \
	X(TABLES_AT, "pointers to tables of recorded blocks by address")                           \
	X(TABLES, "how many there may be")                                                         \
	X(TABLE_PLACES, "places of the first: addresses, then as many records")                    \
	X(TABLE_SHIFT, "each has so many times more, by a shift")                                  \
	X(RECORDED_BYTES, "length of a record there; begins with the address")                     \
	X(RECORDED_REQUESTED_OF, "uint64_t: requested bytes")                                      \
	X(RECORDED_ROW_OF, "uint32_t: row; 0: none")                                               \
	X(RECORDED_STAMP_OF, "uint8_t: its stamp")                                                 \
	X(RECORDED_FROZEN_OF, "bool")                                                              \
	X(SITES_AT, "pointers to blocks of sites; site n of a row: (row - 1) % SITES")             \
	X(SITES, "how many there may be")                                                          \
	X(SITE_BLOCK, "sites in a block")                                                          \
	X(SITE_BYTES, "length of a site")                                                          \
	X(SITE_FRAME_OF, "uint32_t: number of its innermost frame")                                \
	X(POOL_OWNER_OF, "pointer to the heap that owns it, or a small number")                    \
	X(HEAP_SLOT_OF, "of a heap: pointer to its private counters")                              \
	X(HEAP_SHIFT_OF,                                                                           \
	  "of a heap: int64_t, from those to its SLOT chunk where that is mapped; 0: none")

/*
 * What the clock of the generations counts.  pm_process.clock_kind.
 *                               X(NAME, "word", units of the first epoch by default, "what is counted")
 */
#define PM_CLOCKS(X)                                                                               \
	X(ALLOCS, "allocs", 1000, "allocations")                                                   \
	X(BYTES, "bytes", 65536, "usable bytes handed out")                                        \
	X(NET, "net", 700, "allocations less frees, never below 0, as Python's gc counts")         \
	X(MS, "ms", 10, "milliseconds")

/*
 * Settings, given as POOLMEM="key=value,key=value".
 *   X(FIELD, "key", KIND, default, "values or unit", "help")
 * KIND: CHOICE (of the words in values), BYTES (with K, M, G), ROOM (the same, PM_ROOM_BYTES_MIN or more), NUMBER,
 * FLAG (0 or 1), PATH, TRIPLE (of numbers).  The words of gen.clock are those of PM_CLOCKS, in its order; the
 * first number of gen.threshold is the default for the first of them.
 */
#define PM_ROOM_BYTES_MIN (128 << 10)
#define PM_SETTINGS(X)                                                                                \
	X(sites, "sites", CHOICE, "sample", "off|sample|all|never",                                   \
	  "record call sites: of no block, of blocks drawn at random by their bytes, of each")        \
	X(sites_period, "sites.period", BYTES, "512K", "bytes",                                       \
	  "of a sample: one recorded block in so many bytes on the average")                          \
	X(dir, "dir", PATH, "", "path",                                                               \
	  "directory of the segments (default /dev/shm/poolmem-UID, or TMPDIR)")                      \
	X(max, "max", BYTES, "0", "bytes",                                                            \
	  "all segments of a user together, 0: the smaller of 256M and an eighth of the disk")        \
	X(segment_max, "segment.max", ROOM, "64M", "bytes, 128K or more", "one segment at most")      \
	X(gen_clock, "gen.clock", CHOICE, "allocs", "allocs|bytes|net|ms",                            \
	  "what an epoch is counted in: allocations, their bytes, allocations less frees, time")      \
	X(gen_threshold, "gen.threshold", TRIPLE, "1000:10:10",                                       \
	  "N:N:N, plain numbers, the first from 1, the second up to 100",                             \
	  "units of gen.clock per young sweep (default 1000 allocs, 65536 bytes, 700 net, 10 ms),"    \
	  " young sweeps per middle one, middle ones per full one")                                   \
	X(on_error, "on_error", CHOICE, "abort", "abort|report",                                      \
	  "after a double or invalid free: abort, or report it and go on")                            \
	X(purge_ms, "purge.ms", NUMBER, "200", "milliseconds",                                        \
	  "how long free memory is kept before it goes back to the kernel")                           \
	X(repeatable, "repeatable", FLAG, "0", "0|1",                                                 \
	  "free memory waits for 1,000 allocations where it would wait for a millisecond, and with"   \
	  " sites=all the peak of live bytes is seen at each call: for `poolmem check`")              \
	X(frag, "frag", CHOICE, "off", "off|exit",                                                    \
	  "at its end the process notes where each block and each resident page is, for"              \
	  " `poolmem frag`; opens /proc/self/smaps and pagemap then")                                 \
	X(heap, "heap", CHOICE, "own", "own|next",                                                    \
	  "whose memory serves: poolmem's, or the next allocator's of the preload list, or"           \
	  " libc's, whose calls are then counted")                                                    \
	X(gen, "gen", CHOICE, "on", "on|off",                                                         \
	  "with heap=next: keep the birth of each block, a byte for 16 bytes, for generations")       \
	X(trace, "trace", NAME, "", "file",                                                           \
	  "each call of malloc's family goes to this file, for `poolmem replay`; %p: the process id") \
	X(trace_max, "trace.max", BYTES, "64G", "bytes", "the trace at most")                         \
	X(run, "run", NUMBER, "0", "number", "set by `poolmem run`: ties a process tree together")    \
	X(help, "help", FLAG, "0", "0|1", "print this list at start")

/*
 * Metrics: the flat names of every --json.
 *   X(NAME, "name", UNIT, "meaning")      UNIT: COUNT, BYTES, NS, NUMBER
 */
#define PM_METRICS(X)                                                                              \
	X(ALLOC_COUNT, "alloc.count", COUNT, "blocks handed out")                                  \
	X(FREE_COUNT, "free.count", COUNT, "blocks given back")                                    \
	X(ALLOC_FAILED, "alloc.failed", COUNT, "requests refused")                                 \
	X(INHERITED_BLOCKS, "inherited.blocks", COUNT, "blocks a forked child began with")         \
	X(INHERITED_BYTES, "inherited.bytes", BYTES, "usable bytes a forked child began with")     \
	X(REALLOC_COUNT, "realloc.count", COUNT, "calls of realloc on a block")                    \
	X(REALLOC_MOVED, "realloc.moved", COUNT, "of these, calls that moved the block")           \
	X(ALLOC_BYTES, "alloc.bytes", BYTES, "usable bytes handed out")                            \
	X(FREE_BYTES, "free.bytes", BYTES, "usable bytes given back")                              \
	X(LIVE_BLOCKS, "live.blocks", COUNT, "blocks live now or at the end")                      \
	X(LIVE_BYTES, "live.bytes", BYTES, "usable bytes live now or at the end")                  \
	X(LIVE_PEAK, "live.peak", BYTES, "highest sum of usable bytes live")                       \
	X(FOREIGN_FREE, "foreign.free", COUNT, "frees handed on to another allocator")             \
	X(FREE_REMOTE, "free.remote", COUNT, "frees by a thread that does not own the block")      \
	X(GEN_EPOCHS, "gen.epochs", COUNT, "young sweeps so far")                                  \
	X(RSS_NOW, "rss.now", BYTES, "resident set, the kernel's figure")                          \
	X(RSS_PEAK, "rss.peak", BYTES, "highest resident set, the kernel's figure")                \
	X(HEAP_COMMITTED, "heap.committed", BYTES, "mapped for arenas")                            \
	X(HEAP_COMMITTED_PEAK, "heap.committed_peak", BYTES, "highest sum mapped for arenas")      \
	X(HEAP_META, "heap.meta", BYTES, "descriptors and stamps, as many as were ever in use")    \
	X(HEAP_TELEMETRY, "heap.telemetry", BYTES, "the segment")                                  \
	X(POOL_COUNT, "pool.count", COUNT, "pools in use")                                         \
	X(ARENA_COUNT, "arena.count", COUNT, "arenas in use")                                      \
	X(TRUNCATED, "truncated", COUNT, "1 when shared memory ran out")                           \
	X(DROPPED_STACKS, "dropped.stacks", COUNT, "blocks whose stack found no room")             \
	X(DROPPED_BLOCKS, "dropped.blocks", COUNT, "blocks to be recorded that found no room")     \
	X(PROCESS_PID, "process.pid", NUMBER, "process id")                                        \
	X(PROCESS_EXIT, "process.exit", NUMBER, "exit status, -1: unknown")                        \
	X(PROCESS_SIGNAL, "process.signal", NUMBER, "signal that ended it, 0: none, -1: unknown")  \
	X(PROCESS_ELAPSED, "process.elapsed_ns", NS, "from start to end or now")                   \
	X(PROCESS_THREADS, "process.threads", COUNT, "threads that allocated")                     \
	X(ALLOC_NESTED, "alloc.nested", COUNT,                                                     \
	  "of alloc.count: by signal handlers inside the allocator, by threads past their end")    \
	X(LEAK_BLOCKS, "leak.blocks", COUNT, "blocks a process was handed itself and never freed") \
	X(LEAK_BYTES, "leak.bytes", BYTES, "their usable bytes")                                   \
	X(GEN_0_SWEEPS, "gen.0.sweeps", COUNT, "sweeps that took generation 0 and no older one")   \
	X(GEN_1_SWEEPS, "gen.1.sweeps", COUNT, "sweeps that took generation 1 and no older one")   \
	X(GEN_2_SWEEPS, "gen.2.sweeps", COUNT, "sweeps that took generation 2 and no older one")   \
	X(GEN_0_ENTERED, "gen.0.entered", COUNT, "blocks born or inherited young")                 \
	X(GEN_0_SURVIVED, "gen.0.survived", COUNT,                                                 \
	  "blocks that a sweep moved on from generation 0")                                        \
	X(GEN_0_DIED, "gen.0.died", COUNT, "blocks freed in generation 0")                         \
	X(GEN_0_LIVE, "gen.0.live", COUNT, "blocks live in generation 0")                          \
	X(GEN_1_ENTERED, "gen.1.entered", COUNT,                                                   \
	  "blocks that came to generation 1, or were inherited in it")                             \
	X(GEN_1_SURVIVED, "gen.1.survived", COUNT,                                                 \
	  "blocks that a sweep moved on from generation 1")                                        \
	X(GEN_1_DIED, "gen.1.died", COUNT, "blocks freed in generation 1")                         \
	X(GEN_1_LIVE, "gen.1.live", COUNT, "blocks live in generation 1")                          \
	X(GEN_2_ENTERED, "gen.2.entered", COUNT,                                                   \
	  "blocks that came to generation 2, or were inherited in it")                             \
	X(GEN_2_SURVIVED, "gen.2.survived", COUNT,                                                 \
	  "blocks that a sweep moved on from generation 2")                                        \
	X(GEN_2_DIED, "gen.2.died", COUNT, "blocks freed in generation 2")                         \
	X(GEN_2_LIVE, "gen.2.live", COUNT, "blocks live in generation 2")                          \
	X(GEN_0_ENTERED_BYTES, "gen.0.entered_bytes", BYTES,                                       \
	  "usable bytes born or inherited young")                                                  \
	X(GEN_0_SURVIVED_BYTES, "gen.0.survived_bytes", BYTES,                                     \
	  "usable bytes that a sweep moved on from generation 0")                                  \
	X(GEN_0_DIED_BYTES, "gen.0.died_bytes", BYTES, "usable bytes freed in generation 0")       \
	X(GEN_0_LIVE_BYTES, "gen.0.live_bytes", BYTES, "usable bytes live in generation 0")        \
	X(GEN_1_ENTERED_BYTES, "gen.1.entered_bytes", BYTES,                                       \
	  "usable bytes that came to generation 1, or were inherited in it")                       \
	X(GEN_1_SURVIVED_BYTES, "gen.1.survived_bytes", BYTES,                                     \
	  "usable bytes that a sweep moved on from generation 1")                                  \
	X(GEN_1_DIED_BYTES, "gen.1.died_bytes", BYTES, "usable bytes freed in generation 1")       \
	X(GEN_1_LIVE_BYTES, "gen.1.live_bytes", BYTES, "usable bytes live in generation 1")        \
	X(GEN_2_ENTERED_BYTES, "gen.2.entered_bytes", BYTES,                                       \
	  "usable bytes that came to generation 2, or were inherited in it")                       \
	X(GEN_2_SURVIVED_BYTES, "gen.2.survived_bytes", BYTES,                                     \
	  "usable bytes that a sweep moved on from generation 2")                                  \
	X(GEN_2_DIED_BYTES, "gen.2.died_bytes", BYTES, "usable bytes freed in generation 2")       \
	X(GEN_2_LIVE_BYTES, "gen.2.live_bytes", BYTES, "usable bytes live in generation 2")        \
	X(ALLOC_REQUESTED, "alloc.requested", BYTES, "requested bytes handed out; with heap=next")

#endif
