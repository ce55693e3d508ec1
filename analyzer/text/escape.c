/* SPDX-License-Identifier: MIT */
/* escape.c: see escape.h. */
#include "text/escape.h"

#include "text/allocate.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
	REPLACEMENT = 0xfffd,
	SHOWN_BYTES_MAX = 7, /* the longest that one input byte can become: "\u202e" and a NUL */
};

/* Bytes that a sequence beginning with `lead` has; 0: it begins none. */
static size_t sequence_bytes(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead < 0xe0)
		return 2;
	if (lead >= 0xe0 && lead < 0xf0)
		return 3;
	return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

static bool allowed(uint32_t point, size_t sequence)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	return point >= least[sequence] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

size_t utf8_next(const char *text, size_t byte_count, uint32_t *ret_point)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t sequence = sequence_bytes(bytes[0]);
	static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};

	*ret_point = REPLACEMENT;
	if (!sequence || sequence > byte_count)
		return 1;
	uint32_t point = bytes[0] & lead_bits[sequence];
	for (size_t i = 1; i < sequence; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 1;
		point = point << 6 | (bytes[i] & 0x3f);
	}
	if (!allowed(point, sequence))
		return 1;
	*ret_point = point;
	return sequence;
}

static bool turns_direction(uint32_t point)
{
	return (point >= 0x200e && point <= 0x200f) || (point >= 0x202a && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069) || point == 0x061c;
}

static bool is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 ||
	       point == 0x2029 || point == 0xfeff || turns_direction(point);
}

static char *put_utf8(char *out, uint32_t point)
{
	if (point < 0x80) {
		*out++ = (char)point;
	} else if (point < 0x800) {
		*out++ = (char)(0xc0 | point >> 6);
		*out++ = (char)(0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		*out++ = (char)(0xe0 | point >> 12);
		*out++ = (char)(0x80 | (point >> 6 & 0x3f));
		*out++ = (char)(0x80 | (point & 0x3f));
	} else {
		*out++ = (char)(0xf0 | point >> 18);
		*out++ = (char)(0x80 | (point >> 12 & 0x3f));
		*out++ = (char)(0x80 | (point >> 6 & 0x3f));
		*out++ = (char)(0x80 | (point & 0x3f));
	}
	return out;
}

static char *put_control(char *out, uint32_t point)
{
	if (point == '\n')
		return out + sprintf(out, "\\n");
	if (point == '\t')
		return out + sprintf(out, "\\t");
	return out + sprintf(out, point < 0x100 ? "\\x%02x" : "\\u%04x", point);
}

static char *convert(const char *bytes, size_t byte_count, bool escape)
{
	char *result = allocate(byte_count + 1, SHOWN_BYTES_MAX);
	char *out = result;

	for (size_t at = 0; at < byte_count;) {
		uint32_t point;
		at += utf8_next(bytes + at, byte_count - at, &point);
		out = escape && is_control(point) ? put_control(out, point) : put_utf8(out, point);
	}
	*out = '\0';
	return result;
}

char *escape_bytes(const char *bytes, size_t byte_count)
{
	return convert(bytes, byte_count, true);
}

char *escape_text(const char *text)
{
	return convert(text, strlen(text), true);
}

char *repair_utf8(const char *bytes, size_t byte_count)
{
	return convert(bytes, byte_count, false);
}

size_t text_columns(const char *text)
{
	size_t columns = 0;
	for (; *text; text++)
		columns += (*text & 0xc0) != 0x80;
	return columns;
}

void text_cut(char *text, size_t column_max)
{
	size_t columns = 0;

	if (column_max < 3 || text_columns(text) <= column_max)
		return;
	for (; *text; text++) {
		columns += (*text & 0xc0) != 0x80;
		if (columns > column_max - 3)
			break;
	}
	/* At least three more columns follow: there is room. */
	memcpy(text, "...", 4);
}

void text_cut_front(char *text, size_t column_max)
{
	size_t columns = text_columns(text);
	char *kept = text;

	if (column_max < 3 || columns <= column_max)
		return;
	/* More than three columns go: there is room. */
	for (size_t skip = columns - (column_max - 3); skip; kept++)
		skip -= (kept[1] & 0xc0) != 0x80;
	memmove(text + 3, kept, strlen(kept) + 1);
	memcpy(text, "...", 3);
}
