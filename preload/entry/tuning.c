/* SPDX-License-Identifier: MIT */
/* tuning.c: glibc's functions that tell about the heap or tune it, with our own numbers; or the next
 * allocator's, while that one serves. */
#include "entry/entry.h"
#include "heap/census.h"

#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>

static struct mallinfo2 figures(void)
{
	struct census census = census_take();
	size_t live = census.live_bytes + census.large_bytes;
	return (struct mallinfo2){
		.arena = census.mapped_bytes,
		.ordblks = census.pools,
		.hblks = census.large_blocks,
		.hblkhd = census.large_bytes,
		.usmblks = census.mapped_peak_bytes,
		.uordblks = live,
		.fordblks = census.mapped_bytes > live ? census.mapped_bytes - live : 0,
		.keepcost = census.dirty_bytes,
	};
}

EXPORT struct mallinfo2 mallinfo2(void)
{
	if (host_tuning.mallinfo2)
		return host_tuning.mallinfo2();
	return figures();
}

static int narrow(size_t value)
{
	return value > INT_MAX ? INT_MAX : (int)value;
}

EXPORT struct mallinfo mallinfo(void)
{
	if (host_tuning.mallinfo)
		return host_tuning.mallinfo();
	struct mallinfo2 wide = figures();
	return (struct mallinfo){
		.arena = narrow(wide.arena),
		.ordblks = narrow(wide.ordblks),
		.hblks = narrow(wide.hblks),
		.hblkhd = narrow(wide.hblkhd),
		.usmblks = narrow(wide.usmblks),
		.uordblks = narrow(wide.uordblks),
		.fordblks = narrow(wide.fordblks),
		.keepcost = narrow(wide.keepcost),
	};
}

/* glibc's parameters do not apply; 1 is what it answers to nearly all of them. */
EXPORT int mallopt(int parameter, int value)
{
	return host_tuning.mallopt ? host_tuning.mallopt(parameter, value) : 1;
}

EXPORT int malloc_trim(size_t pad)
{
	if (host_tuning.malloc_trim)
		return host_tuning.malloc_trim(pad);
	return census_trim() > 0;
}

static void print_stats(void)
{
	struct census census = census_take();
	fprintf(stderr, "poolmem: mapped in arenas  %12zu bytes (peak %zu)\n", census.mapped_bytes,
		census.mapped_peak_bytes);
	fprintf(stderr, "poolmem: live in pools     %12zu bytes, %zu blocks in %zu pools\n",
		census.live_bytes, census.live_blocks, census.pools);
	fprintf(stderr, "poolmem: live large        %12zu bytes, %zu blocks\n", census.large_bytes,
		census.large_blocks);
	fprintf(stderr, "poolmem: free, kept        %12zu bytes\n", census.dirty_bytes);
}

/* No cancellation point, as in glibc. */
EXPORT void malloc_stats(void)
{
	if (host_tuning.malloc_stats) {
		host_tuning.malloc_stats();
		return;
	}
	int state;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	print_stats();
	pthread_setcancelstate(state, NULL);
}

EXPORT int malloc_info(int options, FILE *stream)
{
	if (host_tuning.malloc_info)
		return host_tuning.malloc_info(options, stream);
	if (options)
		return EINVAL;
	struct census census = census_take();
	fprintf(stream,
		"<malloc version=\"poolmem-1\">\n"
		"<pools count=\"%zu\" blocks=\"%zu\" live=\"%zu\" free=\"%zu\"/>\n"
		"<large count=\"%zu\" live=\"%zu\"/>\n"
		"<system type=\"current\" size=\"%zu\"/>\n"
		"<system type=\"max\" size=\"%zu\"/>\n"
		"<kept size=\"%zu\"/>\n"
		"<meta size=\"%zu\"/>\n"
		"</malloc>\n",
		census.pools, census.live_blocks, census.live_bytes, census.free_pool_bytes,
		census.large_blocks, census.large_bytes, census.mapped_bytes,
		census.mapped_peak_bytes, census.dirty_bytes, census.meta_bytes);
	return 0;
}
