/* SPDX-License-Identifier: MIT */
/* mode.h: how call sites are recorded, in words. */
#ifndef POOLMEM_STUDY_MODE_H
#define POOLMEM_STUDY_MODE_H

#include <stdint.h>

struct mode_text {
	char text[80];
};

/* A period as in pm_process.site_period: "sites=off", "sites=all", "sites=sample, one block in 512 KiB" */
struct mode_text mode_words(uint64_t period);

/* The value of the setting: "off", "all", "sample" */
const char *mode_key(uint64_t period);

/* "2026-11-22 08:10:21", local time */
struct mode_text mode_time(uint64_t real_ns);

#endif
