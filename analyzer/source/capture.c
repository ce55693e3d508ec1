/* SPDX-License-Identifier: MIT */
/* capture.c: see capture.h. */
#include "source/capture.h"

#include "source/header.h"

#include <string.h>
#include <zlib.h>

enum { SECTION_ALIGNMENT = 8, READ_BYTES = 65536 };

bool capture_begins(const struct input *input)
{
	struct failure ignored;
	char magic[8];
	return input->bytes >= sizeof magic && input_read(input, 0, magic, sizeof magic, &ignored) &&
	       memcmp(magic, PM_CAPTURE_MAGIC, sizeof magic) == 0;
}

bool capture_open(const struct input *input, struct capture *ret, struct failure *why)
{
	struct pm_capture opening;

	if (input->bytes < sizeof opening)
		return fail(why, FAILURE_UNREADABLE, "damaged: cut short in the first %zu bytes",
			    sizeof opening);
	if (!input_read(input, 0, &opening, sizeof opening, why) ||
	    !format_version_known(opening.endian, opening.version, why))
		return false;
	*ret = (struct capture){.at = sizeof opening};
	return true;
}

static bool checksum(const struct input *input, const struct capture_section *section,
		     uint32_t *ret_sum, struct failure *why)
{
	unsigned char part[READ_BYTES];
	uLong sum = crc32(0, NULL, 0);

	for (uint64_t done = 0; done < section->bytes;) {
		uint64_t left = section->bytes - done;
		size_t bytes = left < sizeof part ? (size_t)left : sizeof part;
		if (!input_read(input, section->offset + done, part, bytes, why))
			return false;
		sum = crc32(sum, part, (uInt)bytes);
		done += bytes;
	}
	*ret_sum = (uint32_t)sum;
	return true;
}

static enum capture_step cut_short(struct capture *capture)
{
	capture->is_cut_short = true;
	return CAPTURE_END;
}

static enum capture_step verify(const struct input *input, const struct capture_section *section,
				uint32_t expected, struct failure *why)
{
	uint32_t sum;

	if (!checksum(input, section, &sum, why))
		return CAPTURE_FAILED;
	if (sum == expected)
		return CAPTURE_SECTION;
	fail(why, FAILURE_UNREADABLE, "damaged: section at byte %llu has checksum %08x, not %08x",
	     (unsigned long long)section->offset, sum, expected);
	return CAPTURE_FAILED;
}

enum capture_step capture_next(const struct input *input, struct capture *capture,
			       struct capture_section *ret, struct failure *why)
{
	struct pm_section opening;
	uint64_t left = input->bytes - capture->at;

	if (left < sizeof opening)
		return cut_short(capture);
	if (!input_read(input, capture->at, &opening, sizeof opening, why))
		return CAPTURE_FAILED;
	if (opening.magic != PM_SECTION_MAGIC) {
		fail(why, FAILURE_UNREADABLE, "damaged: no section at byte %llu",
		     (unsigned long long)capture->at);
		return CAPTURE_FAILED;
	}
	if (opening.kind == PM_SECTION_END)
		return CAPTURE_END;
	left -= sizeof opening;
	if (opening.bytes > left)
		return cut_short(capture);
	*ret = (struct capture_section){opening.kind, capture->at + sizeof opening, opening.bytes};
	uint64_t padding = -opening.bytes % SECTION_ALIGNMENT;
	left -= opening.bytes;
	capture->at = ret->offset + opening.bytes + (padding < left ? padding : left);
	return verify(input, ret, opening.crc32, why);
}
