/* SPDX-License-Identifier: MIT */
/*
 * heap_jitter.h: makes the windows of races wide.  Before one of some atomic operations of the heap the
 * thread lets another run.  For builds of their own:
 *
 *   make BUILD=build/jitter EXTRA_CFLAGS='-include tests/unit/heap_jitter.h' testprogs
 */
#ifndef POOLMEM_TESTS_HEAP_JITTER_H
#define POOLMEM_TESTS_HEAP_JITTER_H

/* No headers: what includes this chooses its feature macros itself. */
int sched_yield(void);

__attribute__((unused)) static void jitter(void)
{
	static __thread unsigned state;
	unsigned x = state ? state : (unsigned)(unsigned long)&state | 1;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	state = x;
	if (x % 16 == 0)
		sched_yield();
}

#define __atomic_load_n(...) (jitter(), __atomic_load_n(__VA_ARGS__))
#define __atomic_store_n(...) (jitter(), __atomic_store_n(__VA_ARGS__))
#define __atomic_exchange_n(...) (jitter(), __atomic_exchange_n(__VA_ARGS__))
#define __atomic_compare_exchange_n(...) (jitter(), __atomic_compare_exchange_n(__VA_ARGS__))
#define __atomic_fetch_and(...) (jitter(), __atomic_fetch_and(__VA_ARGS__))
#define __atomic_or_fetch(...) (jitter(), __atomic_or_fetch(__VA_ARGS__))

#endif
