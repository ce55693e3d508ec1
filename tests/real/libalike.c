/* SPDX-License-Identifier: MIT */
/*
 * libalike.c: the same program under each tool.  In the program named by ALIKE_PROGRAM it takes out of the environment what
 * the tools put in (Python and perl copy each variable into blocks), and writes the memory map to the file named by ALIKE_MAP
 * when the program ends, so that addresses can be told as module and offset.  With ALIKE_STOP the program ends there, where
 * heaptrack, too, stops: before the destructors of most libraries.  Nothing here allocates.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char map_path[PATH_MAX];
static bool stops;

static bool is_of_a_tool(const char *variable)
{
	static const char *const begins[] = {
		"LD_PRELOAD=", "LD_LIBRARY_PATH=", "POOLMEM", "DUMP_HEAPTRACK_OUTPUT=", "ALIKE_",
		"GLIBC"};
	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		if (strncmp(variable, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

__attribute__((constructor)) static void begin(int argc, char **argv)
{
	const char *path = getenv("ALIKE_MAP"), *program = getenv("ALIKE_PROGRAM");
	if (argc < 1 || !program || strcmp(argv[0], program) != 0 || !path ||
	    strlen(path) >= sizeof(map_path))
		return;
	strcpy(map_path, path);
	stops = getenv("ALIKE_STOP");
	char **kept = environ;
	for (char **at = environ; *at; at++)
		if (!is_of_a_tool(*at))
			*kept++ = *at;
	*kept = NULL;
}

__attribute__((destructor)) static void end(void)
{
	char bytes[4096];
	ssize_t length;
	if (!*map_path)
		return;
	int from = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	int to = open(map_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	while (from >= 0 && to >= 0 && (length = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)length) != length)
			break;
	close(from);
	close(to);
	if (stops && fflush(NULL) == 0)
		_exit(0);
}
