/* SPDX-License-Identifier: MIT */
/* memory.c: mmap, munmap, mremap, madvise and futex, by raw system calls. */
#define _GNU_SOURCE
#include "sys/memory.h"

#include "sys/raw.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <time.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { ADVICE_WIPE_ON_FORK = 18, ADVICE_POPULATE_WRITE = 23, REMAP_DONT_UNMAP = 4 };

/* Variants for tests of old kernels: make EXTRA_CFLAGS=-DPM_FORCE_NO_POPULATE */
#ifdef PM_FORCE_NO_POPULATE
static const bool populate_known = false;
#else
static const bool populate_known = true;
#endif
#ifdef PM_FORCE_NO_WIPE
static const bool wipe_known = false;
#else
static const bool wipe_known = true;
#endif
/* And of longer pages: as careful as if the kernel's were so long. */
#ifdef PM_FORCE_PAGE
static const size_t page_forced = PM_FORCE_PAGE;
#else
static const size_t page_forced = 0;
#endif

size_t memory_page_bytes = MEMORY_PAGE_MAX;

bool memory_init(size_t kernel_page_bytes)
{
	memory_page_bytes = page_forced ? page_forced : kernel_page_bytes;
	return memory_page_bytes >= MEMORY_PAGE && memory_page_bytes <= MEMORY_PAGE_MAX;
}

static bool refused(long result)
{
	return result < 0 && result >= -4095;
}

static long map(void *hint, size_t bytes, int protection, int flags, int fd)
{
	return raw_call(SYS_mmap, (long)hint, (long)bytes, protection, flags, fd, 0);
}

