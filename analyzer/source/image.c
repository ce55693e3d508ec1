/* SPDX-License-Identifier: MIT */
/* image.c: see image.h. */
#include "source/image.h"

#include "source/chunk.h"
#include "source/frees.h"
#include "source/settle.h"
#include "text/allocate.h"
#include "text/clock.h"
#include "text/partition.h"

#include <stdlib.h>
#include <string.h>

/* While the counts are far apart all is read again. */
enum { TRIES_MAX = 20, TRIES_MS = 250, REST_NS = 500000 };

/* Frees that are too few to read again for: so many, or one in so many of what lives. */
enum { DRIFT_BLOCKS = 64, DRIFT_BYTES = 256 << 10, DRIFT_SHARE = 200 };

/* What image_load works with.  scratch: SETTLE_CHUNKS chunks. */
struct loading {
	const struct image_place *place;
	struct image *image;
	unsigned char *scratch;
	struct failure *why;
};

static bool load_header(struct loading *loading)
{
	struct image *image = loading->image;
	const struct image_place *place = loading->place;

	if (place->bytes < sizeof image->header)
		return fail(loading->why, FAILURE_UNREADABLE,
			    "damaged: %llu bytes are too few for a header",
			    (unsigned long long)place->bytes);
	return input_read(place->input, place->offset, &image->header, sizeof image->header,
			  loading->why) &&
	       header_verify(&image->header, place->bytes, loading->why);
}

static bool load_tables(struct loading *loading)
{
	struct image *image = loading->image;
	const struct pm_header *header = &image->header;

	if (!input_read(loading->place->input, loading->place->offset, loading->scratch,
			header->chunk_bytes, loading->why) ||
	    !header_verify_tables(header, loading->scratch, loading->why))
		return false;
	image->classes = allocate(header->classes.count, sizeof *image->classes);
	for (uint32_t i = 0; i < header->classes.count; i++)
		image->classes[i] = header_class(header, loading->scratch, i);
	image->ages = allocate(header->ages.count, sizeof *image->ages);
	for (uint32_t i = 0; i < header->ages.count; i++)
		image->ages[i] = header_age(header, loading->scratch, i);
	return true;
}

/*
 * A slot without use is claimed and not written to yet, or emptied already; so is a record of sweeps, marks,
 * frames, sites or moments without room.
 */
static bool is_worth_keeping(const unsigned char *chunk)
{
	uint32_t kind = ((const struct pm_chunk *)(const void *)chunk)->kind;
	if (kind == PM_CHUNK_SLOT || kind == PM_CHUNK_DYING)
		return ((const struct pm_slot *)(const void *)chunk)->use;
	if (kind == PM_CHUNK_SURVIVAL)
		return ((const struct pm_survival *)(const void *)chunk)->class_room;
	if (kind == PM_CHUNK_MARKS)
		return ((const struct pm_marks *)(const void *)chunk)->room;
	if (kind == PM_CHUNK_FRAMES)
		return chunk_frames(chunk);
	if (kind == PM_CHUNK_SITES)
		return ((const struct pm_sites *)(const void *)chunk)->row_room;
	if (kind == PM_CHUNK_TIMELINE)
		return ((const struct pm_timeline *)(const void *)chunk)->room;
	return kind == PM_CHUNK_MAP || kind == PM_CHUNK_FACTS || kind == PM_CHUNK_SURVEY;
}

static bool read_chunk(struct loading *loading, uint32_t number)
{
	const struct image_place *place = loading->place;
	size_t bytes = loading->image->header.chunk_bytes;

	if (!input_read(place->input, place->offset + (uint64_t)number * bytes, loading->scratch,
			bytes, loading->why))
		return false;
	return !place->is_moving || settle_timeline(place, &loading->image->header, number,
						    loading->scratch, loading->why);
}

/* Of a program that runs its frees are read again. */
static bool has_counts(const unsigned char *chunk)
{
	uint32_t kind = ((const struct pm_chunk *)(const void *)chunk)->kind;
	return kind == PM_CHUNK_SLOT || kind == PM_CHUNK_DYING;
}

static bool load_chunk(struct loading *loading, uint32_t number)
{
	struct image *image = loading->image;
	size_t bytes = image->header.chunk_bytes;

	if (!read_chunk(loading, number) ||
	    !chunk_verify(&image->header, number, loading->scratch, loading->why))
		return false;
	if (!is_worth_keeping(loading->scratch))
		return true;
	image->chunks[number] = allocate(1, bytes);
	memcpy(image->chunks[number], loading->scratch, bytes);
	if (has_counts(image->chunks[number]))
		chunk_fold_frees(&image->header, image->chunks[number]);
	return true;
}

