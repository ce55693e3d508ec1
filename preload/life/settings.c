/* SPDX-License-Identifier: MIT */
/* settings.c: reads and prints the settings; each kind of value has one reader and one printer. */
#include "life/settings.h"

#include "life/say.h"
#include "tally/clock.h"

#include <string.h>

enum kind { CHOICE, BYTES, ROOM, NUMBER, FLAG, PATH, NAME, TRIPLE };

struct setting {
	const char *key;
	enum kind kind;
	const char *initial, *values, *help;
	size_t offset;
};

#define SETTING_ROW(field, key, kind, initial, values, help)                                       \
	{key, kind, initial, values, help, offsetof(struct settings, field)},
static const struct setting table[] = {PM_SETTINGS(SETTING_ROW)};
enum { SETTING_COUNT = sizeof table / sizeof table[0] };

struct word {
	const char *text;
	size_t bytes;
};

/* Up to the next `separator`; moves *text behind it. */
static struct word next_word(const char **text, char separator)
{
	const char *start = *text;
	const char *end = strchr(start, separator);
	struct word word = {start, end ? (size_t)(end - start) : strlen(start)};
	*text = end ? end + 1 : start + word.bytes;
	return word;
}

static bool equals(struct word word, const char *text)
{
	return strlen(text) == word.bytes && memcmp(text, word.text, word.bytes) == 0;
}

static bool read_number(struct word word, uint64_t *ret)
{
	uint64_t value = 0;
	if (!word.bytes)
		return false;
	for (size_t i = 0; i < word.bytes; i++) {
		char c = word.text[i];
		if (c < '0' || c > '9' || value > (UINT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(c - '0');
	}
	*ret = value;
	return true;
}

static bool read_bytes(struct word word, uint64_t *ret)
{
	static const char units[] = "KMGT";
	const char *unit = word.bytes ? strchr(units, word.text[word.bytes - 1]) : NULL;
	unsigned shift = unit && *unit ? 10 * (unsigned)(unit - units + 1) : 0;
	word.bytes -= shift != 0;
	if (!read_number(word, ret) || *ret > UINT64_MAX >> shift)
		return false;
	*ret <<= shift;
	return true;
}

static bool read_choice(const struct setting *setting, struct word word, setting_choice *ret)
{
	const char *values = setting->values;
	for (uint32_t i = 0; *values; i++)
		if (equals(word, "") || !word.bytes)
			return false;
		else {
			struct word value = next_word(&values, '|');
			if (value.bytes == word.bytes && !memcmp(value.text, word.text, word.bytes)) {
				ret->index = i;
				return true;
			}
		}
	return false;
}

/* Thresholds: the second at most CLOCK_T1_MAX, so that a stamp's age stays unambiguous. */
static bool read_triple(struct word word, setting_triple *ret)
{
	char copy[64];
	const char *text = copy;
	uint32_t value[3];
	if (word.bytes >= sizeof copy)
		return false;
	memcpy(copy, word.text, word.bytes);
	copy[word.bytes] = 0;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t number;
		if (!read_number(next_word(&text, ':'), &number) || number > INT32_MAX)
			return false;
		value[i] = (uint32_t)number;
	}
	if (*text || !value[0] || value[1] > CLOCK_T1_MAX)
		return false;
	memcpy(ret->value, value, sizeof value);
	return true;
}

static bool read_name(struct word word, setting_path *ret)
{
	if (word.bytes >= sizeof ret->text)
		return false;
	memcpy(ret->text, word.text, word.bytes);
	ret->text[word.bytes] = 0;
	return true;
}

static bool read_value(const struct setting *setting, struct word word, struct settings *settings)
{
	void *field = (char *)settings + setting->offset;
	uint64_t number;
	switch (setting->kind) {
	case CHOICE: return read_choice(setting, word, field);
	case BYTES: return read_bytes(word, field);
	case ROOM:
		if (!read_bytes(word, &number) || number < PM_ROOM_BYTES_MIN)
			return false;
		*(uint64_t *)field = number;
		return true;
	case NUMBER: return read_number(word, field);
	case FLAG:
		if (!read_number(word, &number) || number > 1)
			return false;
		*(uint64_t *)field = number;
		return true;
	case PATH: return (!word.bytes || word.text[0] == '/') && read_name(word, field);
	case NAME: return read_name(word, field);
	case TRIPLE: return read_triple(word, field);
	}
	return false;
}

static void complain(const char *what, struct word word, const struct setting *setting)
{
	struct line line = {0};
	line_text(&line, "poolmem: POOLMEM: ");
	line_text(&line, what);
	line_text(&line, " '");
	line_bytes(&line, word.text, word.bytes);
	line_text(&line, setting ? "' for " : "'");
	line_text(&line, setting ? setting->key : "");
	line_text(&line, setting ? " (" : "");
	line_text(&line, setting ? setting->values : "");
	line_text(&line, setting ? "), using the default" : ", ignored; help=1 lists the keys");
	line_say(&line);
}

static void read_assignment(struct settings *settings, struct word assignment)
{
	const char *equal = memchr(assignment.text, '=', assignment.bytes);
	struct word key = {assignment.text,
			   equal ? (size_t)(equal - assignment.text) : assignment.bytes};
	struct word value = {equal ? equal + 1 : "", equal ? assignment.bytes - key.bytes - 1 : 0};
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (equals(key, table[i].key)) {
			if (!equal || !read_value(&table[i], value, settings))
				complain("bad value", equal ? value : key, &table[i]);
			return;
		}
	complain("unknown key", key, NULL);
}

static void print_help(void)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		struct line line = {0};
		line_text(&line, "poolmem: ");
		line_text(&line, table[i].key);
		line_text(&line, "=");
		line_text(&line, table[i].values);
		line_text(&line, " (default ");
		line_text(&line, table[i].initial);
		line_text(&line, "): ");
		line_text(&line, table[i].help);
		line_say(&line);
	}
}

