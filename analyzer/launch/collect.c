/* SPDX-License-Identifier: MIT */
/* collect.c: see collect.h. */
#include "launch/collect.h"

#include "launch/peak.h"
#include "launch/say.h"
#include "source/facts.h"
#include "source/image.h"
#include "source/life.h"
#include "text/allocate.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum {
	MOVE_COUNT = 32,      /* so many finished segments ... */
	MOVE_BYTES = 2 << 20, /* ... or so many bytes of them stay where they are */
	MOVE_AT_ONCE = 64,    /* then the signals have their turn */
};

/* Path of the executable of the segment's leader.  Freed by the caller; NULL: unknown. */
static char *exe_of(const struct image *image)
{
	struct facts facts;
	struct fact fact;
	char *exe = NULL;

	facts_open(image, PM_CHUNK_FACTS, image->header.leader, &facts);
	while (!exe && facts_next(&facts, &fact))
		if (fact.tag == PM_FACT_EXE)
			exe = allocate_text(fact.payload, fact.byte_count);
	facts_close(&facts);
	return exe;
}

/* A pattern with a slash is matched against the whole path, else against the name. */
bool collect_wants(const struct collect *collect, const char *exe)
{
	const char *only = collect->only;

	if (!only || !exe)
		return !only;
	const char *slash = !strchr(only, '/') ? strrchr(exe, '/') : NULL;
	return fnmatch(only, slash ? slash + 1 : exe, 0) == 0;
}

static bool is_wanted(const struct collect *collect, const struct image *image)
{
	char *exe = collect->only ? exe_of(image) : NULL;
	bool wanted = collect_wants(collect, exe);

	free(exe);
	return wanted;
}

/* A segment on its way into the capture. */
struct passage {
	struct roster_entry *entry;
	struct input input;
	enum life life;
	bool is_saved;         /* false: left out, spoilt or gone */
	struct failure damage; /* of a spoilt one */
};

static bool save_image(struct collect *collect, struct passage *passage, const struct image *image,
		       struct failure *why)
{
	if (!is_wanted(collect, image)) {
		collect->left_out++;
		return true;
	}
	if (!save_is_begun(collect->save) && !save_begin(collect->save, why))
		return false;
	if (!save_segment(collect->save, &passage->input, image, why))
		return false;
	collect->saved++;
	passage->is_saved = true;
	return true;
}

static bool save_input(struct collect *collect, struct passage *passage, struct failure *why)
{
	struct image_place place = {
		.input = &passage->input,
		.bytes = passage->input.bytes,
		.is_moving = passage->life != LIFE_ENDED,
	};
	struct image image;

	if (!image_load(&place, &image, &passage->damage)) {
		passage->entry->state = ROSTER_SPOILT;
		return true;
	}
	bool saved = save_image(collect, passage, &image, why);

	if (saved && passage->life == LIFE_ENDED)
		passage->entry->state = ROSTER_SAVED;
	image_free(&image);
	return saved;
}

/* False when the capture cannot be written. */
static bool save_entry(struct collect *collect, struct roster_entry *entry, struct passage *ret,
		       struct failure *why)
{
	struct failure gone;

	*ret = (struct passage){.entry = entry};
	if (!input_open(collect->roster.directory_fd, entry->name.text, &ret->input, &gone))
		return true;
	ret->life = entry->state == ROSTER_RUNNING ? life_of_file(&ret->input) : LIFE_ENDED;
	bool saved = save_input(collect, ret, why);

	input_close(&ret->input);
	return saved;
}

static bool move_entry(struct collect *collect, struct roster_entry *entry, struct failure *why)
{
	struct passage passage;

	if (!save_entry(collect, entry, &passage, why))
		return false;
	if (entry->state == ROSTER_SAVED)
		roster_remove(&collect->roster, entry);
	if (entry->state == ROSTER_REMOVED && passage.is_saved) {
		collect->moved++;
		collect->save->is_sole = true;
	}
	return true;
}

bool collect_some(struct collect *collect)
{
	struct roster *roster = &collect->roster;
	size_t moved = 0;

	if (collect->stop.kind)
		return false;
	roster_look(roster, false);
	if (roster->finished_count <= MOVE_COUNT && roster->finished_bytes <= MOVE_BYTES)
		return false;
	for (size_t i = roster->count; i-- > 0 && moved < MOVE_AT_ONCE;) {
		struct roster_entry *entry = &roster->entries[i];

		if (entry->state != ROSTER_FINISHED)
			continue;
		if (!move_entry(collect, entry, &collect->stop)) {
			say("%s; segments stay in %s until the end", collect->stop.text,
			    collect->directory);
			return false;
		}
		moved += entry->state != ROSTER_FINISHED;
	}
	return moved > 0;
}

static bool save_rest(struct collect *collect, struct failure *why)
{
	struct roster *roster = &collect->roster;
	bool saved = true;

	roster_look(roster, true);
	for (size_t i = roster->count; saved && i-- > 0;) {
		struct roster_entry *entry = &roster->entries[i];
		struct passage passage;

		if (entry->state != ROSTER_RUNNING && entry->state != ROSTER_FINISHED &&
		    entry->state != ROSTER_SPOILT)
			continue;
		saved = save_entry(collect, entry, &passage, why);
		if (entry->state == ROSTER_SPOILT)
			say("segment %s: %s", entry->name.text, passage.damage.text);
	}
	if (roster->lost_count)
		say("%zu segments were removed before they could be saved, by `poolmem clean` or max=",
		    (size_t)roster->lost_count);
	return saved;
}

static void remove_saved(struct collect *collect)
{
	struct roster *roster = &collect->roster;

	for (size_t i = 0; i < roster->count; i++)
		if (roster->entries[i].state == ROSTER_SAVED)
			roster_remove(roster, &roster->entries[i]);
}

bool collect_rest(struct collect *collect, const char *run_json, bool *ret_part, struct failure *why)
{
	struct save *save = collect->save;
	struct failure ignored;
	bool is_whole = save_rest(collect, why);

	*ret_part = false;
	if (is_whole && !save_is_begun(save)) {
		remove_saved(collect); /* none is wanted */
		return true;
	}
	if (!is_whole && collect->moved == 0)
		return false;
	bool told = save_run(save, run_json, is_whole ? why : &ignored) &&
		    peak_save(collect->peak, save, is_whole ? why : &ignored);

	is_whole = is_whole && told && save_end(save, why);
	*ret_part = !is_whole && collect->moved && save_without_end(save, &ignored);
	if (is_whole || *ret_part)
		remove_saved(collect);
	return is_whole;
}

size_t collect_staying(const struct collect *collect)
{
	const struct roster *roster = &collect->roster;
	size_t staying = 0;

	for (size_t i = 0; i < roster->count; i++)
		staying += roster->entries[i].state >= ROSTER_RUNNING &&
			   roster->entries[i].state <= ROSTER_SAVED;
	return staying;
}