/* A chunk that nobody has taken yet, told by its beginning alone. */
static bool load_if_taken(struct loading *loading, uint32_t number)
{
	uint64_t offset = (uint64_t)number * loading->image->header.chunk_bytes;
	uint32_t kind;

	if (!input_read(loading->place->input, loading->place->offset + offset, &kind, sizeof kind,
			loading->why))
		return false;
	return kind == PM_CHUNK_EMPTY || kind == PM_CHUNK_SPARE || load_chunk(loading, number);
}

static void set_chunk_count(struct image *image, uint32_t count)
{
	unsigned char **chunks = allocate(count, sizeof *chunks);
	if (image->chunks)
		memcpy(chunks, image->chunks, image->chunk_count * sizeof *chunks);
	free(image->chunks);
	free(image->drift); /* nothing is in it before pass C */
	image->chunks = chunks;
	image->drift = allocate(count, sizeof *image->drift);
	image->chunk_count = count;
}

static bool load_missing_chunks(struct loading *loading)
{
	for (uint32_t n = 1; n < loading->image->chunk_count; n++)
		if (!loading->image->chunks[n] && !load_chunk(loading, n))
			return false;
	return true;
}

/* How many chunks there are by now. */
static bool reload_chunk_count(struct loading *loading)
{
	struct image *image = loading->image;
	uint32_t chunks;

	if (!input_read(loading->place->input,
			loading->place->offset + __builtin_offsetof(struct pm_header, chunks),
			&chunks, sizeof chunks, loading->why))
		return false;
	if (chunks < image->chunk_count)
		return fail(loading->why, FAILURE_UNREADABLE, "damaged: %u chunks became %u",
			    image->chunk_count, chunks);
	if (!header_chunks_fit(&image->header, chunks, loading->place->bytes, loading->why))
		return false;
	image->header.chunks = chunks;
	set_chunk_count(image, chunks);
	return true;
}

static bool is_of_kind(const unsigned char *chunk, enum pm_chunk_kind kind)
{
	return chunk && ((const struct pm_chunk *)(const void *)chunk)->kind == kind;
}

static bool is_slot(const unsigned char *chunk)
{
	return is_of_kind(chunk, PM_CHUNK_SLOT);
}

/* Its frees go on.  DEPARTED is of the dead. */
static bool has_frees(const unsigned char *chunk)
{
	return is_slot(chunk) &&
	       ((const struct pm_slot *)(const void *)chunk)->use != PM_SLOT_DEPARTED;
}

/* Pass A. */
static bool read_frees(struct loading *loading)
{
	struct image *image = loading->image;

	for (uint32_t n = 1; n < image->chunk_count; n++)
		if (has_frees(image->chunks[n]) &&
		    !frees_before(loading->place, image, n, loading->scratch, loading->why))
			return false;
	return true;
}

static void forget_frees(const struct image *image, unsigned char *chunk)
{
	for (uint32_t c = 0; c < image->header.classes.count; c++)
		memset(chunk_tally(&image->header, chunk, c)->freed, 0,
		       image->header.ages.count * sizeof(uint64_t));
}

static void forget_allocations(const struct image *image, unsigned char *chunk)
{
	for (uint32_t c = 0; c < image->header.classes.count; c++)
		memset(chunk_tally(&image->header, chunk, c), 0,
		       __builtin_offsetof(struct pm_tally, freed));
}

/* Slots that appeared since pass A: as if it had read them, and found no free. */
static bool load_newcomers(struct loading *loading)
{
	struct image *image = loading->image;
	uint32_t old_count = image->chunk_count;

	if (!reload_chunk_count(loading))
		return false;
	uint8_t *is_old = allocate(image->chunk_count, 1);
	for (uint32_t n = 1; n < old_count; n++)
		is_old[n] = image->chunks[n] != NULL;
	bool loaded = true;
	for (uint32_t n = 1; loaded && n < image->chunk_count; n++)
		loaded = image->chunks[n] || load_if_taken(loading, n);
	for (uint32_t n = 1; n < image->chunk_count; n++)
		if (!is_old[n] && is_slot(image->chunks[n]))
			forget_frees(image, image->chunks[n]);
	free(is_old);
	return loaded;
}

static void drop_chunk(struct image *image, uint32_t number)
{
	free(image->chunks[number]);
	image->chunks[number] = NULL;
}

/* Pass B. */
static bool settle_all(struct loading *loading)
{
	struct image *image = loading->image;

	for (uint32_t n = 1; n < image->chunk_count; n++) {
		bool gone;
		uint32_t unsettled;
		if (!is_slot(image->chunks[n]))
			continue;
		if (!settle_slot(loading->place, &image->header, n, image->chunks[n],
				 loading->scratch, &gone, &unsettled, loading->why))
			return false;
		image->unsettled += unsettled;
		if (!gone)
			continue;
		drop_chunk(image, n);
	}
	return true;
}

