/* SPDX-License-Identifier: MIT */
/* Which item of an array is like a wanted one: all of them, none that is not there, whatever their hashes. */
#include "text/hash.h"
#include "text/intern.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { ITEMS = 5000 };

static uint64_t items[ITEMS];

static bool is_item(const void *wanted, uint32_t item)
{
	return items[item] == *(const uint64_t *)wanted;
}

static uint64_t spread(uint64_t value)
{
	return hash_word(0, value);
}

/* As items of few hashes have it, many of one. */
static uint64_t few(uint64_t value)
{
	return value % 7;
}

static uint64_t high(uint64_t value)
{
	return value << 40;
}

static void expect_all(uint64_t (*hash)(uint64_t))
{
	struct hash_index index = {.slots = NULL};
	uint32_t found = UINT32_MAX;

	for (uint32_t i = 0; i < ITEMS; i++) {
		items[i] = 3 * (uint64_t)i + 1;
		cr_assert_not(hash_find(&index, hash(items[i]), is_item, &items[i], &found));
		hash_add(&index, hash(items[i]), i);
		cr_assert(2 * index.count <= index.room);
	}
	cr_assert_eq(found, UINT32_MAX, "untouched where there is none");
	for (uint32_t i = 0; i < ITEMS; i++) {
		uint64_t absent = items[i] + 1;
		cr_assert(hash_find(&index, hash(items[i]), is_item, &items[i], &found));
		cr_assert_eq(found, i);
		cr_assert_not(hash_find(&index, hash(absent), is_item, &absent, &found));
	}
	hash_index_free(&index);
	cr_assert_not(hash_find(&index, hash(items[0]), is_item, &items[0], &found));
}

Test(hash, each_item_is_found_and_no_other)
{
	expect_all(spread);
	expect_all(few);
	expect_all(high);
}

Test(hash, interned_texts_keep_their_numbers)
{
	struct interned interned = {.list = NULL};
	char text[16];

	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < ITEMS; i++) {
			snprintf(text, sizeof text, "%u", i);
			cr_assert_eq(intern(&interned, text), i);
		}
	cr_assert_eq(interned.count, ITEMS);
	cr_assert_str_eq(interned.list[77], "77");
	interned_free(&interned);
}
