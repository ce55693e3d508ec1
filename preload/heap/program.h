/* SPDX-License-Identifier: MIT */
/*
 * program.h: what a program asks for through <poolmem/poolmem.h>, where units and errors are told.  life/ answers.
 *
 * Those that take a heap are called inside a slow path of it, and return 0 or an error number: EAGAIN, when another
 * thread keeps the clock busy too long, and what poolmem.h names.
 */
#ifndef HEAP_PROGRAM_H
#define HEAP_PROGRAM_H

#include "heap/heap.h"

#include <poolmem/poolmem.h>

#pragma GCC visibility push(hidden)

/* Whether there is anybody to answer: the library is set up and does not stand aside. */
bool program_is_served(void);
bool program_has_generations(void); /* and blocks have ages */
bool program_can_freeze(void);      /* and they are of our pools */

int program_collect(struct heap *heap, unsigned generation, int64_t *ret_died);
int program_get_stats(struct heap *heap, struct poolmem_stats ret_stats[3]);
int program_get_count(struct heap *heap, uint64_t ret_count[3]);
void program_get_threshold(uint32_t ret_threshold[3]);
int program_set_threshold(struct heap *heap, const uint32_t threshold[3]);
int program_freeze(struct heap *heap, int64_t *ret_frozen);
int program_unfreeze(struct heap *heap);
int64_t program_freeze_count(void);
void program_enable(bool enabled);
bool program_is_enabled(void);

int program_mark(struct heap *heap, const char *name);

#pragma GCC visibility pop

#endif
