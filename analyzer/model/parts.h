/* SPDX-License-Identifier: MIT */
/* parts.h: how the parts of a process are read out of an image. */
#ifndef POOLMEM_MODEL_PARTS_H
#define POOLMEM_MODEL_PARTS_H

#include "model/recording.h"
#include "source/image.h"

/* Room for the counts of each class. */
struct class_count *class_counts_new(const struct layout *layout);

/* Slots whose use is DEPARTED or, else, all the others: the counts of each and their sums. */
void read_slots(const struct image *image, bool departed, struct process *process);

/* Arenas and pools, with what contradicts itself left out and counted. */
void read_map(const struct image *image, struct process *process);

/* What sweeps did to its blocks. */
void read_survivors(const struct image *image, struct process *process);

/* Where it called poolmem_mark(). */
void read_marks(const struct image *image, struct process *process);

/* How much was live when. */
void read_timeline(const struct image *image, struct process *process);

/* What was recorded by stack.  process->frames is there. */
void read_sites(const struct image *image, struct process *process);

/* Where each block was at the end.  process->frames is there. */
void read_survey(const struct image *image, struct process *process);

/* exe, argv, options, parents, modules. */
void read_facts(const struct image *image, struct process *process);

/* facts_index and parent_index of the processes from `first` on, all those of the image. */
void link_processes(struct recording *recording, size_t first, const struct image *image);

#endif
