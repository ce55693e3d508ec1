/* SPDX-License-Identifier: MIT */
/* roster.c: see roster.h. */
#include "launch/roster.h"

#include "source/image.h"
#include "source/life.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void roster_open(int directory_fd, uint64_t run_id, struct roster *ret)
{
	*ret = (struct roster){.directory_fd = directory_fd, .run_id = run_id};
}

void roster_close(struct roster *roster)
{
	free(roster->entries);
	roster->entries = NULL;
	roster->count = 0;
}

/* The time goes by ticks: what is made within one after a look is found when more happens. */
static bool has_changed(struct roster *roster)
{
	struct stat status;

	if (fstat(roster->directory_fd, &status) != 0)
		return true;
	bool changed = status.st_mtim.tv_sec != roster->changed.tv_sec ||
		       status.st_mtim.tv_nsec != roster->changed.tv_nsec;

	roster->changed = status.st_mtim;
	return changed;
}

static bool is_awaited(const struct roster_entry *entry)
{
	return entry->state == ROSTER_RUNNING || entry->state == ROSTER_FINISHED ||
	       entry->state == ROSTER_SPOILT;
}

/* Steps over entries that stand before `name`: their files are gone. */
static void pass_gone(struct roster *roster, size_t *at, const char *name)
{
	for (; *at < roster->count; ++*at) {
		const struct roster_entry *entry = &roster->entries[*at];

		if (name && strcmp(entry->name.text, name) <= 0)
			return;
		roster->lost_count += is_awaited(entry);
	}
}

static void read_names(struct roster *roster)
{
	size_t count, at = 0;
	struct segment_name *names = directory_names(roster->directory_fd, &count);
	struct roster_entry *entries = allocate(count, sizeof(*entries));

	for (size_t i = 0; i < count; i++) {
		pass_gone(roster, &at, names[i].text);
		if (at < roster->count && strcmp(roster->entries[at].name.text, names[i].text) == 0)
			entries[i] = roster->entries[at++];
		else
			entries[i].name = names[i];
	}
	pass_gone(roster, &at, NULL);
	free(names);
	free(roster->entries);
	roster->entries = entries;
	roster->count = count;
}

/*
 * A file that nobody writes to may be one whose maker has its name and not yet its descriptor, or
 * one that was filled after it was opened here: while it has no header, whose it is stays open.
 */
static enum roster_state whose(const struct roster *roster, const struct input *input)
{
	struct pm_header header;
	struct failure ignored;

	if (image_is_blank(input))
		return ROSTER_NEW;
	if (!input_read(input, 0, &header, sizeof(header), &ignored) ||
	    memcmp(header.magic, PM_MAGIC, sizeof(header.magic)) != 0 ||
	    header.run_id != roster->run_id)
		return ROSTER_FOREIGN;
	return ROSTER_RUNNING;
}

static void look_at(const struct roster *roster, struct roster_entry *entry)
{
	struct failure gone;
	struct input input;

	if (!input_open(roster->directory_fd, entry->name.text, &input, &gone))
		return;
	if (entry->state == ROSTER_NEW)
		entry->state = whose(roster, &input);
	if (entry->state == ROSTER_RUNNING && life_of_file(&input) == LIFE_ENDED) {
		entry->state = ROSTER_FINISHED;
		entry->allocated_bytes = input.allocated_bytes;
	}
	input_close(&input);
}

void roster_look(struct roster *roster, bool anew)
{
	if (has_changed(roster) || anew)
		read_names(roster);
	roster->finished_count = roster->finished_bytes = 0;
	for (size_t i = 0; i < roster->count; i++) {
		struct roster_entry *entry = &roster->entries[i];

		if (entry->state == ROSTER_NEW || entry->state == ROSTER_RUNNING)
			look_at(roster, entry);
		if (entry->state != ROSTER_FINISHED)
			continue;
		roster->finished_count++;
		roster->finished_bytes += entry->allocated_bytes;
	}
}

void roster_remove(const struct roster *roster, struct roster_entry *entry)
{
	if (unlinkat(roster->directory_fd, entry->name.text, 0) == 0)
		entry->state = ROSTER_REMOVED;
}
