/* SPDX-License-Identifier: MIT */
/* recording.c: see recording.h. */
#include "model/recording.h"

#include "model/names.h"
#include "model/parts.h"
#include "model/state.h"
#include "text/allocate.h"
#include "text/clock.h"

#include <stdlib.h>
#include <string.h>

/* What grows while images come in. */
struct reading {
	struct recording *recording;
	size_t segment_room, process_room;
};

static const struct pm_slot *slot_at(const struct image *image, uint32_t number)
{
	const struct pm_slot *slot = number < image->chunk_count ? (void *)image->chunks[number]
								 : NULL;
	return slot && slot->chunk.kind == PM_CHUNK_SLOT ? slot : NULL;
}

static bool is_leader(const struct image *image, uint32_t number)
{
	const struct pm_slot *slot = slot_at(image, number);
	return slot && slot->chunk.process == number;
}

/* Takes the tables out of the image. */
static struct recorded_segment *add_segment(struct reading *reading, struct image *image)
{
	struct recording *recording = reading->recording;
	struct recorded_segment *segment = allocate(1, sizeof *segment);
	const struct pm_header *header = &image->header;

	segment->header = *header;
	segment->layout = (struct layout){
		.classes = image->classes,
		.ages = image->ages,
		.class_count = header->classes.count,
		.age_count = header->ages.count,
		.page_bytes = header->page_bytes,
		.unit_bytes = header->unit_bytes,
		.arena_units = header->arena_units,
	};
	image->classes = NULL;
	image->ages = NULL;
	if (is_leader(image, header->leader))
		segment->leader = slot_at(image, header->leader)->process;
	frames_read(image, &segment->frames);
	recording->segments = allocate_more(recording->segments, recording->segment_count,
					    &reading->segment_room, sizeof(void *));
	recording->segments[recording->segment_count++] = segment;
	return segment;
}

static struct process *add_process(struct reading *reading, const struct recorded_segment *segment,
				   uint32_t leader, enum process_kind kind)
{
	struct recording *recording = reading->recording;

	recording->processes = allocate_more(recording->processes, recording->process_count,
					     &reading->process_room, sizeof *recording->processes);
	struct process *process = &recording->processes[recording->process_count++];
	*process = (struct process){
		.header = &segment->header,
		.layout = &segment->layout,
		.frames = &segment->frames,
		.kind = kind,
		.chunk = leader,
		.exit_status = -1,
		.signal = -1,
	};
	return process;
}

static void drop_process(struct reading *reading)
{
	process_free(&reading->recording->processes[--reading->recording->process_count]);
}

static uint64_t chunk_bytes_of(const struct image *image, enum pm_chunk_kind kind, uint32_t process)
{
	uint32_t count;
	image_entries(image, kind, process, &count);
	return (uint64_t)count * image->header.chunk_bytes;
}

/* The leader's share of the segment is all that belongs to no other process. */
static uint64_t common_bytes(const struct image *image)
{
	uint64_t chunks = image->chunk_count - image->entry_count;

	for (uint32_t i = 0; i < image->entry_count; i++)
		chunks += image->entries[i].kind == PM_CHUNK_FRAMES;
	return chunks * image->header.chunk_bytes;
}

static void add_heap_process(struct reading *reading, const struct recorded_segment *segment,
			     const struct image *image, uint32_t leader)
{
	enum process_kind kind = leader == segment->header.leader ? PROCESS_EXEC : PROCESS_FORK;
	struct process *process = add_process(reading, segment, leader, kind);

	process->record = slot_at(image, leader)->process;
	if (process->record.site_since_ns)
		process->switched_real_ns = process->record.site_since_ns -
					    segment->leader.began_ns + segment->leader.began_real_ns;
	read_slots(image, false, process);
	read_map(image, process);
	read_survivors(image, process);
	read_marks(image, process);
	read_timeline(image, process);
	read_sites(image, process);
	read_survey(image, process);
	read_facts(image, process);
	process->telemetry_bytes += chunk_bytes_of(image, PM_CHUNK_MAP, leader) +
				    chunk_bytes_of(image, PM_CHUNK_FACTS, leader) +
				    chunk_bytes_of(image, PM_CHUNK_SURVIVAL, leader) +
				    chunk_bytes_of(image, PM_CHUNK_MARKS, leader) +
				    chunk_bytes_of(image, PM_CHUNK_TIMELINE, leader) +
				    chunk_bytes_of(image, PM_CHUNK_SITES, leader) +
				    chunk_bytes_of(image, PM_CHUNK_SURVEY, leader);
	if (kind == PROCESS_EXEC) {
		process->telemetry_bytes += common_bytes(image);
		process->unsettled = image->unsettled;
	}
}

