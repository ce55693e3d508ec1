/* SPDX-License-Identifier: MIT */
/* say.h: one line on stderr, "poolmem: " before it, nothing in it that steers a terminal (F35). */
#ifndef POOLMEM_LAUNCH_SAY_H
#define POOLMEM_LAUNCH_SAY_H

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
