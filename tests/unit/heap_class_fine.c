/* cflags: -DPM_CLASS_LOG2=4 -DPM_CHUNK_KIB=32 */
/* SPDX-License-Identifier: MIT */
/* Finer size classes, of a library that `replay --what-if` tries: each size finds its class, and sets hold them all. */
#include "heap/class.h"

#include <criterion/criterion.h>

Test(class_fine, the_smallest_class_that_holds_it)
{
	for (size_t size = 1; size <= CLASS_MAX; size++) {
		unsigned c = class_of(size);
		cr_assert(c >= 1 && c < CLASS_POOLED, "size %zu", size);
		cr_assert_geq(class_bytes(c), size);
		cr_assert(c == 1 || class_bytes(c - 1) < size, "size %zu", size);
		if (size > CLASS_FINE_MAX)
			cr_assert_lt(class_bytes(c) - size, size / 16, "size %zu", size);
	}
	cr_assert_eq(class_of(CLASS_MAX), CLASS_POOLED - 1);
	cr_assert_eq(CLASS_POOLED, 145);
}

Test(class_fine, a_set_gives_back_what_it_was_given)
{
	struct class_set set = {{0}}, all = {{0}};

	for (unsigned c = 0; c < CLASS_POOLED; c += 3) {
		class_put(&set, c, true);
		cr_assert(class_is_in(&set, c));
	}
	unsigned c, next = 0;
	CLASS_EACH(c, &set)
	{
		cr_assert_eq(c, next);
		next += 3;
	}
	cr_assert_geq(next, CLASS_POOLED);
	for (c = 0; c < CLASS_COUNT; c++)
		class_put(&all, c, true);
	class_join(&set, &all);
	next = 0;
	CLASS_EACH(c, &set)
	cr_assert_eq(c, next++);
	cr_assert_eq(next, CLASS_COUNT);
}