static void add_departed(struct reading *reading, const struct recorded_segment *segment,
			 const struct image *image, uint32_t leader)
{
	const struct pm_process *parent = &slot_at(image, leader)->process;
	struct process *process = add_process(reading, segment, leader, PROCESS_DEPARTED);

	read_slots(image, true, process);
	process->record = (struct pm_process){
		.ppid = parent->pid,
		.recycled_children = parent->recycled_children,
		.epoch_length = parent->epoch_length,
		.clock_kind = parent->clock_kind,
	};
	memcpy(process->record.threshold, parent->threshold, sizeof parent->threshold);
	if (!process->slot_count)
		drop_process(reading);
}

static void add_image(struct reading *reading, struct image *image)
{
	const struct recorded_segment *segment = add_segment(reading, image);
	size_t first = reading->recording->process_count;

	for (uint32_t n = 1; n < image->chunk_count; n++) {
		const struct pm_chunk *chunk = (const void *)image->chunks[n];
		if (!chunk)
			continue;
		reading->recording->orphans += chunk->kind != PM_CHUNK_FRAMES &&
					       !is_leader(image, chunk->process);
		if (!is_leader(image, n))
			continue;
		add_heap_process(reading, segment, image, n);
		add_departed(reading, segment, image, n);
	}
	link_processes(reading->recording, first, image);
}

struct place {
	uint64_t created_ns;
	size_t index;
};

