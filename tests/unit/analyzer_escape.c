/* SPDX-License-Identifier: MIT */
/* F35: whatever bytes a name holds, none of them reaches a terminal as a control character. */
#include "text/escape.h"

#include "text/failure.h"
#include "text/sink.h"
#include "text/table.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void shows(const char *bytes, const char *expected)
{
	char *shown = escape_text(bytes);
	cr_expect_str_eq(shown, expected);
	free(shown);
}

Test(escape, controls_are_spelled_out)
{
	shows("plain", "plain");
	shows("a\nb\tc", "a\\nb\\tc");
	shows("\x1b]52;c;ZXZpbA==\x07", "\\x1b]52;c;ZXZpbA==\\x07");
	shows("\x7f", "\\x7f");
	shows("\xc2\x9b"
	      "31m",
	      "\\x9b"
	      "31m");
	shows("\xe2\x80\xae"
	      "gnp.exe",
	      "\\u202e"
	      "gnp.exe");
	shows("\xe2\x80\xa8", "\\u2028");
	shows("\xef\xbb\xbf", "\\ufeff");
	shows("\xd8\x9c", "\\u061c");
	shows("\xe2\x81\xa6", "\\u2066");
}

Test(escape, utf8_passes_and_what_is_none_is_replaced)
{
	shows("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
	      "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
	shows("\xff", "\xef\xbf\xbd");
	shows("\xc3", "\xef\xbf\xbd");
	shows("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");
	shows("\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	shows("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	shows("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	shows("\xc3"
	      "x",
	      "\xef\xbf\xbd"
	      "x");
}

static void expect_harmless(const char *shown)
{
	for (size_t left = strlen(shown); left;) {
		uint32_t point;
		size_t bytes = utf8_next(shown, left, &point);
		cr_assert(point >= 0x20 && point != 0x7f && !(point >= 0x80 && point < 0xa0));
		cr_assert(point != 0xfffd || bytes == 3);
		shown += bytes;
		left -= bytes;
	}
}

/* All pairs of bytes, and all code points of up to three bytes. */
Test(escape, exhaustive)
{
	for (unsigned pair = 0x101; pair < 0x10000; pair++) {
		char text[] = {(char)(pair >> 8), (char)pair, 0};
		char *shown = escape_text(text);
		expect_harmless(shown);
		free(shown);
	}
	for (unsigned point = 0x800; point < 0x10000; point++) {
		char text[] = {(char)(0xe0 | point >> 12), (char)(0x80 | (point >> 6 & 63)),
			       (char)(0x80 | (point & 63)), 0};
		char *shown = escape_text(text);
		expect_harmless(shown);
		free(shown);
	}
}

Test(escape, repair_keeps_controls)
{
	char *repaired = repair_utf8("a\x1b\xff", 3);
	cr_expect_str_eq(repaired, "a\x1b\xef\xbf\xbd");
	free(repaired);
}

Test(escape, cut)
{
	char text[] = "gr\xc3\xbc\xc3\x9f"
		      "e and more";
	text_cut(text, 8);
	cr_expect_str_eq(text, "gr\xc3\xbc\xc3\x9f"
			       "e...");
	cr_expect_eq(text_columns(text), 8);
	text_cut(text, 0);
	cr_expect_eq(text_columns(text), 8);
}

Test(escape, cut_front)
{
	char text[] = "/tmp/gr\xc3\xbc\xc3\x9f"
		      "e";
	text_cut_front(text, 10);
	cr_expect_eq(text[0], '/');
	text_cut_front(text, 7);
	cr_expect_str_eq(text, "...r\xc3\xbc\xc3\x9f"
			       "e");
	text_cut_front(text, 3);
	cr_expect_str_eq(text, "...");
}

static char *contents_of(const char *path)
{
	static char text[4096];
	int fd = open(path, O_RDONLY);
	ssize_t length = read(fd, text, sizeof text - 1);
	close(fd);
	text[length < 0 ? 0 : length] = '\0';
	return text;
}

Test(escape, sink_and_table_escape)
{
	char path[] = "/tmp/poolmem-sink.XXXXXX";
	struct column columns[] = {{"name", COLUMN_TEXT, 6}, {"n", COLUMN_NUMBER, 0}};
	struct failure why;
	struct sink sink;
	struct table table;

	close(mkstemp(path));
	cr_assert(sink_open(&sink, path, &why));
	sink_print(&sink, "%s\n", "\x1b[31m\r");
	sink_name(&sink, "two\nlines", 0);
	sink_style(&sink, STYLE_WARN);
	sink_print(&sink, "\n");
	table_begin(&table, columns, 2);
	table_cell(&table, "\x1b]");
	table_cell(&table, "1");
	table_cell(&table, "longer than six");
	table_cell(&table, "22");
	table_end(&table, &sink);
	cr_assert(sink_close(&sink, &why));
	cr_expect_str_eq(contents_of(path), "\\x1b[31m\\x0d\ntwo\\nlines\n"
					    "  name     n\n  \\x1b]    1\n  lon...  22\n");
	unlink(path);
}
