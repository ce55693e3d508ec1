/* SPDX-License-Identifier: MIT */
/* check.c: see check.h. */
#include "study/check.h"

#define STATE_KEY(name, key, code, words) key,
const char *const check_state_keys[CHECK_STATE_COUNT] = {CHECK_STATES(STATE_KEY)};
#undef STATE_KEY
#define STATE_WORDS(name, key, code, words) words,
const char *const check_state_words[CHECK_STATE_COUNT] = {CHECK_STATES(STATE_WORDS)};
#undef STATE_WORDS
#define STATE_CODE(name, key, code, words) code,
const int check_state_codes[CHECK_STATE_COUNT] = {CHECK_STATES(STATE_CODE)};
#undef STATE_CODE
