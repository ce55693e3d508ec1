/* SPDX-License-Identifier: MIT */
/* mode.c: see mode.h. */
#include "study/mode.h"

#include "text/number.h"

#include <stdio.h>
#include <time.h>

const char *mode_key(uint64_t period)
{
	return !period ? "off" : period == 1 ? "all" : "sample";
}

struct mode_text mode_words(uint64_t period)
{
	struct mode_text words;

	snprintf(words.text, sizeof words.text, "sites=%s", mode_key(period));
	if (period > 1)
		snprintf(words.text, sizeof words.text, "sites=%s, one block in %s",
			 mode_key(period), number_bytes(period).text);
	return words;
}

struct mode_text mode_time(uint64_t real_ns)
{
	struct mode_text words = {"a time that is not known"};
	time_t seconds = (time_t)(real_ns / 1000000000);
	struct tm local;

	if (localtime_r(&seconds, &local))
		strftime(words.text, sizeof words.text, "%Y-%m-%d %H:%M:%S", &local);
	return words;
}
