/* SPDX-License-Identifier: MIT */
/* replace.c: see replace.h. */
#include "text/replace.h"

#include <sys/stat.h>

bool may_replace(const char *path, bool overwrite, struct failure *why)
{
	struct stat status;

	if (overwrite || lstat(path, &status) != 0 ||
	    !(S_ISREG(status.st_mode) || S_ISLNK(status.st_mode)))
		return true;
	return fail(why, FAILURE_WRITE, "%s is there already: give -f to replace it", path);
}
