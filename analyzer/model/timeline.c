/* SPDX-License-Identifier: MIT */
/* timeline.c: how much was live when, as the process noted it. */
#include "model/parts.h"
#include "model/saturate.h"
#include "text/allocate.h"

static bool is_in_order(const struct pm_moment *before, const struct pm_moment *next)
{
	return next->at_ns >= before->at_ns && next->allocations >= before->allocations;
}

/* Files may say anything: what goes back in time is left out, and no figure is larger than can be shown. */
void read_timeline(const struct image *image, struct process *process)
{
	struct pm_moment last = {.at_ns = process->record.began_ns};
	uint32_t chunks;
	const struct image_entry *entry = image_entries(image, PM_CHUNK_TIMELINE, process->chunk,
							&chunks);

	if (!chunks)
		return;
	const unsigned char *chunk = image->chunks[entry->number];
	uint32_t count = chunk_moments(chunk);
	process->moments = allocate(count, sizeof *process->moments);
	for (uint32_t i = 0; i < count; i++) {
		struct pm_moment moment = chunk_moment(chunk, i);
		if (!is_in_order(&last, &moment))
			continue;
		last = moment;
		moment.allocations = sum(moment.allocations, 0);
		moment.live_bytes = sum(moment.live_bytes, 0);
		moment.used_bytes = sum(moment.used_bytes, 0);
		moment.kept_bytes = sum(moment.kept_bytes, 0);
		moment.committed_bytes = sum(moment.committed_bytes, 0);
		process->moments[process->moment_count++] = moment;
	}
}
