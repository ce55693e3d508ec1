/* SPDX-License-Identifier: MIT */
/* listing.c: see listing.h. */
#include "model/listing.h"

#include "model/recording.h"
#include "model/saturate.h"
#include "source/image.h"
#include "text/allocate.h"
#include "text/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t allocations_of(const struct process *process)
{
	int64_t allocations = 0;
	for (size_t i = 0; i < process->slot_count; i++)
		allocations = balance(allocations, process->slots[i].allocated);
	return at_least_none(allocations);
}

static void take_recording(struct listing_row *row, const struct recording *recording)
{
	for (size_t i = 0; i < recording->process_count; i++) {
		const struct process *process = &recording->processes[i];
		row->allocations = sum(row->allocations, allocations_of(process));
		row->process_count += process->kind != PROCESS_DEPARTED;
		if (process->kind != PROCESS_EXEC)
			continue;
		row->state = process->state;
		row->exit_status = process->exit_status;
		if (process->exe && !row->exe)
			row->exe = allocate_text(process->exe, strlen(process->exe));
	}
}

static void read_row(const struct directory *directory, struct listing_row *row)
{
	struct recording recording;
	size_t bytes = strlen(directory->path) + sizeof row->name.text + 1;
	char *path = allocate(bytes, 1);

	snprintf(path, bytes, "%s/%s", directory->path, row->name.text);
	row->state = STATE_UNKNOWN;
	row->exit_status = -1;
	row->is_readable = recording_read_among(directory, path, &recording, &row->why);
	free(path);
	if (!row->is_readable)
		return;
	take_recording(row, &recording);
	recording_free(&recording);
}

/* False when the file went away meanwhile. */
static bool look(const struct directory *directory, const struct segment_name *name, bool is_deep,
		 struct listing_row *ret)
{
	struct listing_row row = {.name = *name,
				  .age_ns = excess(clock_ns(CLOCK_REALTIME), name->created_ns)};
	struct input input;

	if (!input_open(directory->fd, name->text, &input, &row.why))
		return false;
	row.life = life_of_file(&input);
	row.allocated_bytes = input.allocated_bytes;
	row.is_blank = image_is_blank(&input);
	input_close(&input);
	if (is_deep)
		read_row(directory, &row);
	*ret = row;
	return true;
}

bool listing_open(bool is_deep, struct listing *ret, struct failure *why)
{
	struct listing listing = {.count = 0};

	if (!directory_open(&listing.directory, why))
		return false;
	listing.rows = allocate(listing.directory.name_count, sizeof *listing.rows);
	for (size_t i = 0; i < listing.directory.name_count; i++)
		if (look(&listing.directory, &listing.directory.names[i], is_deep,
			 &listing.rows[listing.count]))
			listing.count++;
	*ret = listing;
	return true;
}

void listing_close(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free(listing->rows[i].exe);
	free(listing->rows);
	directory_close(&listing->directory);
}
