/* SPDX-License-Identifier: MIT */
/* survivors.c: what sweeps did to the blocks of a process, and where it set marks. */
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
		process->survivors[c] = chunk_survivors(&image->header,
							image->chunks[entry->number], c);
	if (count)
		process->uncertain = chunk_uncertain(image->chunks[entry->number]);
}

/* A mark holds deaths by age: with more ages than are known here its other figures lie elsewhere. */
void read_marks(const struct image *image, struct process *process)
{
	uint32_t count;
	const struct image_entry *entry = image_entries(image, PM_CHUNK_MARKS, process->chunk,
							&count);

	if (!count)
		return;
	const unsigned char *chunk = image->chunks[entry->number];
	uint32_t marks = chunk_marks(chunk, &process->marks_made);
	if (process->layout->age_count > PM_AGE_COUNT)
		return;
	process->marks = allocate(marks, sizeof *process->marks);
	process->mark_count = marks;
	for (uint32_t i = 0; i < marks; i++)
		process->marks[i] = chunk_mark(chunk, i);
}
