/* SPDX-License-Identifier: MIT */
/* capture.h: the sections of a capture, each with its checksum verified before it is handed out. */
#ifndef POOLMEM_SOURCE_CAPTURE_H
#define POOLMEM_SOURCE_CAPTURE_H

#include "source/input.h"

#include <poolmem/format.h>

struct capture {
	uint64_t at;       /* of the next section */
	bool is_cut_short; /* the file ended without an END section */
};

struct capture_section {
	uint32_t kind; /* enum pm_section_kind, or one this program does not know */
	uint64_t offset, bytes;
};

bool capture_begins(const struct input *input);
bool capture_open(const struct input *input, struct capture *ret, struct failure *why);

enum capture_step { CAPTURE_SECTION, CAPTURE_END, CAPTURE_FAILED };

enum capture_step capture_next(const struct input *input, struct capture *capture,
			       struct capture_section *ret, struct failure *why);

#endif
