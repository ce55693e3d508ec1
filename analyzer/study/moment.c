/* SPDX-License-Identifier: MIT */
/* moment.c: see moment.h. */
#include "study/moment.h"

#include <string.h>

#define KEY_OF_MOMENT(name, key) [MOMENT_##name] = key,
static const char *const keys[] = {MOMENTS(KEY_OF_MOMENT)};

enum { MOMENT_COUNT = sizeof keys / sizeof *keys };

bool moment_parse(const char *word, enum moment *ret)
{
	for (unsigned i = 0; i < MOMENT_COUNT; i++)
		if (keys[i] && strcmp(word, keys[i]) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

const char *moment_key(enum moment moment)
{
	return keys[moment];
}

static uint64_t resident_heap(const struct survey *survey)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < survey->arena_count; i++)
		for (uint32_t word = 0; word < (survey->arena_pages + 63) / 64; word++)
			pages += (uint64_t)__builtin_popcountll(survey->arenas[i].resident[word]);
	return pages * survey->page_bytes;
}

static bool is_whole(const struct survey *survey)
{
	return survey && survey->is_whole;
}

/* A program whose heap is gone when it ends is asked about its peak. */
static enum moment choose(const struct process *process)
{
	const struct survey *peak = is_whole(process->at_peak)        ? process->at_peak
				    : is_whole(process->at_live_peak) ? process->at_live_peak
								      : NULL;

	if (!peak ||
	    (is_whole(process->survey) && resident_heap(process->survey) >= resident_heap(peak) / 2))
		return MOMENT_END;
	return peak == process->at_peak ? MOMENT_PEAK : MOMENT_LIVE_PEAK;
}

const struct survey *moment_survey(const struct process *process, enum moment wanted,
				   enum moment *ret)
{
	*ret = wanted == MOMENT_CHOOSE ? choose(process) : wanted;
	switch (*ret) {
	case MOMENT_PEAK: return process->at_peak;
	case MOMENT_LIVE_PEAK: return process->at_live_peak;
	default: return process->survey;
	}
}
