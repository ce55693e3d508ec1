/* SPDX-License-Identifier: MIT */
/* alike.c: see alike.h. */
#include "study/alike.h"

#include <stdlib.h>
#include <string.h>

static int text_order(const char *a, const char *b)
{
	return a == b ? 0 : strcmp(a ? a : "", b ? b : "");
}

static int number_order(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int name_order(const struct check_site *a, const struct check_site *b)
{
	int order = text_order(a->function, b->function);

	order = order ? order : text_order(a->label, b->label);
	order = order ? order : text_order(a->file, b->file);
	order = order ? order : number_order(a->line, b->line);
	return order ? order : text_order(a->module, b->module);
}

/* How many calls their stacks have in common. */
static size_t shared_calls(const struct check_site *a, const struct check_site *b)
{
	size_t most = a->stack_count < b->stack_count ? a->stack_count : b->stack_count;
	size_t count = 0;

	while (count < most && text_order(a->stack[count], b->stack[count]) == 0)
		count++;
	return count;
}

int alike_order(const void *left, const void *right)
{
	const struct check_site *a = left, *b = right;
	int order = name_order(a, b);
	size_t shared = order ? 0 : shared_calls(a, b);

	if (order)
		return order;
	if (shared == a->stack_count || shared == b->stack_count)
		return number_order(a->stack_count, b->stack_count);
	return text_order(a->stack[shared], b->stack[shared]);
}

static void join(struct check_site *to, const struct check_site *site)
{
	bool is_marked_alike = to->mark == site->mark &&
			       (to->mark == DIFF_MARK_NEW || to->mark == DIFF_MARK_GONE);

	to->before += site->before;
	to->after += site->after;
	to->is_estimated |= site->is_estimated;
	if (!is_marked_alike)
		to->mark = to->after > to->before   ? DIFF_MARK_GROWN
			   : to->after < to->before ? DIFF_MARK_SHRUNK
						    : DIFF_MARK_SAME;
}

size_t alike_join(struct check_site *list, size_t count)
{
	size_t joined = 0, kept = 0;

	if (count)
		qsort(list, count, sizeof *list, alike_order);
	for (size_t i = 0; i < count; i++)
		if (joined && alike_order(&list[joined - 1], &list[i]) == 0)
			join(&list[joined - 1], &list[i]);
		else
			list[joined++] = list[i];
	for (size_t i = 0; i < joined; i++)
		if (list[i].before != list[i].after)
			list[kept++] = list[i];
	return kept;
}

size_t alike_next(const struct check_site *list, size_t count, size_t index, size_t from)
{
	const struct check_site *site = &list[index];
	size_t next = site->stack_count;

	for (size_t i = 0; i < count; i++) {
		if (i == index || name_order(site, &list[i]) != 0)
			continue;
		size_t shared = shared_calls(site, &list[i]);
		if (shared >= from && shared < next)
			next = shared;
	}
	return next;
}
