/* SPDX-License-Identifier: MIT */
/* resident.h: the kernel's figures for a process that lives. */
#ifndef POOLMEM_SOURCE_RESIDENT_H
#define POOLMEM_SOURCE_RESIDENT_H

#include <stdbool.h>
#include <stdint.h>

struct resident {
	uint64_t now_bytes, peak_bytes;
	uint64_t anonymous_bytes; /* of now_bytes: of no file */
};

/* VmRSS, VmHWM and RssAnon of /proc/PID/status. */
bool resident_read(uint32_t pid, struct resident *ret);

#endif
