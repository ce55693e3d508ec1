/* SPDX-License-Identifier: MIT */
/* control.c: see control.h. */
#include "model/control.h"

#include "source/directory.h"
#include "source/image.h"
#include "source/life.h"
#include "source/operand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_ours(int fd)
{
	struct stat status;
	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	       !(status.st_mode & (S_IWGRP | S_IWOTH)) &&
	       (status.st_uid == geteuid() || geteuid() == 0);
}

static bool open_file(const char *path, bool writes, struct input *ret, struct failure *why)
{
	int fd = open(path, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return fail(why, FAILURE_UNREADABLE, "cannot open %s: %s", path, strerror(errno));
	if (!is_ours(fd)) {
		close(fd);
		return fail(
			why, FAILURE_UNREADABLE,
			"%s is not trusted: it belongs to someone else, or others can write to it",
			path);
	}
	return input_take(fd, path, ret, why);
}

/* Between asking for its life and writing it may end: what is written then, nobody reads. */
static bool find_process(struct control *control, struct failure *why)
{
	struct segment_process found;

	if (!segment_find_process(&control->input, control->pid, &found))
		return fail(why, FAILURE_NOTHING, "its segment is gone or damaged");
	bool has_ended = found.record.state == PM_STATE_EXITED ||
			 life_of_process(&control->input, &found.header, control->pid,
					 found.record.start_ticks) == LIFE_ENDED;
	control->leader = found.leader;
	control->chunk_bytes = found.header.chunk_bytes;
	return !has_ended || fail(why, FAILURE_NOTHING,
				  "process %u has ended: what it recorded can be read, nothing more "
				  "can be asked of it",
				  control->pid);
}

static uint64_t slot_offset(const struct control *control, uint32_t chunk)
{
	return (uint64_t)chunk * control->chunk_bytes;
}

static bool map_word(struct control *control, struct failure *why)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t at = slot_offset(control, control->leader) +
		      offsetof(struct pm_slot, process.control);

	control->page_bytes = page;
	void *pages = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, control->input.fd,
			   (off_t)(at / page * page));
	if (pages == MAP_FAILED)
		return fail(why, FAILURE_UNREADABLE, "its segment cannot be mapped: %s",
			    strerror(errno));
	control->pages = pages;
	control->word = (uint64_t *)((char *)pages + at % page);
	return true;
}

bool control_open(const char *pid, bool writes, struct control *ret, struct failure *why)
{
	struct control control = {.pid = (uint32_t)strtoul(pid, NULL, 10)};
	char *path = operand_path(pid, why);

	if (!path)
		return false;
	bool is_open = open_file(path, writes, &control.input, why);
	free(path);
	if (!is_open)
		return false;
	if (!find_process(&control, why) || (writes && !map_word(&control, why))) {
		input_close(&control.input);
		return false;
	}
	*ret = control;
	return true;
}

void control_close(struct control *control)
{
	if (control->pages)
		munmap(control->pages, control->page_bytes);
	input_close(&control->input);
}

static bool read_slot(const struct control *control, uint32_t chunk, struct pm_slot *ret,
		      struct failure *why)
{
	return input_read(&control->input, slot_offset(control, chunk), ret,
			  offsetof(struct pm_slot, room), why);
}

/* A thread that has begun since then asks for what is in force before it allocates. */
static bool count_threads(const struct control *control, uint32_t chunks,
			  struct control_state *state, struct failure *why)
{
	struct pm_slot slot;

	for (uint32_t n = 1; n < chunks; n++) {
		if (!read_slot(control, n, &slot, why))
			return false;
		if (slot.chunk.kind != PM_CHUNK_SLOT || slot.chunk.process != control->leader ||
		    slot.use != PM_SLOT_THREAD || !slot.held)
			continue;
		state->threads++;
		state->followers += slot.control == state->taken;
	}
	return true;
}

/* Of a forked child the time of day is not known: the first process of the segment tells how far the clocks are apart. */
static uint64_t time_of_day(const struct pm_process *first, uint64_t monotonic_ns)
{
	return monotonic_ns - first->began_ns + first->began_real_ns;
}

bool control_read(const struct control *control, struct control_state *ret, struct failure *why)
{
	struct pm_header header;
	struct pm_process first;
	struct pm_slot slot;

	if (!image_peek(&control->input, &header, &first, why) ||
	    !read_slot(control, control->leader, &slot, why))
		return false;
	const struct pm_process *process = &slot.process;
	struct control_state state = {
		.what = process->control_state < PM_CONTROL_COUNT
				? (enum pm_control)process->control_state
				: PM_CONTROL_NONE,
		.asked = process->control,
		.taken = process->control_taken,
		.period = process->site_period,
		.before = process->site_before,
		.sample_period = process->sample_period,
		.was_switched = process->site_since_ns,
		.since_ns = process->site_since_ns,
		.since_real_ns = time_of_day(&first, process->site_since_ns),
		.is_passive = process->notes >> PM_NOTE_PASSIVE & 1,
	};
	if (!count_threads(control, header.chunks, &state, why))
		return false;
	*ret = state;
	return true;
}

/* Another may ask at the same time: the last one counts, and each number is another than that before. */
uint64_t control_ask(const struct control *control, uint64_t period)
{
	uint64_t before = __atomic_load_n(control->word, __ATOMIC_RELAXED), word;

	do {
		uint16_t number = (uint16_t)((before >> PM_CONTROL_SHIFT) + 1);
		word = (uint64_t)(number ? number : 1) << PM_CONTROL_SHIFT | period;
	} while (!__atomic_compare_exchange_n(control->word, &before, word, false, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
	return word;
}

bool control_is_taken(const struct control_state *state, uint64_t word)
{
	return state->taken == word && state->followers == state->threads;
}
