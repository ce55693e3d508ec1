/* SPDX-License-Identifier: MIT */
/*
 * life.h: is a program still writing to its segment?
 *
 * The kernel grants a read lease on a file only when nobody has it open or mapped for writing: that
 * needs no pid and is never wrong, but covers the whole file and is for its owner.  Else, and for
 * one process of several, /proc/PID says whether it maps the file.
 */
#ifndef POOLMEM_SOURCE_LIFE_H
#define POOLMEM_SOURCE_LIFE_H

#include "source/input.h"

#include <poolmem/format.h>

enum life { LIFE_UNKNOWN, LIFE_RUNNING, LIFE_ENDED };

/* Of all processes of a segment file together, by lease. */
enum life life_of_file(const struct input *input);

/* Of one process of the segment. */
enum life life_of_process(const struct input *input, const struct pm_header *header, uint32_t pid,
			  uint64_t start_ticks);

/* Inode of the namespace of our pids; 0: unknown. */
uint64_t life_pid_namespace(void);

/* Whether pids of the segment mean the processes that we see. */
bool life_same_kernel(const struct pm_header *header);

#endif
