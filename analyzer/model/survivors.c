/* SPDX-License-Identifier: MIT */
/* survivors.c: what sweeps did to the blocks of a process. */
#include "model/parts.h"
#include "text/allocate.h"

/* A process that has turned no epoch has no record, and all its blocks are in generation 0. */
void read_survivors(const struct image *image, struct process *process)
{
	uint32_t count, classes = process->layout->class_count;
	const struct image_entry *entry = image_entries(image, PM_CHUNK_SURVIVAL, process->chunk,
							&count);

	if (!count && (process->record.epoch || process->record.inherited_blocks))
		return;
	process->survivors = allocate(classes, sizeof *process->survivors);
	for (uint32_t c = 0; count && c < classes; c++)
		process->survivors[c] = chunk_survivors(image->chunks[entry->number], c);
}
