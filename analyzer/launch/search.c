/* SPDX-License-Identifier: MIT */
/* search.c: execvp's way through PATH, and the first line of scripts. */
#define _GNU_SOURCE
#include "launch/search.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int try_path(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return errno;
	if (S_ISDIR(status.st_mode) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
		return EACCES;
	return 0;
}

/* Joins one element of PATH and the command.  False when they are too long together. */
static bool join(const char *directory, size_t length, const char *command, char path[PATH_MAX])
{
	if (length == 0)
		return snprintf(path, PATH_MAX, "./%s", command) < PATH_MAX;
	return snprintf(path, PATH_MAX, "%.*s/%s", (int)length, directory, command) < PATH_MAX;
}

static int search_path_for(const char *command, const char *search_path, char ret_path[PATH_MAX])
{
	int first_error = ENOENT;

	for (const char *at = search_path;;) {
		size_t length = strcspn(at, ":");
		char path[PATH_MAX];

		if (length < PATH_MAX && join(at, length, command, path)) {
			int error = try_path(path);

			if (error == 0) {
				memcpy(ret_path, path, strlen(path) + 1);
				return 0;
			}
			if (error == EACCES)
				first_error = EACCES;
		}
		if (at[length] == 0)
			return first_error;
		at += length + 1;
	}
}

int search_command(const char *command, const char *search_path, char ret_path[PATH_MAX])
{
	if (*command == 0)
		return ENOENT;
	if (strlen(command) >= PATH_MAX)
		return ENAMETOOLONG;
	if (!strchr(command, '/'))
		return search_path_for(command, search_path ? search_path : "/bin:/usr/bin",
				       ret_path);
	int error = try_path(command);

	if (error == 0)
		memcpy(ret_path, command, strlen(command) + 1);
	return error;
}

bool script_read(int fd, struct script *ret_script)
{
	char line[SCRIPT_LINE_MAX] = {0};
	ssize_t bytes = pread(fd, line, sizeof(line) - 1, 0);

	if (bytes < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[strcspn(line, "\n")] = 0;
	const char *path = line + 2 + strspn(line + 2, " \t");
	size_t length = strcspn(path, " \t");

	if (length == 0)
		return false;
	const char *argument = path + length + strspn(path + length, " \t");

	snprintf(ret_script->interpreter, SCRIPT_LINE_MAX, "%.*s", (int)length, path);
	snprintf(ret_script->argument, SCRIPT_LINE_MAX, "%s", argument);
	return true;
}

bool script_env_command(const struct script *script, char ret_command[SCRIPT_LINE_MAX])
{
	const char *slash = strrchr(script->interpreter, '/');

	if (strcmp(slash ? slash + 1 : script->interpreter, "env") != 0)
		return false;
	for (const char *word = script->argument; *word;) {
		size_t length = strcspn(word, " \t");

		if (*word != '-' && !memchr(word, '=', length)) {
			snprintf(ret_command, SCRIPT_LINE_MAX, "%.*s", (int)length, word);
			return true;
		}
		word += length + strspn(word + length, " \t");
	}
	return false;
}