/* Units of the first epoch, where the user did not say. */
static uint32_t default_length(setting_choice clock)
{
#define LENGTH(name, key, length, help) length,
	static const uint32_t lengths[] = {PM_CLOCKS(LENGTH)};
#undef LENGTH
	return lengths[clock.index];
}

void settings_read(struct settings *settings, const char *text)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		struct word initial = {table[i].initial, strlen(table[i].initial)};
		read_value(&table[i], initial, settings);
	}
	settings->gen_threshold.value[0] = 0;
	settings->off = text && strcmp(text, "off") == 0;
	while (text && *text && !settings->off) {
		struct word assignment = next_word(&text, ',');
		if (assignment.bytes)
			read_assignment(settings, assignment);
	}
	if (!settings->gen_threshold.value[0])
		settings->gen_threshold.value[0] = default_length(settings->gen_clock);
	if (settings->help)
		print_help();
}

static void print_value(struct line *line, const struct setting *setting, const void *field)
{
	const setting_triple *triple = field;
	const char *values = setting->values;
	struct word word;
	switch (setting->kind) {
	case CHOICE:
		word = next_word(&values, '|');
		for (uint32_t i = 0; i < ((const setting_choice *)field)->index; i++)
			word = next_word(&values, '|');
		line_bytes(line, word.text, word.bytes);
		return;
	case PATH:
	case NAME: line_text(line, ((const setting_path *)field)->text); return;
	case TRIPLE:
		for (unsigned i = 0; i < 3; i++) {
			line_text(line, i ? ":" : "");
			line_number(line, triple->value[i]);
		}
		return;
	default: line_number(line, *(const uint64_t *)field);
	}
}

size_t settings_print(const struct settings *settings, char *buffer, size_t room)
{
	size_t used = 0;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		struct line line = {0};
		line_text(&line, table[i].key);
		line_text(&line, "=");
		print_value(&line, &table[i], (const char *)settings + table[i].offset);
		if (used + line.bytes + 1 > room)
			return used;
		memcpy(buffer + used, line.text, line.bytes);
		used += line.bytes;
		buffer[used++] = 0;
	}
	return used;
}
