/* SPDX-License-Identifier: MIT */
/* export.c: what the formats have in common. */
#include "render/export.h"

#include "render/sites.h"
#include "text/escape.h"
#include "text/number.h"

#include <stdio.h>
#include <string.h>

const char export_unknown[] = "(stack not known)";

#define FORMAT(name, flags, readers) {#name, flags, export_##name},
static const struct export_format formats[] = {EXPORT_FORMATS(FORMAT)};
#undef FORMAT

enum { FORMAT_COUNT = sizeof formats / sizeof *formats };

const struct export_format *export_format_find(const char *name, struct failure *why)
{
	char names[160] = "";

	for (size_t i = 0; i < FORMAT_COUNT; i++) {
		size_t used = strlen(names);
		if (name && strcmp(name, formats[i].name) == 0)
			return &formats[i];
		snprintf(names + used, sizeof names - used, "%s%s",
			 !i                      ? ""
			 : i + 1 == FORMAT_COUNT ? " or "
						 : ", ",
			 formats[i].name);
	}
	if (name)
		fail(why, FAILURE_USAGE, "--format takes %s, not '%.100s'", names, name);
	else
		fail(why, FAILURE_USAGE, "--format is wanted: %s", names);
	return NULL;
}

char *export_comment(const struct sites *sites)
{
	char text[256];

	if (sites->period_max > 1)
		snprintf(text, sizeof text,
			 "poolmem: estimates from a sample, one block recorded in %s allocated; "
			 "rounded to whole numbers",
			 number_bytes(sites->period_max).text);
	else
		snprintf(text, sizeof text, "poolmem: counts, each block was recorded");
	return escape_text(text);
}

char *export_text(const char *text)
{
	return escape_text(text ? text : "");
}

char *export_label(const struct named_call *call)
{
	return export_text(call ? call->label : export_unknown);
}

char *export_file(const struct named_call *call)
{
	return export_text(call ? call->call.file : NULL);
}

uint64_t export_whole(const struct site_sums *sums, enum site_figure which)
{
	return sites_whole(site_value(sums, which));
}
