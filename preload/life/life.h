/* SPDX-License-Identifier: MIT */
/*
 * life.h: the process as the library sees it.  Wires heap, tally and segment together.
 *
 *   start -> threads come and go -> (fork: a child finds its records wiped, see fork.c) -> exit
 */
#ifndef LIFE_LIFE_H
#define LIFE_LIFE_H

#include "heap/frozen.h"
#include "heap/program.h"
#include "life/settings.h"
#include "segment/segment.h"
#include "sys/wiped.h"

#include <poolmem/format.h>

#pragma GCC visibility push(hidden)

struct dl_phdr_info;

enum { LIFE_SPARES = 2, LIFE_DESCENTS = 1 << 10 /* that records tell apart */ };

struct life {
	struct settings settings;
	bool started;    /* the constructor is through */
	bool recording;  /* there is a segment */
	uint32_t leader; /* this process's leader chunk; 0: none */
	uint32_t descent; /* forks that lead to it: unlike areas, no two have the same of all that it comes from */
	uint32_t spare[LIFE_SPARES]; /* chunks laid ready for forked children */
	struct pm_process *process;  /* in the leader chunk, or a private one */
	struct heap *main_heap;      /* of the thread that starts the process */
	uint32_t libc_id;        /* what libc says is the id of the thread the process began with */
	uint64_t interval_bytes; /* atomic: can come and go between ticks, all heaps */
	int64_t live_bytes;      /* atomic; as of slow calls */
	int64_t inherited_bytes; /* that it began with */
	uint64_t allocations;    /* atomic; as of ticks */
	uint64_t next_purge_ms;  /* atomic */
	uint32_t block_bytes[CLASS_POOLED]; /* atomic; of heap=next: 0 until a block of that class came */
	bool can_wipe;                      /* MADV_WIPEONFORK works */
	bool froze; /* blocks may be frozen, here or in the process that forked this one */
};

extern struct life life;

/* As class_unit(), of whoever serves. */
static inline size_t life_unit(unsigned size_class)
{
	return size_class < CLASS_POOLED ? life.block_bytes[size_class]
					 : size_class == CLASS_LARGE_BYTES;
}

/* POOLMEM=off: nothing is counted. */
static inline bool life_is_aside(void)
{
	return host_off && !host_next;
}

/* The record of this process; in a child that has not set itself up yet, a dummy. */
struct pm_process *life_process(void);

/* threads.c */
void threads_first_heap(void); /* of the thread that starts the process; may leave none */
void threads_init(void);
void threads_attach(struct heap *heap, uint32_t chunk); /* counts there from now on */
void threads_drain_private(struct heap *heap); /* counts kept outside any slot go to the heap's */
struct pm_slot *threads_shared_slot(void);     /* in the segment; NULL: there is none */
const struct class_set *threads_shared_classes(void); /* of pools, that may be counted there */
void threads_forget_others(void); /* in a forked child: the slot they share, and who looked for orphans */
void threads_settle(struct heap *heap, uint32_t tid); /* a slot for a heap that has none */
void threads_rejoin(struct heap *heap);               /* the same at a tick, after a fork */
/* Id of the calling thread, in a forked child.  NULL: it has no heap. */
uint32_t threads_id_after_fork(struct heap *heap);
uint32_t threads_id(void);
uint64_t threads_clock_ns(void);

/* fork.c: makes a forked child a process of its own; nothing when it is already. */
void fork_check(struct heap *heap);
void fork_init(void);  /* before the first heap */
void fork_watch(void); /* in the constructor */

/* publish.c: pools and process figures into the segment. */
void publish_process(void);
void publish_clock(struct pm_process *process);  /* what it counts and when it turns, once */
void publish_pools(void);                        /* all of them */
void publish_pools_if_due(uint64_t allocations); /* so many the process has made so far */

struct heap;
uint32_t publish_owner(const struct heap *owner); /* its SLOT chunk; 0: none */

