/* SPDX-License-Identifier: MIT */
/* openmetrics.c: see openmetrics.h. */
#include "render/openmetrics.h"

#include "text/escape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METRIC_MEANING(name, key, unit, meaning) meaning,
static const char *const meanings[METRIC_COUNT] = {PM_METRICS(METRIC_MEANING)};
#undef METRIC_MEANING

bool openmetrics_is_counter(enum metric which)
{
	switch (which) {
	case METRIC_ALLOC_COUNT:
	case METRIC_FREE_COUNT:
	case METRIC_ALLOC_FAILED:
	case METRIC_ALLOC_NESTED:
	case METRIC_ALLOC_BYTES:
	case METRIC_FREE_BYTES:
	case METRIC_REALLOC_COUNT:
	case METRIC_REALLOC_MOVED:
	case METRIC_FOREIGN_FREE:
	case METRIC_FREE_REMOTE:
	case METRIC_DROPPED_STACKS:
	case METRIC_DROPPED_BLOCKS: return true;
	default:
		return strncmp(metric_keys[which], "gen.", 4) == 0 &&
		       !strstr(metric_keys[which], ".live");
	}
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), of_end = strlen(end);
	return length >= of_end && strcmp(text + length - of_end, end) == 0;
}

static const char *unit_of(enum metric which)
{
	return metric_units[which] == UNIT_BYTES ? "bytes"
	       : metric_units[which] == UNIT_NS  ? "seconds"
						 : NULL;
}

static void name_family(enum metric which, char ret[OPENMETRICS_NAME_BYTES])
{
	size_t length = strlen(metric_keys[which]);
	const char *unit = unit_of(which);

	if (ends_with(metric_keys[which], "_ns"))
		length -= strlen("_ns");
	snprintf(ret, OPENMETRICS_NAME_BYTES, "poolmem_%.*s", (int)length, metric_keys[which]);
	for (char *at = ret; *at; at++)
		*at = *at == '.' ? '_' : *at;
	if (unit && !ends_with(ret, unit))
		snprintf(ret + strlen(ret), OPENMETRICS_NAME_BYTES - strlen(ret), "_%s", unit);
}

void openmetrics_family(enum metric which, char ret[OPENMETRICS_NAME_BYTES])
{
	name_family(which, ret);
	if (openmetrics_is_counter(which))
		snprintf(ret + strlen(ret), OPENMETRICS_NAME_BYTES - strlen(ret), "_total");
}

void openmetrics_head(const char *family, const char *type, const char *unit, const char *help,
		      struct sink *sink)
{
	sink_print(sink, "# TYPE %s %s\n", family, type);
	if (unit)
		sink_print(sink, "# UNIT %s %s\n", family, unit);
	sink_print(sink, "# HELP %s %s\n", family, help);
}

void openmetrics_head_of(enum metric which, struct sink *sink)
{
	char family[OPENMETRICS_NAME_BYTES];

	name_family(which, family);
	openmetrics_head(family, openmetrics_is_counter(which) ? "counter" : "gauge",
			 unit_of(which), meanings[which], sink);
}

/* A line break is a backslash and an n already. */
void openmetrics_escaped(const char *text, struct sink *sink)
{
	char *shown = escape_text(text);

	for (const char *at = shown; *at; at++) {
		if (*at == '"' || *at == '\\')
			sink_bytes(sink, "\\", 1);
		sink_bytes(sink, at, 1);
	}
	free(shown);
}

void openmetrics_value(enum metric_unit unit, int64_t value, struct sink *sink)
{
	const uint64_t second = 1000000000;
	uint64_t ns = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	if (unit != UNIT_NS)
		sink_print(sink, "%" PRId64 "\n", value);
	else
		sink_print(sink, "%s%" PRIu64 ".%09" PRIu64 "\n", value < 0 ? "-" : "", ns / second,
			   ns % second);
}
