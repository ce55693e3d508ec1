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

enum { MEMORY_PAGE = 4096 };

/* For large tables: behind all other zeroed data, so that what every start touches lies together. */
#define MEMORY_FAR __attribute__((section(".bss.far")))

/* Zeroed private memory, anywhere near `hint` (may be NULL).  NULL when the kernel refuses. */
void *memory_map(void *hint, size_t bytes);

/* What memory_map_at() met. */
enum memory_result { MEMORY_OK, MEMORY_TAKEN, MEMORY_REFUSED };

/* Zeroed private memory at exactly `address`; TAKEN when something else is mapped there. */
enum memory_result memory_map_at(void *address, size_t bytes);

/* The same without access: nothing of it is charged or becomes resident. */
enum memory_result memory_reserve_at(void *address, size_t bytes);

/* Shared memory of file `fd` from its start, near `hint`.  NULL when refused. */
void *memory_map_file(void *hint, size_t bytes, int fd);

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

/* Make pages of a shared mapping present, so that a later store cannot raise SIGBUS. */
enum memory_populated { MEMORY_POPULATED, MEMORY_UNKNOWN_CALL, MEMORY_FULL };
enum memory_populated memory_populate(void *address, size_t bytes);

/* The pages read as zero in each forked child.  false: the kernel is too old. */
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

#endif