/* timeline.c: how much was live when. */
void timeline_note(uint64_t at_ns); /* at ticks; with 0 when the peak of live bytes has risen: now */
void timeline_end(void);            /* at exit */
void timeline_begin(void);          /* in a forked child */

/* survival.c: what sweeps do to the blocks of each class. */
/* Sweeps a generation; returns how much the process allocated so far.  The caller holds wiped.advancing. */
uint64_t survival_turn(unsigned generation);

/* Blocks that died in generations up to that one since it was swept last.  As above. */
uint64_t survival_died(unsigned generation);

/* As above. */
void survival_misplaced(uint64_t blocks); /* so many may stand in the wrong generation */
void survival_stats(struct poolmem_stats ret_stats[3]);

/* By class, what the statistics leave out from now on, and how much that is by now.  As above. */
void survival_freeze(const struct frozen *more);
void survival_unfreeze(void);
void survival_frozen_died(unsigned size_class, size_t block_bytes); /* of any moment */
int64_t survival_frozen(void);

/* Sums over all threads; what is not of them is left alone.  As above. */
void survival_sum_up(struct pm_mark *ret_sums);

/* Blocks, and of CLASS_LARGE_BYTES bytes; what the process began with counts as allocated. */
struct survival_counts {
	uint64_t allocated[CLASS_COUNT], freed[CLASS_COUNT];
};

/* Of all threads, one after the other; they may go on meanwhile.  ret_counts: zeros before. */
void survival_count(struct survival_counts *ret_counts);

struct survival_begun {
	uint64_t of[CLASS_COUNT][3];
	struct frozen frozen; /* of these, of generation 2 */
};

/* In a forked child: it begins with these, inherited blocks by class and generation. */
void survival_begin(const struct survival_begun *begun);

/* What lives, by class and generation; of heap=next, where no block is frozen.  One caller at a time. */
void survival_live(struct survival_begun *ret_live);

/* sites.c: who allocates. */
void sites_init(void); /* in the constructor, once there is a segment */

/* Blocks of `unit` bytes up to the next one of the heap that is recorded, itself counted; UINT64_MAX: none is. */
uint64_t sites_gap(struct heap *heap, size_t unit);

/* What large blocks of so many bytes are taken for in that. */
static inline size_t sites_large_unit(size_t bytes)
{
	return (size_t)1 << (63 - __builtin_clzl(bytes | 1));
}

/* Of the heap's own, counted, alive, with its stamp; `frame` as in host.h. */
void sites_record(struct heap *heap, struct pool *pool, const void *block, size_t requested,
		  const void *frame);

/*
 * A large block of STAMP_SPECIAL has so many bytes more, in place.  Returns whether it is frozen; *ret_stamp is the one that
 * it would have, where it is recorded.
 */
bool sites_resized(const void *block, int64_t bytes, uint8_t *ret_stamp);

/*
 * With heap=next, of blocks of STAMP_SPECIAL.  Who frees or resizes one takes its record out first; then it died, or another
 * size is wanted of it and it is put back.  false: it has none; there is no room.
 */
struct recorded;
bool sites_take(const void *block, struct recorded *ret_recorded);
uint8_t sites_died(struct heap *heap,
		   const struct recorded *taken); /* returns the stamp that it is counted by */
void sites_stayed(struct recorded *taken, size_t requested, int64_t more_bytes);
bool sites_put_back(const struct recorded *taken);
uint8_t sites_stamp(const struct recorded *taken); /* that it has where it is not recorded */
void sites_moved(const void *block);               /* it came instead of another, by a realloc */

void sites_note_peak(void); /* after live bytes were published */
void sites_note_epoch(
	uint64_t allocations); /* an epoch begins, after so many; the caller holds wiped.advancing */
void sites_begin(void);        /* in a forked child */

/* By which heaps record that follow; 0: nothing is recorded, 1: each block. */
uint64_t sites_period(void);

/* One caller at a time.  false: there were too many different ones. */
bool sites_switch(uint64_t period);

/* The heap records by it from now on.  true: it did not, and its countdowns are to be armed anew. */
bool sites_follow(struct heap *heap);

