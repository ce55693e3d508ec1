/* SPDX-License-Identifier: MIT */
/* colour.c: see colour.h. */
#include "text/colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool terminal_shows_colour(int fd)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return isatty(fd) && !(no_colour && *no_colour) && terminal && strcmp(terminal, "dumb") != 0;
}

bool colour_wanted(const char *choice, int fd, bool *ret, struct failure *why)
{
	if (!choice || strcmp(choice, "auto") == 0)
		*ret = terminal_shows_colour(fd);
	else if (strcmp(choice, "always") == 0 || strcmp(choice, "never") == 0)
		*ret = strcmp(choice, "always") == 0;
	else
		return fail(why, FAILURE_USAGE, "--color takes auto, always or never, not '%s'",
			    choice);
	return true;
}
