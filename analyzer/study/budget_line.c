/* SPDX-License-Identifier: MIT */
/* budget_line.c: see budget_line.h. */
#define _GNU_SOURCE
#include "study/budget_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	PERCENT = 10000, /* millionths */
	MILLION = 1000000,
	FRACTION_DIGITS = 6,
	SECOND_NS = 1000000000,
};

unsigned line_column(const struct line *line, const char *at)
{
	return (unsigned)(at - line->begin) + 1;
}

__attribute__((format(printf, 3, 4))) bool line_wrong(const struct line *line, const char *at,
						      const char *format, ...)
{
	char text[200];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (line->is_rule)
		return fail(line->why, FAILURE_USAGE, "'%.90s', column %u: %s" BUDGET_SEE,
			    line->begin, line_column(line, at), text);
	if (!line->name)
		return fail(line->why, FAILURE_USAGE, "%s", text);
	return fail(line->why, FAILURE_USAGE, "%.90s:%u:%u: %s" BUDGET_SEE, line->name,
		    line->number, line_column(line, at), text);
}

/* --- words ----------------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

void line_skip_blanks(struct line *line)
{
	while (line->at < line->end && is_blank(*line->at))
		line->at++;
}

char line_peek(const struct line *line)
{
	return line->at < line->end ? *line->at : 0;
}

bool line_is_at_end(struct line *line)
{
	line_skip_blanks(line);
	return line->at == line->end;
}

/* Letters, digits and what stands in names of metrics. */
const char *line_key(struct line *line, size_t *ret_bytes)
{
	static const char others[] = "._-";
	const char *from = line->at;

	while (line->at < line->end &&
	       ((*line->at >= 'a' && *line->at <= 'z') || (*line->at >= 'A' && *line->at <= 'Z') ||
		(*line->at >= '0' && *line->at <= '9') || strchr(others, *line->at)))
		line->at++;
	*ret_bytes = (size_t)(line->at - from);
	return from;
}

bool line_is_word(const char *word, size_t bytes, const char *text)
{
	return strlen(text) == bytes && memcmp(word, text, bytes) == 0;
}

/* A comment goes on to the end, when a blank stands before it and no quote is open. */
void line_cut_comment(struct line *line)
{
	char quote = 0;

	for (const char *at = line->at; at < line->end; at++) {
		bool is_first = at == line->begin || is_blank(at[-1]);
		if (quote != '\'' && *at == '\\' && at + 1 < line->end) {
			at++;
		} else if (quote) {
			quote = *at == quote ? 0 : quote;
		} else if (*at == '"' || *at == '\'') {
			quote = *at;
		} else if (is_first && (*at == '#' || *at == ';')) {
			line->end = at;
			break;
		}
	}
	while (line->end > line->at && is_blank(line->end[-1]))
		line->end--;
}

/* As a shell would read it, of which nothing else is done: no variables, no patterns.  false: a quote stays open. */
bool line_word(struct line *line, struct keep *keep, char **ret)
{
	char *word = keep_items(keep, (size_t)(line->end - line->at) + 1, 1), *out = word;
	const char *from = line->at;
	char quote = 0;

	for (; line->at < line->end && (quote || !is_blank(*line->at)); line->at++) {
		char c = *line->at;
		if (quote != '\'' && c == '\\' && line->at + 1 < line->end)
			*out++ = *++line->at;
		else if (quote && c == quote)
			quote = 0;
		else if (!quote && (c == '"' || c == '\''))
			quote = c;
		else
			*out++ = c;
	}
	*ret = word;
	return !quote || line_wrong(line, from, "the quote %c is not closed", quote);
}

char *line_rest(struct line *line, struct keep *keep)
{
	line_skip_blanks(line);
	return keep_bytes(keep, line->at, (size_t)(line->end - line->at));
}

/* --- amounts --------------------------------------------------------------------------------------------- */

struct unit {
	const char *word;
	enum metric_unit of;
	uint64_t times;
};

/* Commas may part digits, as they do in reports. */
bool line_digits(struct line *line, uint64_t *ret)
{
	const char *from = line->at;
	uint64_t value = 0;

	for (; line->at < line->end; line->at++) {
		char c = *line->at;
		if (c == ',' && line->at > from)
			continue;
		if (c < '0' || c > '9')
			break;
		if (value > (INT64_MAX - 9) / 10)
			return line_wrong(line, from, "this number is too large");
		value = value * 10 + (uint64_t)(c - '0');
	}
	*ret = value;
	return line->at > from || line_wrong(line, from, "a number is expected here");
}

