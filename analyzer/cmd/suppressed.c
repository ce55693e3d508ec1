/* SPDX-License-Identifier: MIT */
/* suppressed.c: see suppressed.h. */
#include "cmd/suppressed.h"

#include "source/input.h"
#include "text/allocate.h"

#include <stdlib.h>

static bool parse_input(struct suppressions *suppressions, const char *path,
			const struct input *input, struct failure *why)
{
	enum { BYTES_MAX = 1 << 24 };

	if (input->bytes > BYTES_MAX)
		return fail(why, FAILURE_USAGE, "%.300s has more than 16 MiB: no suppressions",
			    path);
	char *text = allocate(input->bytes + 1, 1);
	bool done = input_read(input, 0, text, input->bytes, why) &&
		    suppressions_parse(suppressions, text, path, why);
	free(text);
	return done;
}

bool suppressed_read(struct suppressions *suppressions, const char *path, struct failure *why)
{
	struct input input;

	if (!input_open_named(path, &input, why))
		return false;
	bool done = parse_input(suppressions, path, &input, why);
	input_close(&input);
	return done;
}

bool suppressed_set(const struct reader *reader, struct suppressions *ret, struct failure *why)
{
	for (size_t i = 0; i < reader->suppressions.count; i++)
		if (!suppressed_read(ret, reader->suppressions.list[i], why))
			return false;
	if (!reader->no_defaults)
		suppressions_add_known(ret);
	return true;
}

bool suppressed_query(const struct reader *reader, const char *order, bool is_told,
		      struct suppressions *ret_suppressions, struct site_query *ret,
		      struct failure *why)
{
	if (!site_study_query(reader, order, ret, why))
		return false;
	if (is_told)
		ret->suppressions = ret_suppressions;
	return suppressed_set(reader, ret_suppressions, why);
}
