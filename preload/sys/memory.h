/* SPDX-License-Identifier: MIT */
/*
 * memory.h: the only door to the kernel's memory calls.
 *
 * After start-up the library makes no other system calls than mmap, munmap, mremap, madvise and futex, and all of them
 * here: a sandbox that lets malloc work lets it do so here too.  Sizes are bytes, multiples of the page size.
 */
#ifndef SYS_MEMORY_H
#define SYS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/*
 * MEMORY_PAGE is what we count and lay out in.  The kernel's own pages are as long, or longer: on aarch64 up to 64 KiB.
 * Of these the kernel gives back, wipes and unmaps whole ones only, and of a part all of it.
 */
enum {
	MEMORY_PAGE = 4096,
#if defined(__x86_64__) && !defined(PM_FORCE_PAGE)
	MEMORY_PAGE_MAX = MEMORY_PAGE
#else
	MEMORY_PAGE_MAX = 65536
#endif
};

/* The kernel's; until memory_init() has told it, the longest. */
extern size_t memory_page_bytes;

static inline size_t memory_page(void)
{
	return MEMORY_PAGE_MAX > MEMORY_PAGE ? memory_page_bytes : (size_t)MEMORY_PAGE;
}

/* false: pages are so long that nothing here would be right. */
bool memory_init(size_t kernel_page_bytes);

/* For large tables: behind all other zeroed data, so that what every start touches lies together. */
#define MEMORY_FAR __attribute__((section(".bss.far")))

/* Zeroed private memory, anywhere near `hint` (may be NULL).  NULL when the kernel refuses. */
void *memory_map(void *hint, size_t bytes);

/* What memory of the library's own is for. */
enum memory_use { MEMORY_META = 1, MEMORY_TELEMETRY = 2 };

/* Like memory_map(), of what the library needs for itself: noted for memory_each_own(), as long as there is room. */
void *memory_map_own(enum memory_use use, size_t bytes);
void memory_unmap_own(void *address, size_t bytes);

/* For a reader of the process's memory. */
struct memory_own {
	uintptr_t address; /* atomic, written last; 0: not noted yet, or gone */
	size_t bytes;
	enum memory_use use;
};
extern struct memory_own memory_own[];
extern uint32_t memory_own_count; /* atomic: places taken; may exceed MEMORY_OWN_MAX */
enum { MEMORY_OWN_MAX = 1024 };

typedef void memory_visit_own(const void *address, size_t bytes, enum memory_use use, void *context);

/* Calls for each mapping that is noted, while others come. */
void memory_each_own(memory_visit_own *visit, void *context);

/* What memory_map_at() met. */
enum memory_result { MEMORY_OK, MEMORY_TAKEN, MEMORY_REFUSED };

/* Zeroed private memory at exactly `address`; TAKEN when something else is mapped there. */
enum memory_result memory_map_at(void *address, size_t bytes);

/* The same without access: nothing of it is charged or becomes resident. */
enum memory_result memory_reserve_at(void *address, size_t bytes);

/* Shared memory of file `fd` from its start, near `hint`.  NULL when refused. */
void *memory_map_file(void *hint, size_t bytes, int fd);

/*
 * Shared memory of a file, mapped once more: `bytes` from where `address`, a page of such a mapping, is in its file, and
 * beyond what that mapping holds.  NULL when refused.
 */
void *memory_map_again(const void *address, size_t bytes);

/* How many of the pages of the kernel are resident there.  UINT32_MAX: it does not say. */
uint32_t memory_resident_pages(const void *address, size_t bytes);

void memory_unmap(void *address, size_t bytes);

/* Grow a mapping in place.  false: the room behind it is taken, or the kernel refuses. */
bool memory_grow(void *address, size_t old_bytes, size_t new_bytes);

/*
 * Moves pages to `target`, in place of those there.  `address` stays mapped and reads as zero.  false: nothing moved;
 * the kernel is too old, or the pages came from several moves.  Then `target` is perhaps no longer mapped: older
 * kernels make room first and look at the pages afterwards.
 */
bool memory_swap_in(void *address, size_t bytes, void *target);

/* Move whole pages to `target`, whose range must be free.  false: nothing moved. */
bool memory_move(void *address, size_t old_bytes, void *target, size_t new_bytes);

/* Of a mapping that is used here and there: no large page makes all of it resident. */
void memory_no_huge_pages(void *address, size_t bytes);

/* Give the pages back; they read as zero afterwards.  false: the kernel refuses (locked memory). */
bool memory_purge(void *address, size_t bytes);

/* Make pages of a shared mapping present, whole ones, so that a later store cannot raise SIGBUS. */
enum memory_populated { MEMORY_POPULATED, MEMORY_UNKNOWN_CALL, MEMORY_FULL };
enum memory_populated memory_populate(void *address, size_t bytes);

/*
 * The pages, which begin and end at multiples of MEMORY_PAGE_MAX, read as zero in each forked child.  false: the kernel is
 * too old.
 */
bool memory_wipe_on_fork(void *address, size_t bytes);

/* Whether the eight bytes at `address` can be read; no descriptor is needed to learn it.  false when in doubt. */
bool memory_is_readable(const void *address);

/*
 * The caller's thread id, through a futex call, for processes whose filter allows no gettid.
 * Zero when the kernel refuses.  `word` is a scratch word, zero before and after.
 */
uint32_t memory_thread_id(uint32_t *word);

/*
 * Lets others run while `*word` is `value`, for some milliseconds at most; in the first turns of a wait not at all.  Nobody
 * need wake the caller.  Thousands of threads that only look keep the one from a processor that they wait for.
 */
void memory_pause(const uint32_t *word, uint32_t value, unsigned turn);

/* Sleeps while `*word` is `value`, until woken, a second at most.  And wakes one that does. */
void memory_sleep(const uint32_t *word, uint32_t value);
void memory_wake(const uint32_t *word);

/* Whether thread id `tid` exists in this namespace; `word` scratch.  true when in doubt. */
bool memory_thread_exists(uint32_t *word, uint32_t tid);

#pragma GCC visibility pop

#endif
