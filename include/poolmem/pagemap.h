/* SPDX-License-Identifier: MIT */
/* pagemap.h: what both halves ask the kernel about pages: words of /proc/PID/pagemap, and PAGEMAP_SCAN (Linux 6.7). */
#ifndef POOLMEM_PAGEMAP_H
#define POOLMEM_PAGEMAP_H

#include <stdint.h>
#include <sys/ioctl.h>

/* Bits of the word of a page. */
#define PM_PAGE_PRESENT (UINT64_C(1) << 63)
#define PM_PAGE_FILE (UINT64_C(1) << 61)  /* of a file, or shared */
#define PM_PAGE_ALONE (UINT64_C(1) << 56) /* mapped once */

/* The page of zeros is present, nobody's alone and no file's; so are pages that a fork shares. */
static inline int pm_page_may_be_zeros(uint64_t word)
{
	return (word & (PM_PAGE_PRESENT | PM_PAGE_FILE | PM_PAGE_ALONE)) == PM_PAGE_PRESENT;
}

/* As in linux/fs.h, which older systems lack. */
struct pm_scan {
	uint64_t size, flags, start, end, walk_end, regions, region_count, page_max;
	uint64_t inverted, all_of, any_of, returned;
};

struct pm_scanned {
	uint64_t start, end, categories;
};

enum {
	PM_SCAN_ZERO = 1 << 5, /* of the page of zeros: read, and never written to */
	PM_SCAN_REGIONS = 64,  /* at once */
};

#define PM_SCAN_CALL _IOWR('f', 16, struct pm_scan)

/* For the pages from one address to another; walk_end says how far a call came, from where the next one goes on. */
static inline struct pm_scan pm_scan_for_zeros(uint64_t first, uint64_t last,
					       struct pm_scanned regions[PM_SCAN_REGIONS])
{
	return (struct pm_scan){.size = sizeof(struct pm_scan),
				.end = last,
				.walk_end = first,
				.regions = (uintptr_t)regions,
				.region_count = PM_SCAN_REGIONS,
				.all_of = PM_SCAN_ZERO,
				.returned = PM_SCAN_ZERO};
}

#endif