/* In millionths; what is beyond is none. */
static bool take_fraction(struct line *line, uint64_t *ret)
{
	uint64_t value = 0, digits = 0;

	*ret = 0;
	if (line_peek(line) != '.')
		return true;
	const char *from = line->at++;
	for (; line_peek(line) >= '0' && line_peek(line) <= '9'; line->at++, digits++)
		if (digits < FRACTION_DIGITS)
			value = value * 10 + (uint64_t)(*line->at - '0');
	if (!digits)
		return line_wrong(line, from, "digits are expected behind the point");
	for (; digits < FRACTION_DIGITS; digits++)
		value *= 10;
	*ret = value;
	return true;
}

static bool take_unit(struct line *line, enum metric_unit of, uint64_t times_bare,
		      uint64_t *ret_times)
{
	static const struct unit units[] = {
		{"B", UNIT_BYTES, 1},
		{"KiB", UNIT_BYTES, 1 << 10},
		{"MiB", UNIT_BYTES, 1 << 20},
		{"GiB", UNIT_BYTES, 1 << 30},
		{"K", UNIT_BYTES, 1 << 10},
		{"M", UNIT_BYTES, 1 << 20},
		{"G", UNIT_BYTES, 1 << 30},
		{"kB", UNIT_BYTES, 1000},
		{"MB", UNIT_BYTES, 1000000},
		{"GB", UNIT_BYTES, 1000000000},
		{"ns", UNIT_NS, 1},
		{"us", UNIT_NS, 1000},
		{"ms", UNIT_NS, 1000000},
		{"s", UNIT_NS, 1000000000},
		{"min", UNIT_NS, UINT64_C(60000000000)},
		{"h", UNIT_NS, UINT64_C(3600000000000)},
		{"k", UNIT_COUNT, 1000},
		{"M", UNIT_COUNT, 1000000},
	};
	static const char *const expected[] = {
		[UNIT_COUNT] = "a count: k or M, or nothing",
		[UNIT_BYTES] = "bytes: B, KiB, MiB, GiB, kB, MB or GB",
		[UNIT_NS] = "a time: ns, us, ms, s, min or h",
		[UNIT_NUMBER] = "a number without a unit",
	};
	size_t bytes;
	const char *word;

	line_skip_blanks(line);
	*ret_times = times_bare;
	if (line_peek(line) >= '0' && line_peek(line) <= '9')
		return true; /* another number is not a unit */
	word = line_key(line, &bytes);
	for (size_t i = 0; bytes && i < sizeof units / sizeof *units; i++)
		if (units[i].of == of && line_is_word(word, bytes, units[i].word)) {
			*ret_times = units[i].times;
			return true;
		}
	return !bytes || line_wrong(line, word, "'%.*s' is no unit here; %s",
				    (int)(bytes < 40 ? bytes : 40), word, expected[of]);
}

/* times_bare: what a number without a unit is worth. */
static bool take_scaled(struct line *line, enum metric_unit of, uint64_t times_bare,
			int64_t *ret_amount, int64_t *ret_millionths)
{
	uint64_t whole = 0, fraction = 0, times = PERCENT, high, low;
	const char *from;

	line_skip_blanks(line);
	from = line->at;
	if (!line_digits(line, &whole) || !take_fraction(line, &fraction))
		return false;
	line_skip_blanks(line);
	bool is_share = line_peek(line) == '%';
	if (is_share && !ret_millionths)
		return line_wrong(line, line->at, "%% is of a baseline: baseline + 0.5%%");
	if (is_share)
		line->at++;
	else if (!take_unit(line, of, times_bare, &times))
		return false;
	if (fraction && times == 1)
		return line_wrong(line, from, "this is no whole number");
	low = (uint64_t)(((unsigned __int128)fraction * times) / MILLION);
	if (__builtin_mul_overflow(whole, times, &high) || high > INT64_MAX - low)
		return line_wrong(line, from, "this number is too large");
	*(is_share ? ret_millionths : ret_amount) = (int64_t)(high + low);
	return true;
}

bool line_amount(struct line *line, enum metric_unit of, int64_t *ret_amount,
		 int64_t *ret_millionths)
{
	return take_scaled(line, of, 1, ret_amount, ret_millionths);
}

bool line_time(struct line *line, int64_t *ret_ns)
{
	return take_scaled(line, UNIT_NS, SECOND_NS, ret_ns, NULL);
}