/* Of what is recorded and not frozen: freezes what is older than the epoch, and counts it.  And the reverse. */
void sites_freeze(struct frozen *ret_more);
void sites_unfreeze(void);

/* Corrects a census by stamps: recorded blocks stand in generation 2 there, and as frozen. */
void sites_correct(struct survival_begun *begun);

/* control.c: what is asked for from outside while the process runs. */
void control_init(enum pm_control what_can_be_asked, uint64_t sample);
void control_begin(void);             /* in a forked child */
void control_look(struct heap *heap); /* of the calling thread, at slow calls */

/* modules.c */
void modules_init(void);
void modules_closed(uint64_t record); /* one whose record, at that address, was watched */
void modules_know(uint64_t first, uint64_t last,
		  uint32_t generation); /* one that stands in the facts */

/*
 * facts.c: a module that came later; the caller is the only one.  false: no room.  What has the same identity is the same module
 * at the same addresses; 0: it has none.
 */
bool facts_add_module(const struct dl_phdr_info *module, uint32_t generation);
uint64_t facts_identity(const struct dl_phdr_info *module, struct pm_module *ret_module);

/* program.c */
void program_begin(void); /* in a forked child */

/* facts.c */
void facts_record(int argc, char **argv);

/* foreign.c: the next allocator; a pointer is NULL where it has no such function. */
struct foreign {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void *(*memalign)(size_t, size_t);
	void (*free)(void *);
	size_t (*usable)(void *);
};
extern struct foreign foreign;
void foreign_init(void);
void foreign_serves(void);      /* from now on, uncounted */
void foreign_tuning_init(void); /* it is the one that serves */
bool foreign_heap_grew(void);   /* another allocator in this process has taken memory by brk */

/* next_calls.c: what is served by heap=next has stamps. */
bool next_has_births(void);

/* next.c: heap=next. */
bool next_serves_new(void); /* C++ operator new, past malloc */
void next_init(void);       /* in the constructor, before the heap of the first thread is settled */
void next_note_live(void);  /* before a fork: what the child inherits */
void next_begin(struct survival_begun *begun); /* in a forked child: that */

/* sandbox.c: whether the kernel may kill the process for a call that malloc does not need; true when in doubt. */
void sandbox_init(void); /* in the constructor; sees a filter that was there at exec */
bool sandbox_may_be(void);

/* trace.c: each call of the program, written to a file. */
void trace_init(void);                     /* in the constructor, at last */
void trace_begin(void);                    /* in a forked child */
void trace_forks(void);                    /* before fork() */
void trace_thread_ends(struct heap *heap); /* of the calling thread */
void trace_end(struct heap *heap);         /* at exit */

/* peak.c: how much lives, and the most that ever did.  Of heaps, that is pools: of large blocks they say so themselves. */
void peak_begin(void); /* in a forked child, once it is known what it inherited */
void peak_hand_on(struct heap *heap,
		  int64_t live_bytes); /* at ticks: what it has allocated less what it freed */
void peak_bound(void);                 /* after life.interval_bytes has changed */
bool peak_changed(int64_t bytes);      /* handed on; returns whether there never were as many */

/* exit.c */
void exit_init(void);

/* tick.c */
void tick_keep_spares(unsigned count); /* slots for forked children */
bool tick_hold(void); /* no epoch turns until tick_release(); false: another thread turned it too long */
void tick_release(void);
void tick_sweep(unsigned generation);  /* and what goes with it; the caller holds wiped.advancing */
void tick_arm(struct heap *heap);      /* after thresholds have changed: its countdowns */
void tick_catch_up(struct heap *heap); /* before the process's figures are asked for */
void tick_live(struct heap *heap, unsigned size_class, int64_t bytes); /* a block came, or went */
void tick_pace_large(void); /* after the epoch's length has changed */
void tick_due(struct heap *heap,
	      unsigned size_class); /* the countdown of a class ran out, and no block is recorded */
void tick_flush(struct heap *heap); /* hands on what the heap has counted since its last tick */

#pragma GCC visibility pop

#endif
