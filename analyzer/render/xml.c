/* SPDX-License-Identifier: MIT */
/* xml.c: see xml.h. */
#include "render/xml.h"

#include "text/escape.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* U+FFFE and U+FFFF have no place in XML. */
static bool is_no_character(const char *text)
{
	return strncmp(text, "\xef\xbf\xbe", 3) == 0 || strncmp(text, "\xef\xbf\xbf", 3) == 0;
}

void xml_put(const char *text, size_t column_max, struct sink *sink)
{
	char *shown = escape_text(text);

	text_cut(shown, column_max);
	for (const char *at = shown; *at; at++) {
		if (is_no_character(at)) {
			sink_print(sink, "&#xfffd;");
			at += 2;
		} else if (*at == '<')
			sink_print(sink, "&lt;");
		else if (*at == '>')
			sink_print(sink, "&gt;");
		else if (*at == '&')
			sink_print(sink, "&amp;");
		else if (*at == '"')
			sink_print(sink, "&quot;");
		else
			sink_bytes(sink, at, 1);
	}
	free(shown);
}
