/* SPDX-License-Identifier: MIT */
/* moment.c: see moment.h. */
#include "study/moment.h"

#include "model/saturate.h"

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

/* Resident bytes of pools and blocks in use: those with a live block. */
static uint64_t resident_in_use(const struct survey *survey)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < survey->pool_count; i++)
		if (survey->pools[i].live_count)
			bytes = sum(bytes, survey_resident_bytes(survey, &survey->pools[i]));
	return bytes;
}

static bool is_whole(const struct survey *survey)
{
	return survey && survey->is_whole;
}

/* A program that frees what it had before it ends is asked about its peak. */
static enum moment choose(const struct process *process)
{
	const struct survey *peak = is_whole(process->at_peak)        ? process->at_peak
				    : is_whole(process->at_live_peak) ? process->at_live_peak
								      : NULL;

	if (!peak || (is_whole(process->survey) &&
		      resident_in_use(process->survey) >= resident_in_use(peak) / 2))
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
