/* SPDX-License-Identifier: MIT */
/* shorten.c: see shorten.h. */
#define _GNU_SOURCE 1

#include "text/shorten.h"

#include "text/allocate.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NESTING_MAX = 64 };

/* Arguments of templates that nobody writes. */
static const char *const implied[] = {
	", std::allocator<", ", std::less<",        ", std::hash<",
	", std::equal_to<",  ", std::char_traits<", ", std::default_delete<",
};

static const char string_of_chars[] =
	"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";

static const char abi_tag[] = "[abi:cxx11]";

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* How many characters the word "operator" and its sign take; 0: it is none. */
static size_t operator_length(const char *name, const char *at)
{
	static const char word[] = "operator";
	size_t length = sizeof word - 1;

	if (!begins(at, word) || (at != name && (isalnum((unsigned char)at[-1]) || at[-1] == '_')))
		return 0;
	return length + (begins(at + length, "()") ? 2 : strspn(at + length, "<>=-*"));
}

/* What opens behind a name encloses arguments; elsewhere in Rust it encloses a type that has a function. */
static bool opens_arguments(const char *name, const char *at)
{
	return at != name &&
	       (isalnum((unsigned char)at[-1]) || strchr("_:)]}>", at[-1]) || at[0] == '(');
}

/* Behind the bracket that closes what is open before `at`. */
static const char *behind(const char *name, const char *at)
{
	int depth = 1;

	while (*at && depth) {
		size_t sign = operator_length(name, at);
		if (sign) {
			at += sign;
			continue;
		}
		depth += *at == '<';
		depth -= *at == '>' && at[-1] != '-';
		at++;
	}
	return at;
}

static size_t implied_length(const char *name, const char *at)
{
	for (size_t i = 0; i < sizeof implied / sizeof *implied; i++)
		if (begins(at, implied[i]))
			return (size_t)(behind(name, at + strlen(implied[i])) - at);
	return 0;
}

static char *without_implied(const char *name)
{
	char *shown = allocate(strlen(name) + 1, 1), *end = shown;
	size_t length;

	for (const char *at = name; *at;) {
		if (begins(at, string_of_chars)) {
			end = stpcpy(end, "std::string");
			at += sizeof string_of_chars - 1;
		} else if (begins(at, abi_tag)) {
			at += sizeof abi_tag - 1;
		} else if ((length = implied_length(name, at))) {
			at += length;
			at += begins(at, " >") && end != shown && end[-1] != '>';
		} else {
			*end++ = *at++;
		}
	}
	*end = '\0';
	return shown;
}

/* A walk that leaves out what stands between brackets of one kind, from one depth on. */
struct elision {
	const char *name;
	char opening, closing;
	int depth_max;
	int depth;                /* of those that count */
	bool counts[NESTING_MAX]; /* of those that are open */
	int open;
	char *end;
};

static void take(struct elision *elision, const char *text, size_t length)
{
	if (elision->depth >= elision->depth_max)
		return;
	memcpy(elision->end, text, length);
	elision->end += length;
}

static void open_bracket(struct elision *elision, const char *at)
{
	bool counts = opens_arguments(elision->name, at) && !begins(at, "(anonymous namespace)") &&
		      at[1] != elision->closing;

	take(elision, at, 1);
	elision->counts[elision->open++] = counts;
	elision->depth += counts;
	if (counts && elision->depth == elision->depth_max) {
		memcpy(elision->end, "...", 3);
		elision->end += 3;
	}
}

static void close_bracket(struct elision *elision, const char *at)
{
	elision->depth -= elision->counts[--elision->open];
	take(elision, at, 1);
}

/* NULL: brackets do not match, or too many are open. */
static char *elide(const char *name, const char brackets[2], int depth_max)
{
	char *shown = allocate(4 * strlen(name) + 1, 1);
	struct elision elision = {.name = name,
				  .opening = brackets[0],
				  .closing = brackets[1],
				  .depth_max = depth_max,
				  .end = shown};

	for (const char *at = name; *at;) {
		size_t sign = operator_length(name, at);
		bool closes = *at == elision.closing && (at == name || at[-1] != '-');
		if (sign)
			take(&elision, at, sign);
		else if (*at == elision.opening && elision.open < NESTING_MAX)
			open_bracket(&elision, at);
		else if (closes && elision.open)
			close_bracket(&elision, at);
		else if (closes || *at == elision.opening)
			break;
		else
			take(&elision, at, 1);
		at += sign ? sign : 1;
		if (!*at && !elision.open)
			return shown;
	}
	free(shown);
	return NULL;
}

char *shorten_function(const char *name, size_t length_max)
{
	static const struct {
		char brackets[2];
		int depth_max;
	} steps[] = {{{'<', '>'}, 2}, {{'<', '>'}, 1}, {{'(', ')'}, 1}};

	if (!length_max || strlen(name) <= length_max)
		return allocate_text(name, strlen(name));
	char *shown = without_implied(name);
	for (size_t i = 0; i < sizeof steps / sizeof *steps && strlen(shown) > length_max; i++) {
		char *less = elide(shown, steps[i].brackets, steps[i].depth_max);
		if (!less)
			break;
		bool is_shorter = strlen(less) < strlen(shown);
		free(is_shorter ? shown : less);
		shown = is_shorter ? less : shown;
	}
	return shown;
}
