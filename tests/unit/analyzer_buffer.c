/* SPDX-License-Identifier: MIT */
/* Bytes put one behind the other: each length once, all still there, a NUL behind. */
#include "text/buffer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 300 };

static char letter(size_t part)
{
	return (char)('a' + part % 26);
}

Test(analyzer_buffer, parts_of_each_length)
{
	struct buffer buffer = {.data = NULL};
	char part[PARTS];
	size_t bytes, at = 0;

	for (size_t length = 0; length < PARTS; length++) {
		memset(part, letter(length), length);
		buffer_add(&buffer, part, length);
		cr_assert_eq(buffer.bytes, length * (length + 1) / 2);
		cr_assert(!length || !buffer.data[buffer.bytes]);
	}
	char *data = buffer_take(&buffer, &bytes);
	cr_assert_eq(bytes, PARTS * (PARTS - 1) / 2);
	cr_assert(!buffer.data && !buffer.bytes);
	for (size_t length = 0; length < PARTS; length++)
		for (size_t i = 0; i < length; i++)
			cr_assert_eq(data[at++], letter(length));
	free(data);
	buffer_free(&buffer);
}

Test(analyzer_buffer, nothing)
{
	struct buffer buffer = {.data = NULL};
	size_t bytes = 1;

	buffer_add(&buffer, NULL, 0);
	cr_assert(!buffer.data && !buffer.bytes);
	cr_assert(!buffer_take(&buffer, &bytes));
	cr_assert_eq(bytes, 0);
}
