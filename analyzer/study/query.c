/* SPDX-License-Identifier: MIT */
/* query.c: see query.h. */
#include "study/query.h"

#include <string.h>

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

size_t query_find_key(const char *const *keys, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(key, keys[i]) == 0)
			return i;
	return count;
}

/* A key that says nothing of one of the two leaves it in the order that it has without. */
static bool set_order(struct query *query, const char *key, struct failure *why)
{
#define CLASS_ORDER_KEY(name, key, help) [ORDER_##name] = key,
	static const char *const of_classes[] = {CLASS_ORDERS(CLASS_ORDER_KEY)};
#undef CLASS_ORDER_KEY
#define PROCESS_ORDER_KEY(name, key) [PROCESS_ORDER_##name] = key,
	static const char *const of_processes[] = {PROCESS_ORDERS(PROCESS_ORDER_KEY)};
#undef PROCESS_ORDER_KEY

	if (!key)
		return true;
	size_t class_order = query_find_key(of_classes, ORDER_COUNT, key);
	size_t process_order = query_find_key(of_processes, PROCESS_ORDER_COUNT, key);
	if (class_order == ORDER_COUNT && process_order == PROCESS_ORDER_COUNT)
		return fail(why, FAILURE_USAGE,
			    "--sort takes allocations, frees, live, bytes, size, old, young, "
			    "peak or start, not '%s'",
			    key);
	query->orders_classes = class_order < ORDER_COUNT;
	if (query->orders_classes)
		query->order = (enum class_order)class_order;
	if (process_order < PROCESS_ORDER_COUNT)
		query->process_order = (enum process_order)process_order;
	return true;
}

bool query_compile(regex_t *ret, const char *expression, const char *option, const char *shown,
		   struct failure *why)
{
	char message[128];
	int error = regcomp(ret, expression, REG_EXTENDED | REG_NOSUB);

	if (!error)
		return true;
	regerror(error, ret, message, sizeof message);
	return fail(why, FAILURE_USAGE, "%s '%.200s': %s", option, shown, message);
}

/* What a message shows is the expression alone. */
static bool compile(regex_t *ret, const char *expression, struct failure *why)
{
	return query_compile(ret, expression, "--filter", expression, why);
}

bool query_open(struct query *ret, const char *expression, const char *order, struct failure *why)
{
	struct query query = {.order = ORDER_ALLOCATED,
			      .process_order = PROCESS_ORDER_PEAK,
			      .orders_classes = true};

	if (!set_order(&query, order, why))
		return false;
	if (expression && begins(expression, "class:")) {
		query.by_class = true;
		if (!compile(&query.size_class, expression + strlen("class:"), why))
			return false;
	} else if (expression) {
		query.by_process = true;
		if (!compile(&query.process,
			     begins(expression, "exe:") ? expression + strlen("exe:") : expression,
			     why))
			return false;
	}
	*ret = query;
	return true;
}

void query_close(struct query *query)
{
	if (query->by_process)
		regfree(&query->process);
	if (query->by_class)
		regfree(&query->size_class);
}

static bool matches(const regex_t *expression, const char *text)
{
	return regexec(expression, text, 0, NULL, 0) == 0;
}

bool query_wants_process(const struct query *query, const struct process *process)
{
	if (!query->by_process)
		return true;
	if (process->exe && matches(&query->process, process->exe))
		return true;
	for (size_t i = 0; i < process->argv_count; i++)
		if (matches(&query->process, process->argv[i]))
			return true;
	return false;
}

bool query_wants_class(const struct query *query, const char *name)
{
	return !query->by_class || matches(&query->size_class, name);
}
