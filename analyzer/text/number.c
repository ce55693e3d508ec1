/* SPDX-License-Identifier: MIT */
/* number.c: see number.h. */
#include "text/number.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct number nothing(void)
{
	return (struct number){"-"};
}

struct number number_count(uint64_t count)
{
	char plain[24];
	struct number result;
	int length = snprintf(plain, sizeof plain, "%llu", (unsigned long long)count);
	char *out = result.text;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*out++ = ',';
		*out++ = plain[i];
	}
	*out = '\0';
	return result;
}

struct number number_of(uint64_t count, const char *thing)
{
	struct number result;

	snprintf(result.text, sizeof result.text, "%.26s %s%s", number_count(count).text, thing,
		 count == 1 ? "" : "s");
	return result;
}

struct number number_nth(uint64_t count)
{
	static const char *const endings[] = {"th", "st", "nd", "rd"};
	bool is_teen = count / 10 % 10 == 1;
	struct number result;

	snprintf(result.text, sizeof result.text, "%.26s%s", number_count(count).text,
		 endings[count % 10 < 4 && !is_teen ? count % 10 : 0]);
	return result;
}

static struct number with_sign(struct number magnitude)
{
	memmove(magnitude.text + 1, magnitude.text, sizeof magnitude.text - 1);
	magnitude.text[0] = '-';
	return magnitude;
}

static uint64_t magnitude_of(int64_t value)
{
	return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

struct number number_signed(int64_t count)
{
	struct number magnitude = number_count(magnitude_of(count));
	return count < 0 ? with_sign(magnitude) : magnitude;
}

/* One digit behind the point, rounded half up: `tenths` of the unit. */
static struct number tenths_of_unit(uint64_t tenths, const char *unit)
{
	struct number result;
	snprintf(result.text, sizeof result.text, "%llu.%llu %s", (unsigned long long)(tenths / 10),
		 (unsigned long long)(tenths % 10), unit);
	return result;
}

struct number number_bytes(uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	enum { UNIT_COUNT = sizeof units / sizeof *units };
	struct number result;

	if (bytes < 1024) {
		snprintf(result.text, sizeof result.text, "%llu B", (unsigned long long)bytes);
		return result;
	}
	for (unsigned unit = 0;; unit++) {
		unsigned shift = 10 * (unit + 1);
		uint64_t tenths = (uint64_t)(((unsigned __int128)bytes * 10 +
					      (UINT64_C(1) << (shift - 1))) >>
					     shift);
		if (tenths < 10240 || unit + 1 == UNIT_COUNT)
			return tenths_of_unit(tenths, units[unit]);
	}
}

struct number number_signed_bytes(int64_t bytes)
{
	struct number magnitude = number_bytes(magnitude_of(bytes));
	return bytes < 0 ? with_sign(magnitude) : magnitude;
}

struct number number_share(uint64_t part, uint64_t whole)
{
	if (!whole)
		return nothing();
	unsigned __int128 tenths = ((unsigned __int128)part * 1000 + whole / 2) / whole;
	if (!tenths && part)
		return (struct number){"<0.1 %"};
	return tenths_of_unit((uint64_t)tenths, "%");
}

struct number number_duration(uint64_t ns)
{
	struct number result;
	double seconds = (double)ns / 1e9;
	unsigned long long whole = ns / 1000000000;

	if (ns < 1000)
		snprintf(result.text, sizeof result.text, "%llu ns", (unsigned long long)ns);
	else if (ns < 999500)
		snprintf(result.text, sizeof result.text, "%.0f us", seconds * 1e6);
	else if (ns < 999500000)
		snprintf(result.text, sizeof result.text, "%.3g ms", seconds * 1e3);
	else if (whole < 60)
		snprintf(result.text, sizeof result.text, "%.2f s", seconds);
	else if (whole < 3600)
		snprintf(result.text, sizeof result.text, "%llu min %llu s", whole / 60, whole % 60);
	else if (whole < 86400)
		snprintf(result.text, sizeof result.text, "%llu h %llu min", whole / 3600,
			 whole / 60 % 60);
	else
		snprintf(result.text, sizeof result.text, "%llu d %llu h", whole / 86400,
			 whole / 3600 % 24);
	return result;
}

struct number number_seconds(uint64_t ns)
{
	const uint64_t second_ns = 1000000000;

	return ns % second_ns ? number_duration(ns) : number_of(ns / second_ns, "second");
}

struct number number_rate(uint64_t count, uint64_t ns)
{
	struct number result;
	if (!ns)
		return nothing();
	double rate = (double)count * 1e9 / (double)ns;

	if (rate >= 1e6)
		snprintf(result.text, sizeof result.text, "%.1f million/s", rate / 1e6);
	else if (rate >= 1e4)
		snprintf(result.text, sizeof result.text, "%.0f thousand/s", rate / 1e3);
	else
		snprintf(result.text, sizeof result.text, "%.24s/s",
			 number_count((uint64_t)(rate + 0.5)).text);
	return result;
}
