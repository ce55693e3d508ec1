/* SPDX-License-Identifier: MIT */
/* query.c: see query.h. */
#include "study/query.h"

#include <string.h>

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool set_order(struct query *query, const char *key, struct failure *why)
{
#define CLASS_ORDER_KEY(name, key, help) [ORDER_##name] = key,
	static const char *const keys[] = {CLASS_ORDERS(CLASS_ORDER_KEY)};
#undef CLASS_ORDER_KEY

	for (enum class_order order = 0; order < ORDER_COUNT; order++) {
		if (!key || strcmp(key, keys[order]) == 0) {
			query->order = order;
			return true;
		}
	}
	return fail(why, FAILURE_USAGE,
		    "--sort takes allocations, frees, live, bytes or size, not '%s'", key);
}

static bool compile(regex_t *ret, const char *expression, struct failure *why)
{
	char message[128];
	int error = regcomp(ret, expression, REG_EXTENDED | REG_NOSUB);

	if (!error)
		return true;
	regerror(error, ret, message, sizeof message);
	return fail(why, FAILURE_USAGE, "--filter '%.200s': %s", expression, message);
}

bool query_open(struct query *ret, const char *expression, const char *order, struct failure *why)
{
	struct query query = {.order = ORDER_ALLOCATED};

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
