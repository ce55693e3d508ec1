/* SPDX-License-Identifier: MIT */
/*
 * sites.c: what a process did with recorded blocks, by stack and size.  Rows change while the program runs and
 * may have stopped halfway when it was killed: one that contradicts itself is counted, not shown.
 */
#include "model/parts.h"
#include "source/chunk.h"
#include "text/allocate.h"

static bool is_used(const struct pm_site *site)
{
	bool is_resized = site->resized_bytes || site->resized_requested;
	bool was_live = site->peak_live || site->peak_bytes;

	return site->allocated || site->freed || site->inherited || site->moved || is_resized ||
	       was_live;
}

static bool is_sane(const struct layout *layout, const struct pm_site *site)
{
	uint32_t kind = site->size_class < layout->class_count
				? layout->classes[site->size_class].kind
				: 0;

	return (kind == PM_CLASS_POOL || kind == PM_CLASS_LARGE) && site->period &&
	       site->large_log2 < 64 && site->stack_end < PM_STACK_END_COUNT;
}

static void read_site(struct pm_site site, struct process *process)
{
	if (!is_used(&site))
		return;
	if (!is_sane(process->layout, &site)) {
		process->sites_torn++;
		return;
	}
	uint32_t frame = site.frame ? frames_find(process->frames, site.frame) : 0;
	process->sites_torn += site.frame && !frame;
	site.frame = frame;
	process->sites[process->site_count++] = site;
}

/* A row holds deaths by age: with more ages than are known here its other figures lie elsewhere. */
void read_sites(const struct image *image, struct process *process)
{
	uint32_t count;
	size_t rows = 0;
	const struct image_entry *entry = image_entries(image, PM_CHUNK_SITES, process->chunk,
							&count);

	if (process->layout->age_count > PM_AGE_COUNT)
		return;
	for (uint32_t i = 0; i < count; i++)
		rows += chunk_sites(image->chunks[entry[i].number]);
	process->sites = allocate(rows, sizeof *process->sites);
	for (uint32_t i = 0; i < count; i++) {
		const unsigned char *chunk = image->chunks[entry[i].number];
		for (uint32_t row = 0; row < chunk_sites(chunk); row++)
			read_site(chunk_site(chunk, row), process);
	}
}
