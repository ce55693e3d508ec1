/* SPDX-License-Identifier: MIT */
/* leaders.h: the process records of a segment as they stand, for who looks often: nothing else of it is read. */
#ifndef POOLMEM_SOURCE_LEADERS_H
#define POOLMEM_SOURCE_LEADERS_H

#include "source/input.h"

#include <poolmem/format.h>

/* leader: its chunk.  The record may be caught in a change. */
typedef void leader_visitor(const struct pm_header *header, uint32_t leader,
			    const struct pm_process *process, void *context);

/* Those in state RUNNING: the one that made the segment, then forked children.  Of a damaged file none, or some. */
void leaders_running(const struct input *input, leader_visitor *visit, void *context);

#endif