static bool is_latecomer(const struct image *image, uint32_t number)
{
	uint32_t process = ((const struct pm_chunk *)(const void *)image->chunks[number])->process;
	return has_frees(image->chunks[number]) && process != number &&
	       process < image->chunk_count && is_slot(image->chunks[process]);
}

/*
 * A thread that appeared since pass B may have freed what others had allocated before: of it only the
 * frees count.  A process that did comes next time.
 */
static bool load_latecomers(struct loading *loading)
{
	struct image *image = loading->image;

	if (!reload_chunk_count(loading))
		return false;
	for (uint32_t n = 1; n < image->chunk_count; n++) {
		if (image->chunks[n])
			continue;
		if (!load_if_taken(loading, n))
			return false;
		if (!image->chunks[n])
			continue;
		if (is_of_kind(image->chunks[n], PM_CHUNK_FRAMES))
			continue;
		if (!is_latecomer(image, n)) {
			drop_chunk(image, n);
			continue;
		}
		forget_allocations(image, image->chunks[n]);
		forget_frees(image, image->chunks[n]);
	}
	return true;
}

/* Pass C. */
static bool read_later_frees(struct loading *loading, struct frees_later *later)
{
	struct image *image = loading->image;

	for (uint32_t n = 1; n < image->chunk_count; n++) {
		bool gone;
		if (!has_frees(image->chunks[n]))
			continue;
		if (!frees_after(loading->place, image, n, later, &gone, loading->why))
			return false;
		if (gone)
			drop_chunk(image, n);
	}
	return true;
}

/* Rows that were read since may lead to frames that were not there yet: now they are. */
static bool reload_frames(struct loading *loading)
{
	struct image *image = loading->image;

	for (uint32_t n = 1; n < image->chunk_count; n++) {
		if (!is_of_kind(image->chunks[n], PM_CHUNK_FRAMES))
			continue;
		drop_chunk(image, n);
		if (!load_chunk(loading, n))
			return false;
	}
	return true;
}

static bool read_later(struct loading *loading)
{
	struct frees_later later;

	if (!reload_frames(loading) || !load_latecomers(loading))
		return false;
	frees_later_begin(loading->image, &later);
	bool read = read_later_frees(loading, &later);
	frees_later_end(&later, loading->image);
	return read;
}

/* Of the DEPARTED slots the one in force stays.  Returns the chunk that it has absorbed; 0: none. */
static uint32_t keep_departed_in_force(struct image *image)
{
	const struct pm_slot *best = NULL;
	uint32_t best_number = 0;

	for (uint32_t n = 1; n < image->chunk_count; n++) {
		const struct pm_slot *slot = (const void *)image->chunks[n];
		if (!is_slot(image->chunks[n]) || slot->use != PM_SLOT_DEPARTED)
			continue;
		bool is_better = !best || slot->chunk.sequence > best->chunk.sequence;
		uint32_t worse = is_better ? best_number : n;
		if (worse)
			drop_chunk(image, worse);
		if (is_better) {
			best = slot;
			best_number = n;
		}
	}
	return best ? best->absorbed : 0;
}

/* What is being recycled counts where it stands, or else in DEPARTED: preload/segment/recycle.c */
static void resolve_recycled(struct image *image)
{
	uint32_t absorbed = keep_departed_in_force(image);

	for (uint32_t n = 1; n < image->chunk_count; n++) {
		if (!is_of_kind(image->chunks[n], PM_CHUNK_DYING))
			continue;
		if (n == absorbed)
			drop_chunk(image, n);
		else
			((struct pm_chunk *)(void *)image->chunks[n])->kind = PM_CHUNK_SLOT;
	}
}

static int by_kind_and_process(const void *left, const void *right)
{
	const struct image_entry *a = left, *b = right;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->process != b->process)
		return a->process < b->process ? -1 : 1;
	if (a->sequence != b->sequence)
		return a->sequence < b->sequence ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

static void index_chunks(struct image *image)
{
	image->entries = allocate(image->chunk_count, sizeof *image->entries);
	for (uint32_t n = 1; n < image->chunk_count; n++) {
		const struct pm_chunk *chunk = (const void *)image->chunks[n];
		if (chunk)
			image->entries[image->entry_count++] = (struct image_entry){
				chunk->kind, chunk->process, chunk->sequence, n};
	}
	qsort(image->entries, image->entry_count, sizeof *image->entries, by_kind_and_process);
}

