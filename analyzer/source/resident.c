/* SPDX-License-Identifier: MIT */
/* resident.c: see resident.h. */
#include "source/resident.h"

#include <stdio.h>

bool resident_read(uint32_t pid, struct resident *ret)
{
	char path[64], line[256];
	struct resident found = {0, 0, 0};

	snprintf(path, sizeof path, "/proc/%u/status", pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof line, file)) {
		unsigned long long kib;
		if (sscanf(line, "VmRSS: %llu", &kib) == 1)
			found.now_bytes = kib * 1024;
		else if (sscanf(line, "VmHWM: %llu", &kib) == 1)
			found.peak_bytes = kib * 1024;
		else if (sscanf(line, "RssAnon: %llu", &kib) == 1)
			found.anonymous_bytes = kib * 1024;
	}
	fclose(file);
	if (!found.peak_bytes)
		return false;
	*ret = found;
	return true;
}
