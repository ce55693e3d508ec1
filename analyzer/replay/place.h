/* SPDX-License-Identifier: MIT */
/*
 * place.h: where a thread of the replay is: its stack and what it keeps, mapped in one and touched beforehand.
 *
 *   guard page | stack | struct place | what the thread keeps
 *
 * So a thread that begins or ends changes nothing that is resident.  A place stays when its thread has ended, and is the
 * next one's; it is written to by whoever has taken it.
 */
#ifndef POOLMEM_REPLAY_PLACE_H
#define POOLMEM_REPLAY_PLACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct place {
	struct place *next; /* of those that are free */
	void *stack;
	pthread_t thread;
	bool had_thread; /* which is to be joined before the next one begins */
};

_Noreturn void give_up(const char *what);

/* Touched, and in pages of the usual size. */
void *map_touched(size_t bytes);

/* Of places: struct place and what follows it.  Once, before all else. */
void places_begin(size_t kept_bytes);

/* One more that is free; returns how many bytes of it were touched. */
size_t places_add(void);

/* NULL: none is free. */
struct place *place_take(void);

/* run(place) in a thread of its own. */
void place_start(struct place *place, void *(*run)(void *));

/* The last thing that the thread does. */
void place_leave(struct place *place);

#endif
