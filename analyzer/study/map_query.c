/* SPDX-License-Identifier: MIT */
/* map_query.c: see map_query.h. */
#include "study/map_query.h"

#include <stdio.h>
#include <string.h>

#define COLOURING_KEY(name, key) [MAP_BY_##name] = key,
const char *const map_colouring_keys[MAP_COLOURING_COUNT] = {MAP_COLOURINGS(COLOURING_KEY)};

static const char of_threads[] = "thread:";

static bool set_keys(struct map_query *query, const char *by, const char *order, struct failure *why)
{
#define ORDER_KEY(name, key) [MAP_ORDER_##name] = key,
	static const char *const orders[] = {MAP_ORDERS(ORDER_KEY)};
#undef ORDER_KEY
	size_t colouring = by ? query_find_key(map_colouring_keys, MAP_COLOURING_COUNT, by) : 0;
	size_t sorting = order ? query_find_key(orders, MAP_ORDER_COUNT, order) : 0;

	if (colouring == MAP_COLOURING_COUNT)
		return fail(why, FAILURE_USAGE,
			    "--by takes occupancy, class, owner or age, not '%.200s'", by);
	if (sorting == MAP_ORDER_COUNT)
		return fail(why, FAILURE_USAGE, "--sort takes address or occupancy, not '%.200s'",
			    order);
	query->by = (enum map_colouring)colouring;
	query->order = (enum map_order)sorting;
	return true;
}

bool map_query_open(struct map_query *ret, const char *expression, const char *by,
		    const char *order, struct failure *why)
{
	struct map_query query = {.by_thread = false};
	size_t prefix = strlen(of_threads);

	if (!set_keys(&query, by, order, why))
		return false;
	query.by_thread = expression && strncmp(expression, of_threads, prefix) == 0;
	if (query.by_thread && !query_compile(&query.thread, expression + prefix, "--filter",
					      expression + prefix, why))
		return false;
	if (!query_open(&query.query, query.by_thread ? NULL : expression, NULL, why))
		return false;
	*ret = query;
	return true;
}

void map_query_close(struct map_query *query)
{
	if (query->by_thread)
		regfree(&query->thread);
	query_close(&query->query);
}

bool map_query_is_filtered(const struct map_query *query)
{
	return query->by_thread || query->query.by_class;
}

/* By its name or its number; a part is enough. */
static bool wants_thread(const struct map_query *query, const struct slot *slot)
{
	char tid[16];

	if (!slot || slot->use != PM_SLOT_THREAD)
		return false;
	snprintf(tid, sizeof tid, "%u", slot->tid);
	return regexec(&query->thread, slot->name, 0, NULL, 0) == 0 ||
	       regexec(&query->thread, tid, 0, NULL, 0) == 0;
}

bool map_query_wants(const struct map_query *query, const char *class_name, const struct slot *owner)
{
	return query_wants_class(&query->query, class_name) &&
	       (!query->by_thread || wants_thread(query, owner));
}
