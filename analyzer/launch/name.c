/* SPDX-License-Identifier: MIT */
/* name.c: see name.h. */
#include "launch/name.h"

#include "text/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EXE_BYTES_MAX = 100, NUMBER_MAX = 100000 };

struct text {
	char *bytes;
	size_t used, room;
};

static void append(struct text *text, const char *piece)
{
	int length = snprintf(text->bytes + text->used, text->room - text->used, "%s", piece);

	text->used += (size_t)length;
	if (text->used >= text->room)
		text->used = text->room - 1;
}

static void append_number(struct text *text, long long number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%lld", number);
	append(text, digits);
}

static void append_exe(struct text *text, const char *command)
{
	const char *slash = strrchr(command, '/');
	char name[EXE_BYTES_MAX];

	snprintf(name, sizeof(name), "%s", slash && slash[1] ? slash + 1 : command);
	append(text, name);
}

static void append_host(struct text *text)
{
	char host[256] = "localhost";

	gethostname(host, sizeof(host) - 1);
	for (char *slash = host; (slash = strchr(slash, '/'));)
		*slash = '_';
	append(text, host);
}

static void append_letter(struct text *text, char letter, const struct name_facts *facts, int number)
{
	switch (letter) {
	case 'e': append_exe(text, facts->command); break;
	case 'p': append_number(text, facts->pid); break;
	case 'h': append_host(text); break;
	case 't': append_number(text, time(NULL)); break;
	case 'n': append_number(text, number); break;
	default: append(text, "%"); break;
	}
}

/* False when the path is too long. */
static bool expand(const char *pattern, const struct name_facts *facts, int number,
		   char ret_path[PATH_MAX])
{
	struct text text = {.bytes = ret_path, .room = PATH_MAX};

	*ret_path = 0;
	for (const char *at = pattern; *at; at++) {
		char plain[2] = {*at, 0};

		if (*at == '%')
			append_letter(&text, *++at, facts, number);
		else
			append(&text, plain);
	}
	return text.used < PATH_MAX - 1;
}

bool name_check(const char *pattern, struct failure *why)
{
	size_t length = strlen(pattern);

	if (length == 0 || pattern[length - 1] == '/' || strcmp(pattern, "-") == 0)
		return fail(why, FAILURE_USAGE, "-o '%s': names no file", pattern);
	for (const char *at = pattern; (at = strchr(at, '%')); at += 2)
		if (at[1] == 0 || !strchr("ephtn%", at[1]))
			return fail(why, FAILURE_USAGE,
				    "-o '%s': after %% comes e, p, h, t, n or %%", pattern);
	return true;
}

static bool check_directory(const char *path, struct failure *why)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	const char *directory = dirname(copy);

	if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0)
		return fail(why, FAILURE_WRITE, "cannot write to %s: %s", directory,
			    strerror(errno));
	return true;
}

bool name_check_place(const char *path, bool overwrite, struct failure *why)
{
	struct stat status;

	if (lstat(path, &status) == 0) {
		if (!S_ISREG(status.st_mode))
			return fail(why, FAILURE_WRITE, "%s is there and is not a regular file",
				    path);
		if (!may_replace(path, overwrite, why))
			return false;
	} else if (errno != ENOENT) {
		return fail(why, FAILURE_WRITE, "%s: %s", path, strerror(errno));
	}
	return check_directory(path, why);
}

static bool is_counted(const char *pattern)
{
	for (const char *at = pattern; (at = strchr(at, '%')); at += 2)
		if (at[1] == 'n')
			return true;
	return false;
}

bool name_make(const char *pattern, const struct name_facts *facts, bool overwrite,
	       char ret_path[PATH_MAX], struct failure *why)
{
	int number_max = is_counted(pattern) ? NUMBER_MAX : 1;
	struct stat status;

	for (int number = 1; number <= number_max; number++) {
		if (!expand(pattern, facts, number, ret_path))
			return fail(why, FAILURE_WRITE, "-o '%s': too long", pattern);
		if (lstat(ret_path, &status) != 0)
			break;
	}
	return name_check_place(ret_path, overwrite, why);
}