static bool load_all(struct loading *loading)
{
	struct image *image = loading->image;

	if (!load_header(loading))
		return false;
	loading->scratch = allocate(SETTLE_CHUNKS, image->header.chunk_bytes);
	set_chunk_count(image, image->header.chunks);
	if (!load_tables(loading) || !load_missing_chunks(loading))
		return false;
	return !loading->place->is_moving || (read_frees(loading) && load_newcomers(loading) &&
					      settle_all(loading) && read_later(loading));
}

static bool load_once(const struct image_place *place, struct image *ret, struct failure *why)
{
	struct image image = {.chunk_count = 0};
	struct loading loading = {.place = place, .image = &image, .why = why};
	bool loaded = load_all(&loading);

	free(loading.scratch);
	if (!loaded) {
		image_free(&image);
		return false;
	}
	resolve_recycled(&image);
	index_chunks(&image);
	*ret = image;
	return true;
}

static bool is_little(uint64_t drift, uint64_t little, uint64_t live)
{
	return drift <= little || ((int64_t)live > 0 && drift <= live / DRIFT_SHARE);
}

static bool is_close(const struct image *image)
{
	struct image_amount drift = frees_drift(image), live = frees_live(image);
	return is_little(drift.blocks, DRIFT_BLOCKS, live.blocks) &&
	       is_little(drift.bytes, DRIFT_BYTES, live.bytes);
}

static bool is_closer(const struct image *image, const struct image *other)
{
	return frees_drift(image).bytes < frees_drift(other).bytes;
}

static uint64_t now_ms(void)
{
	return monotonic_ns() / CLOCK_MS_NS;
}

/* Who has slept is not sent off its processor at once. */
static void rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
}

/* What was read stays when it cannot be read once more. */
static bool try_again(const struct image_place *place, struct image *best)
{
	struct image image;
	struct failure ignored;

	rest();
	if (!load_once(place, &image, &ignored))
		return false;
	if (is_closer(&image, best)) {
		struct image worse = *best;
		*best = image;
		image = worse;
	}
	image_free(&image);
	return true;
}

bool image_load(const struct image_place *place, struct image *ret, struct failure *why)
{
	struct image best;
	uint64_t end = now_ms() + TRIES_MS;

	if (!load_once(place, &best, why))
		return false;
	for (int tries = 1; tries < TRIES_MAX && !is_close(&best) && now_ms() < end; tries++)
		if (!try_again(place, &best))
			break;
	*ret = best;
	return true;
}

void image_free(struct image *image)
{
	for (uint32_t n = 0; n < image->chunk_count; n++)
		free(image->chunks[n]);
	free(image->chunks);
	free(image->drift);
	free(image->entries);
	free(image->classes);
	free(image->ages);
	*image = (struct image){.chunk_count = 0};
}

const struct image_entry *image_entries(const struct image *image, enum pm_chunk_kind kind,
					uint32_t process, uint32_t *ret_count)
{
	struct image_entry key = {.kind = kind, .process = process};
	size_t first = PARTITION_POINT(0, image->entry_count, i,
				       by_kind_and_process(&image->entries[i], &key) < 0);
	size_t end = first;

	while (end < image->entry_count && image->entries[end].kind == key.kind &&
	       image->entries[end].process == process)
		end++;
	*ret_count = (uint32_t)(end - first);
	return &image->entries[first];
}

bool image_peek(const struct input *input, struct pm_header *ret_header,
		struct pm_process *ret_leader, struct failure *why)
{
	struct pm_header header;
	struct pm_process leader;

	if (input->bytes < sizeof header)
		return fail(why, FAILURE_UNREADABLE, "not a poolmem segment");
	if (!input_read(input, 0, &header, sizeof header, why) ||
	    !header_verify(&header, input->bytes, why))
		return false;
	if (!header.leader || header.leader >= header.chunks)
		return fail(why, FAILURE_UNREADABLE, "damaged: header says leader %u",
			    header.leader);
	if (!input_read(input,
			(uint64_t)header.leader * header.chunk_bytes +
				__builtin_offsetof(struct pm_slot, process),
			&leader, sizeof leader, why))
		return false;
	*ret_header = header;
	*ret_leader = leader;
	return true;
}

bool image_is_blank(const struct input *input)
{
	struct pm_header header;
	struct failure ignored;
	uint32_t ready;

	if (input->bytes == 0)
		return true;
	return input_read(input, __builtin_offsetof(struct pm_header, ready), &ready, sizeof ready,
			  &ignored) &&
	       input_read(input, 0, &header, sizeof header, &ignored) && ready == 0 &&
	       header.version <= PM_FORMAT_VERSION;
}