void *memory_map(void *hint, size_t bytes)
{
	long at = map(hint, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	return refused(at) ? NULL : (void *)at;
}

static enum memory_result map_at(void *address, size_t bytes, int protection)
{
	long at = map(address, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		      -1);
	if (at == (long)address)
		return MEMORY_OK;
	if (at == -EEXIST)
		return MEMORY_TAKEN;
	if (refused(at))
		return MEMORY_REFUSED;
	memory_unmap((void *)at, bytes); /* an old kernel took the address for a hint */
	return MEMORY_TAKEN;
}

enum memory_result memory_map_at(void *address, size_t bytes)
{
	return map_at(address, bytes, PROT_READ | PROT_WRITE);
}

enum memory_result memory_reserve_at(void *address, size_t bytes)
{
	return map_at(address, bytes, PROT_NONE);
}

void *memory_map_file(void *hint, size_t bytes, int fd)
{
	long at = map(hint, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	return refused(at) ? NULL : (void *)at;
}

void *memory_map_again(const void *address, size_t bytes)
{
	long at = raw_call(SYS_mremap, (long)address, 0, (long)bytes, MREMAP_MAYMOVE, 0, 0);
	return refused(at) ? NULL : (void *)at;
}

uint32_t memory_resident_pages(const void *address, size_t bytes)
{
	unsigned char present[512] = {0};
	uintptr_t first = (uintptr_t)address / memory_page();
	uintptr_t last = ((uintptr_t)address + bytes + memory_page() - 1) / memory_page();
	uint32_t resident = 0;
	for (uintptr_t page = first; page < last; page += sizeof present) {
		size_t count = last - page < sizeof present ? last - page : sizeof present;
		if (refused(raw_call3(SYS_mincore, (long)(page * memory_page()),
				      (long)(count * memory_page()), (long)present)))
			return UINT32_MAX;
		for (size_t i = 0; i < count; i++)
			resident += present[i] & 1;
	}
	return resident;
}

void memory_unmap(void *address, size_t bytes)
{
	raw_call3(SYS_munmap, (long)address, (long)bytes, 0);
}

bool memory_grow(void *address, size_t old_bytes, size_t new_bytes)
{
	return !refused(
		raw_call(SYS_mremap, (long)address, (long)old_bytes, (long)new_bytes, 0, 0, 0));
}

bool memory_move(void *address, size_t old_bytes, void *target, size_t new_bytes)
{
	return !refused(raw_call(SYS_mremap, (long)address, (long)old_bytes, (long)new_bytes,
				 MREMAP_MAYMOVE | MREMAP_FIXED, (long)target, 0));
}

bool memory_purge(void *address, size_t bytes)
{
	return !refused(raw_call3(SYS_madvise, (long)address, (long)bytes, MADV_DONTNEED));
}

/*
 * An emulator (qemu-user 7.2) takes the place that pages were moved from for one without memory, and does not purge it.  Asked
 * once, of a word there.
 */
static bool purges_moved(void *address)
{
	enum { UNKNOWN, PURGES, IGNORES };
	static int known; /* atomic */
	int now = __atomic_load_n(&known, __ATOMIC_RELAXED);
	if (now == UNKNOWN) {
		volatile uintptr_t *word = address;
		*word = 1;
		now = !memory_purge(address, memory_page()) || *word == 0 ? PURGES : IGNORES;
		if (*word)
			*word = 0;
		else /* what was read is not to stay resident */
			memory_purge(address, memory_page());
		__atomic_store_n(&known, now, __ATOMIC_RELAXED);
	}
	return now == PURGES;
}

bool memory_swap_in(void *address, size_t bytes, void *target)
{
	if (refused(raw_call(SYS_mremap, (long)address, (long)bytes, (long)bytes,
			     MREMAP_MAYMOVE | MREMAP_FIXED | REMAP_DONT_UNMAP, (long)target, 0)))
		return false;
	if (!purges_moved(address))
		map(address, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		    -1);
	return true;
}

void memory_no_huge_pages(void *address, size_t bytes)
{
	raw_call3(SYS_madvise, (long)address, (long)bytes, MADV_NOHUGEPAGE);
}

enum memory_populated memory_populate(void *address, size_t bytes)
{
	size_t before = (uintptr_t)address % memory_page();
	long result = populate_known ? raw_call3(SYS_madvise, (long)address - (long)before,
						 (long)(before + bytes), ADVICE_POPULATE_WRITE)
				     : -EINVAL;
	if (!refused(result))
		return MEMORY_POPULATED;
	return result == -EINVAL ? MEMORY_UNKNOWN_CALL : MEMORY_FULL;
}

bool memory_wipe_on_fork(void *address, size_t bytes)
{
	return wipe_known &&
	       !refused(raw_call3(SYS_madvise, (long)address, (long)bytes, ADVICE_WIPE_ON_FORK));
}

/* Nobody is woken or queued elsewhere; but first the kernel reads the word and compares it. */
static bool is_word_readable(uintptr_t address)
{
	static uint32_t elsewhere;
	long result = raw_call(SYS_futex, (long)(address & -sizeof(uint32_t)),
			       FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 0, 0, (long)&elsewhere, 0);
	return result == 0 || result == -EAGAIN;
}

bool memory_is_readable(const void *address)
{
	uintptr_t first = (uintptr_t)address, last = first + 7;
	return is_word_readable(first) &&
	       (first / MEMORY_PAGE == last / MEMORY_PAGE || is_word_readable(last));
}

enum { TURNS_AWAKE = 100, PAUSE_NS = 1000000, PAUSE_SHIFT_MAX = 3 };

void memory_pause(const uint32_t *word, uint32_t value, unsigned turn)
{
	if (turn < TURNS_AWAKE)
		return;
	unsigned asleep = turn - TURNS_AWAKE;
	const struct timespec most = {
		0, (long)PAUSE_NS << (asleep < PAUSE_SHIFT_MAX ? asleep : PAUSE_SHIFT_MAX)};
	raw_call(SYS_futex, (long)word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, value, (long)&most, 0, 0);
}

void memory_sleep(const uint32_t *word, uint32_t value)
{
	const struct timespec most = {1, 0};
	raw_call(SYS_futex, (long)word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, value, (long)&most, 0, 0);
}

void memory_wake(const uint32_t *word)
{
	raw_call(SYS_futex, (long)word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
}

/* A free PI futex that is locked by the kernel holds the caller's thread id. */
uint32_t memory_thread_id(uint32_t *word)
{
	__atomic_store_n(word, 0, __ATOMIC_RELAXED);
	long result = raw_call(SYS_futex, (long)word, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, 0, 0,
			       0);
	uint32_t tid = __atomic_exchange_n(word, 0, __ATOMIC_RELAXED) & FUTEX_TID_MASK;
	return refused(result) ? 0 : tid;
}

/* Trying a PI futex that names a dead owner fails with ESRCH. */
bool memory_thread_exists(uint32_t *word, uint32_t tid)
{
	__atomic_store_n(word, tid & FUTEX_TID_MASK, __ATOMIC_RELAXED);
	long result = raw_call(SYS_futex, (long)word, FUTEX_TRYLOCK_PI | FUTEX_PRIVATE_FLAG, 0, 0,
			       0, 0);
	__atomic_store_n(word, 0, __ATOMIC_RELAXED);
	return result != -ESRCH;
}