static int oldest_first(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	if (a->created_ns != b->created_ns)
		return a->created_ns < b->created_ns ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

/* A capture has segments in the order in which they were finished: the first program may be the last. */
static void order_by_age(struct recording *recording)
{
	size_t count = recording->process_count;
	struct process *processes = allocate(count, sizeof *processes);
	struct place *places = allocate(count, sizeof *places);
	size_t *now_at = allocate(count, sizeof *now_at);

	for (size_t i = 0; i < count; i++)
		places[i] = (struct place){recording->processes[i].header->created_ns, i};
	qsort(places, count, sizeof *places, oldest_first);
	for (size_t i = 0; i < count; i++)
		now_at[places[i].index] = i;
	for (size_t i = 0; i < count; i++) {
		processes[i] = recording->processes[places[i].index];
		processes[i].facts_index = now_at[processes[i].facts_index];
		processes[i].parent_index = now_at[processes[i].parent_index];
	}
	free(now_at);
	free(places);
	free(recording->processes);
	recording->processes = processes;
}

static bool read_images(struct source *source, struct reading *reading, struct failure *why)
{
	for (;;) {
		struct image image;
		switch (source_next(source, &image, why)) {
		case SOURCE_IMAGE:
			add_image(reading, &image);
			image_free(&image);
			break;
		case SOURCE_FAILED: return false;
		case SOURCE_END: return true;
		}
	}
}

/* The first one of a peak stays. */
static void give_survey_to(struct process *process, struct source_survey *survey)
{
	uint32_t peaks = survey->of.peaks ? survey->of.peaks : PM_PEAK_RSS;
	bool is_rss = peaks & PM_PEAK_RSS && !process->at_peak;
	bool is_live = peaks & PM_PEAK_LIVE && !process->at_live_peak;

	if (!is_rss && !is_live)
		return;
	struct survey *read = survey_read(process, survey->stream, survey->bytes);
	survey->stream = NULL;
	if (read)
		read->tree_rss = survey->of.rss;
	process->at_peak = is_rss ? read : process->at_peak;
	process->at_live_peak = is_live ? read : process->at_live_peak;
}

/* Those of processes that are not there are left. */
static void give_survey(struct recording *recording, struct source_survey *survey)
{
	for (size_t i = 0; i < recording->process_count; i++) {
		struct process *process = &recording->processes[i];
		bool is_its = process->kind != PROCESS_DEPARTED &&
			      process->chunk == survey->of.leader &&
			      memcmp(process->header->id, survey->of.id, sizeof survey->of.id) == 0;
		if (is_its && survey->stream)
			give_survey_to(process, survey);
	}
}

static bool read_all(struct source *source, const struct vicinity *vicinity,
		     struct reading *reading, struct failure *why)
{
	struct recording *recording = reading->recording;

	if (!read_images(source, reading, why))
		return false;
	for (size_t i = 0; i < source->survey_count; i++)
		give_survey(recording, &source->surveys[i]);
	order_by_age(recording);
	recording->read_at_ns = monotonic_ns();
	recording->is_cut_short = source->capture.is_cut_short;
	if (source->run && !outside_parse(source->run, source->run_bytes, &recording->outside, why))
		return false;
	if (source->names &&
	    !(recording->names = packed_open(source->names, source->names_bytes, why)))
		return false;
	if (!recording->process_count && !recording->outside.json)
		return fail(why, FAILURE_NOTHING, "no process in it");
	tell_states(recording, source, vicinity);
	tell_names(recording);
	return true;
}

static bool read_source(struct source *source, const struct vicinity *vicinity,
			struct recording *ret, struct failure *why)
{
	struct recording recording = {.kind = source->kind};
	struct reading reading = {.recording = &recording};

	if (!read_all(source, vicinity, &reading, why)) {
		recording_free(&recording);
		return false;
	}
	*ret = recording;
	return true;
}

bool recording_read_source(struct source *source, const char *path, struct recording *ret,
			   struct failure *why)
{
	return read_source(source, &(struct vicinity){.path = path}, ret, why);
}

static bool name_path(const char *path, struct failure *why)
{
	struct failure inner = *why;
	return fail(why, inner.kind, "%.120s: %.260s", path, inner.text);
}

static bool read_path(const char *path, const struct vicinity *vicinity, struct recording *ret,
		      struct failure *why)
{
	struct source source;

	if (!source_open(path, &source, why))
		return strstr(why->text, path) ? false : name_path(path, why);
	bool read = read_source(&source, vicinity, ret, why);
	source_close(&source);
	if (read)
		ret->path = allocate_text(path, strlen(path));
	return read || name_path(path, why);
}

bool recording_read(const char *path, struct recording *ret, struct failure *why)
{
	return read_path(path, &(struct vicinity){.path = path}, ret, why);
}

bool recording_read_among(const struct directory *directory, const char *path,
			  struct recording *ret, struct failure *why)
{
	return read_path(path, &(struct vicinity){.directory = directory}, ret, why);
}

static void pass_image(struct image *image, process_visitor *visit, void *context)
{
	struct recording recording = {.kind = SOURCE_CAPTURE};
	struct reading reading = {.recording = &recording};

	add_image(&reading, image);
	for (size_t i = 0; i < recording.process_count; i++)
		visit(&recording, &recording.processes[i], context);
	recording_free(&recording);
}

static bool pass_all(struct source *source, process_visitor *visit, void *context,
		     struct outside *ret_outside, struct failure *why)
{
	struct image image;
	enum source_step step;

	while ((step = source_next(source, &image, why)) == SOURCE_IMAGE) {
		pass_image(&image, visit, context);
		image_free(&image);
	}
	if (step == SOURCE_FAILED)
		return false;
	*ret_outside = (struct outside){.json = NULL};
	return !source->run || outside_parse(source->run, source->run_bytes, ret_outside, why);
}

bool recording_pass(const char *path, process_visitor *visit, void *context,
		    struct outside *ret_outside, struct failure *why)
{
	struct source source;

	if (!source_open(path, &source, why))
		return strstr(why->text, path) ? false : name_path(path, why);
	bool passed = pass_all(&source, visit, context, ret_outside, why);
	source_close(&source);
	return passed || name_path(path, why);
}

static void segment_free(struct recorded_segment *segment)
{
	free(segment->layout.classes);
	free(segment->layout.ages);
	frames_free(&segment->frames);
	free(segment);
}

void recording_free(struct recording *recording)
{
	free(recording->path);
	for (size_t i = 0; i < recording->process_count; i++)
		process_free(&recording->processes[i]);
	for (size_t i = 0; i < recording->segment_count; i++)
		segment_free(recording->segments[i]);
	free(recording->processes);
	free(recording->segments);
	outside_free(&recording->outside);
	packed_free(recording->names);
	*recording = (struct recording){.process_count = 0};
}
