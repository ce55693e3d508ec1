/* SPDX-License-Identifier: MIT */
/* settings.h: POOLMEM="key=value,key=value", by the list PM_SETTINGS. */
#ifndef LIFE_SETTINGS_H
#define LIFE_SETTINGS_H

#include <poolmem/words.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum { SETTING_PATH_ROOM = 256 };

typedef struct {
	uint32_t index; /* of the word in the list of values */
} setting_choice;
typedef struct {
	char text[SETTING_PATH_ROOM];
} setting_path;
typedef struct {
	uint32_t value[3];
} setting_triple;

#define SETTING_TYPE_CHOICE setting_choice
#define SETTING_TYPE_BYTES uint64_t
#define SETTING_TYPE_ROOM uint64_t
#define SETTING_TYPE_NUMBER uint64_t
#define SETTING_TYPE_FLAG uint64_t
#define SETTING_TYPE_PATH setting_path
#define SETTING_TYPE_NAME setting_path
#define SETTING_TYPE_TRIPLE setting_triple
#define SETTING_FIELD(field, key, kind, value, values, help) SETTING_TYPE_##kind field;

struct settings {
	PM_SETTINGS(SETTING_FIELD)
	bool off; /* POOLMEM=off: stand aside */
};

/*
 * Defaults, then what `text` says (NULL: nothing).  A bad key or value is named in one line on stderr
 * and the default kept.
 */
void settings_read(struct settings *settings, const char *text);

/* All settings as key=value, NUL after each; returns bytes, at most `room`. */
size_t settings_print(const struct settings *settings, char *buffer, size_t room);

#pragma GCC visibility pop

#endif
