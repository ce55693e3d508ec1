/* SPDX-License-Identifier: MIT */
/* intern.c: see intern.h. */
#include "text/intern.h"

#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

struct wanted {
	const struct interned *interned;
	const char *text;
};

static bool is_text(const void *wanted_text, uint32_t item)
{
	const struct wanted *wanted = wanted_text;
	return strcmp(wanted->interned->list[item], wanted->text) == 0;
}

uint32_t intern(struct interned *interned, const char *text)
{
	struct wanted wanted = {interned, text};
	uint64_t hash = hash_text(0, text);
	uint32_t item;

	if (hash_find(&interned->index, hash, is_text, &wanted, &item))
		return item;
	interned->list = allocate_more(interned->list, interned->count, &interned->room,
				       sizeof *interned->list);
	interned->list[interned->count] = allocate_text(text, strlen(text));
	hash_add(&interned->index, hash, (uint32_t)interned->count);
	return (uint32_t)interned->count++;
}

void interned_free(struct interned *interned)
{
	for (size_t i = 0; i < interned->count; i++)
		free(interned->list[i]);
	free(interned->list);
	hash_index_free(&interned->index);
}
