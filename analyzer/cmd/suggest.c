/* SPDX-License-Identifier: MIT */
/* suggest.c: see suggest.h.  The distance counts letters put in, left out, changed, and swapped. */
#include "cmd/suggest.h"

#include <string.h>

enum { WORD_MAX = 32 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t distance(const char *a, const char *b)
{
	size_t rows[WORD_MAX + 1][WORD_MAX + 1];
	size_t a_length = strlen(a), b_length = strlen(b);

	for (size_t i = 0; i <= a_length; i++) {
		for (size_t j = 0; j <= b_length; j++) {
			if (!i || !j) {
				rows[i][j] = i + j;
				continue;
			}
			size_t best = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			best = least(best, least(rows[i - 1][j], rows[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = least(best, rows[i - 2][j - 2] + 1);
			rows[i][j] = best;
		}
	}
	return rows[a_length][b_length];
}

const char *suggest(const char *typed, const char *const *words, size_t word_count)
{
	const char *best = NULL;
	size_t best_distance = strlen(typed) < 4 ? 2 : 3; /* one less is near enough */

	if (strlen(typed) > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < word_count; i++) {
		size_t far = strlen(words[i]) > WORD_MAX ? WORD_MAX : distance(typed, words[i]);
		if (far < best_distance) {
			best = words[i];
			best_distance = far;
		}
	}
	return best;
}
