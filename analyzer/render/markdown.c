/* SPDX-License-Identifier: MIT */
/* markdown.c: see markdown.h. */
#include "render/markdown.h"

#include "text/escape.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Parts of a link, an address or a mention: what is between, and unseen, keeps them apart. */
static bool begins_link(const char *text, const char *at)
{
	return *at == '@' || (*at == ':' && at[1] == '/') ||
	       (at - text >= 2 && strncasecmp(at - 2, "www.", 4) == 0);
}

void markdown_put(const char *text, struct sink *sink)
{
	static const char marks[] = "\\`*_[]<>&|~#$@";
	char *shown = escape_text(text);

	for (const char *at = shown; *at; at++) {
		if (strchr(marks, *at))
			sink_print(sink, "&#%d;", *at);
		else
			sink_bytes(sink, at, 1);
		if (begins_link(shown, at))
			sink_print(sink, "<!-- -->");
	}
	free(shown);
}

void markdown_code(const char *text, struct sink *sink)
{
	sink_print(sink, "<code>");
	markdown_put(text, sink);
	sink_print(sink, "</code>");
}
