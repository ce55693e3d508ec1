/* SPDX-License-Identifier: MIT */
/* site_query.c: see site_query.h. */
#include "study/site_query.h"

#include "study/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORDER_KEY(name, key, words, figure) [SITE_ORDER_##name] = key,
#define ORDER_WORDS(name, key, words, figure) [SITE_ORDER_##name] = words,
#define ORDER_FIGURE(name, key, words, figure) [SITE_ORDER_##name] = figure,
#define FIGURE_KEY(name, key, meaning) [SITE_##name] = key,
const char *const site_order_keys[SITE_ORDER_COUNT] = {SITE_ORDERS(ORDER_KEY)};
const char *const site_order_words[SITE_ORDER_COUNT] = {SITE_ORDERS(ORDER_WORDS)};
const enum site_figure site_order_figures[SITE_ORDER_COUNT] = {SITE_ORDERS(ORDER_FIGURE)};
const char *const site_figure_keys[SITE_FIGURE_COUNT] = {SITE_FIGURES(FIGURE_KEY)};

bool site_figure_is_bytes(enum site_figure figure)
{
	return strstr(site_figure_keys[figure], "_bytes") != NULL;
}

static bool set_order(struct site_query *query, const char *key, struct failure *why)
{
	size_t order = query_find_key(site_order_keys, SITE_ORDER_COUNT, key);
	char keys[128] = "";

	query->order = (enum site_order)order;
	query->order_given = true;
	if (order < SITE_ORDER_COUNT)
		return true;
	for (int i = 0; i < SITE_ORDER_COUNT; i++) {
		size_t used = strlen(keys);
		snprintf(keys + used, sizeof keys - used, "%s%s",
			 i + 1 == SITE_ORDER_COUNT ? " or " : ", ", site_order_keys[i]);
	}
	return fail(why, FAILURE_USAGE, "--sort takes %s, not '%.200s'", keys + strlen(", "), key);
}

static bool set_thread(struct site_query *query, const char *text, struct failure *why)
{
	bool is_number = text[strspn(text, "0123456789")] == '\0';
	unsigned long thread = strtoul(text, NULL, 10);

	if (!*text || (is_number && (!thread || thread > UINT32_MAX)))
		return fail(why, FAILURE_USAGE,
			    "--thread takes the number or the name of a thread, not '%.200s'", text);
	query->by_thread = true;
	query->thread = is_number ? (uint32_t)thread : 0;
	query->thread_name = is_number ? NULL : text;
	return true;
}

bool site_query_wants_thread(const struct site_query *query, const struct slot *slot)
{
	if (!query->by_thread)
		return true;
	if (!slot || slot->use != PM_SLOT_THREAD)
		return false;
	return query->thread_name ? strcmp(slot->name, query->thread_name) == 0
				  : slot->tid == query->thread;
}

static bool set_expression(struct site_query *query, const char *text, struct failure *why)
{
	static const char of_modules[] = "lib:";

	query->by_module = strncmp(text, of_modules, strlen(of_modules)) == 0;
	query->by_name = query_compile(&query->expression,
				       query->by_module ? text + strlen(of_modules) : text,
				       "--filter", text, why);
	return query->by_name;
}

bool site_query_open(struct site_query *ret, const char *expression, const char *order,
		     const char *thread, struct failure *why)
{
	struct site_query query = {.order = SITE_ORDER_LIVE};

	if ((order && !set_order(&query, order, why)) ||
	    (thread && !set_thread(&query, thread, why)) ||
	    (expression && !set_expression(&query, expression, why)))
		return false;
	*ret = query;
	return true;
}

bool site_query_skip(struct site_query *query, const char *expression, struct failure *why)
{
	return wrappers_add(&query->skipped, expression, why);
}

void site_query_close(struct site_query *query)
{
	wrappers_free(&query->skipped);
	if (query->by_name)
		regfree(&query->expression);
	query->by_name = false;
}

static bool matches(const struct site_query *query, const char *text)
{
	return text && regexec(&query->expression, text, 0, NULL, 0) == 0;
}

static bool module_matches(const struct site_query *query, const struct stacks *stacks,
			   uint32_t place)
{
	const struct module *module = stacks->modules[stacks->places[place].module];
	return module && matches(query, module->path);
}

bool site_query_wants(const struct site_query *query, struct stacks *stacks, uint32_t place)
{
	const struct named_call *call;
	struct walk walk = {place, 0};

	if (!query->by_name)
		return true;
	for (uint32_t at = place; at; at = stacks->places[at].caller)
		if (module_matches(query, stacks, at))
			return true;
	while (!query->by_module && (call = walk_next(stacks, &walk)))
		if (matches(query, call->call.function) || matches(query, call->call.file))
			return true;
	return false;
}
