/* SPDX-License-Identifier: MIT */
/*
 * settings.c: see settings.h.  The library reads the same list with a reader of its own, since it shares
 * no code with the analyzer: doctor.bats holds the two against each other.
 */
#include "launch/settings.h"

#include "text/allocate.h"

#include <poolmem/words.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PATH_BYTES_MAX = 255,
	TRIPLE_BYTES_MAX = 63,
	MIDDLE_SWEEPS_MAX = 100, /* more would make the age of a block ambiguous */
	SHOWN_BYTES_MAX = 60,    /* of a key or a value, in a message */
};

enum kind {
	KIND_CHOICE,
	KIND_BYTES,
	KIND_ROOM,
	KIND_NUMBER,
	KIND_FLAG,
	KIND_PATH,
	KIND_NAME,
	KIND_TRIPLE
};

struct setting {
	const char *key;
	enum kind kind;
	const char *values, *advice;
};

#define SETTING_ROW(field, key, kind, initial, values, help)                                       \
	{key, KIND_##kind, values, "write " key "=" values ", or leave it out"},
static const struct setting settings[] = {PM_SETTINGS(SETTING_ROW)};
#undef SETTING_ROW
enum { SETTING_COUNT = sizeof settings / sizeof *settings };

#define SETTING_KEY(field, key, kind, initial, values, help) " " key
static const char keys_advice[] = "the keys are" PM_SETTINGS(SETTING_KEY);
#undef SETTING_KEY

struct word {
	const char *text;
	size_t bytes;
};

/* Up to the next separator; moves *text behind it. */
static struct word next_word(struct word *text, char separator)
{
	const char *end = memchr(text->text, separator, text->bytes);
	struct word word = {text->text, end ? (size_t)(end - text->text) : text->bytes};
	size_t taken = word.bytes + (end != NULL);

	*text = (struct word){text->text + taken, text->bytes - taken};
	return word;
}

static struct word word_of(const char *text)
{
	return (struct word){text, strlen(text)};
}

static bool same(struct word a, struct word b)
{
	return a.bytes == b.bytes && memcmp(a.text, b.text, a.bytes) == 0;
}

static bool is_number(struct word word, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < word.bytes; i++) {
		char digit = word.text[i];
		if (digit < '0' || digit > '9' || value > (UINT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(digit - '0');
	}
	*ret = value;
	return word.bytes > 0;
}

static bool read_bytes(struct word word, uint64_t *ret)
{
	static const char units[] = "KMGT";
	const char *unit = word.bytes ? strchr(units, word.text[word.bytes - 1]) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	uint64_t value;

	word.bytes -= unit != NULL;
	if (!is_number(word, &value) || value > UINT64_MAX >> shift)
		return false;
	*ret = value << shift;
	return true;
}

bool settings_bytes(const char *text, uint64_t *ret)
{
	return read_bytes(word_of(text), ret);
}

bool settings_have(const char *key, size_t bytes)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (same((struct word){key, bytes}, word_of(settings[i].key)))
			return true;
	return false;
}

static bool is_choice(struct word word, const char *values)
{
	struct word rest = word_of(values);

	while (rest.bytes)
		if (same(next_word(&rest, '|'), word))
			return true;
	return false;
}

static bool is_triple(struct word word)
{
	uint64_t number[3];

	if (word.bytes > TRIPLE_BYTES_MAX)
		return false;
	for (int i = 0; i < 3; i++)
		if (!is_number(next_word(&word, ':'), &number[i]) || number[i] > INT32_MAX)
			return false;
	return !word.bytes && number[0] && number[1] <= MIDDLE_SWEEPS_MAX;
}

static bool takes(const struct setting *setting, struct word word)
{
	uint64_t number;

	switch (setting->kind) {
	case KIND_CHOICE: return is_choice(word, setting->values);
	case KIND_BYTES: return read_bytes(word, &number);
	case KIND_ROOM: return read_bytes(word, &number) && number >= PM_ROOM_BYTES_MIN;
	case KIND_NUMBER: return is_number(word, &number);
	case KIND_FLAG: return is_number(word, &number) && number <= 1;
	case KIND_PATH: return word.bytes <= PATH_BYTES_MAX && (!word.bytes || *word.text == '/');
	case KIND_NAME: return word.bytes <= PATH_BYTES_MAX;
	case KIND_TRIPLE: return is_triple(word);
	}
	return false;
}

/* What a value must be, to follow "takes". */
static const char *expected(const struct setting *setting)
{
	switch (setting->kind) {
	case KIND_CHOICE: return setting->values;
	case KIND_BYTES: return "a number, with or without K, M, G or T behind it";
	case KIND_ROOM: return "128K or more";
	case KIND_NUMBER: return "a number";
	case KIND_FLAG: return "0 or 1";
	case KIND_PATH: return "an absolute path of at most 255 bytes";
	case KIND_NAME: return "a path of at most 255 bytes";
	case KIND_TRIPLE: return "three numbers, the first not 0, the second at most 100";
	}
	return "";
}

static int shown(struct word word)
{
	return word.bytes < SHOWN_BYTES_MAX ? (int)word.bytes : SHOWN_BYTES_MAX;
}

/* False: nothing is wrong with the item. */
static bool find_fault(struct word item, struct settings_fault *ret)
{
	struct word value = item, key = next_word(&value, '=');
	bool has_value = key.bytes < item.bytes;

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *setting = &settings[i];
		if (!same(key, word_of(setting->key)))
			continue;
		if (has_value && takes(setting, value))
			return false;
		ret->key = setting->key;
		ret->advice = setting->advice;
		snprintf(ret->text, sizeof ret->text,
			 "POOLMEM: bad value '%.*s': %s takes %s; the default is used",
			 shown(value), value.text, setting->key, expected(setting));
		return true;
	}
	ret->key = NULL;
	ret->advice = keys_advice;
	snprintf(ret->text, sizeof ret->text, "POOLMEM: unknown key '%.*s': it is ignored",
		 shown(key), key.text);
	return true;
}

size_t settings_faults(const char *text, struct settings_fault *ret, size_t room)
{
	struct word rest = word_of(text);
	struct settings_fault fault;
	size_t count = 0;

	while (rest.bytes) {
		struct word item = next_word(&rest, ',');
		if (!item.bytes || !find_fault(item, &fault))
			continue;
		if (count < room)
			ret[count] = fault;
		count++;
	}
	return count;
}

/* Freed by the caller. */
static char *without_faults(const char *text)
{
	char *good = allocate(strlen(text) + 2, 1), *end = good;
	struct word rest = word_of(text);
	struct settings_fault fault;

	while (rest.bytes) {
		struct word item = next_word(&rest, ',');
		if (!item.bytes || find_fault(item, &fault))
			continue;
		memcpy(end, item.text, item.bytes);
		end += item.bytes;
		*end++ = ',';
	}
	return good;
}

void settings_adopt(void)
{
	const char *text = getenv("POOLMEM");
	struct settings_fault fault;

	if (!text || strcmp(text, "off") == 0 || !settings_faults(text, &fault, 1))
		return;
	char *good = without_faults(text);
	setenv("POOLMEM", good, 1);
	free(good);
}
