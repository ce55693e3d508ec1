/* SPDX-License-Identifier: MIT */
/* blame.c: see blame.h. */
#define _GNU_SOURCE 1
#include "study/blame.h"

#include "study/measured.h"
#include "study/site_name.h"
#include "text/allocate.h"
#include "text/number.h"

#include <stdlib.h>
#include <string.h>

enum { SITES_MAX = 10 }; /* shown of a rule */

/* --- of which rule ---------------------------------------------------------------------------------------- */

/* A call as "function (file:line)", by its function. */
static bool is_call_of(const char *pattern, const char *call)
{
	const char *place = strrchr(call, '(');
	const char *line = strrchr(call, ':');
	bool has_place = place && place > call && place[-1] == ' ' && line > place &&
			 line[1 + strspn(line + 1, "0123456789")] == ')';
	char *function = allocate_text(call, has_place ? (size_t)(place - 1 - call) : strlen(call));
	bool fits = measured_is_function(pattern, function);

	free(function);
	return fits;
}

static bool is_of_rule(const struct budget_rule *rule, const struct check_site *site)
{
	if (rule->module)
		return measured_is_module(rule->module, site->module);
	if (!rule->site || is_call_of(rule->site, site->function))
		return true;
	for (size_t i = 0; i < site->stack_count; i++)
		if (is_call_of(rule->site, site->stack[i]))
			return true;
	return false;
}

/* --- shells ------------------------------------------------------------------------------------------------- */

static const char *const shells[] = {"sh", "dash", "bash", "ksh", "zsh", "busybox"};

enum { SHELL_COUNT = sizeof shells / sizeof *shells };

/* Which one; SHELL_COUNT: none. */
static size_t shell_of(const struct check_site *site)
{
	size_t shell = 0;

	while (shell < SHELL_COUNT && strcmp(site_file_name(site->module), shells[shell]) != 0)
		shell++;
	return shell;
}

static bool is_of_leaks(const struct check_rule *rule)
{
	return rule->cause == CHECK_CAUSE_LEAKED;
}

/* What a shell keeps to its end floods a rule of leaks: how much that is, and how to leave it out. */
static void advise_shells(const struct blame_request *request, const struct check_site *sites,
			  size_t count, struct check_rule *ret)
{
	struct keep *keep = request->keep;
	int64_t left[SHELL_COUNT + 1] = {0};
	const char *lines = NULL;
	size_t line_count = 0;
	uint64_t all = 0;

	for (size_t i = 0; i < count; i++)
		left[shell_of(&sites[i])] += sites[i].after - sites[i].before;
	for (size_t i = 0; i < SHELL_COUNT; i++) {
		if (left[i] <= 0)
			continue;
		lines = keep_text(keep, "%s%sleak:/%s$", lines ? lines : "", lines ? " and " : "",
				  shells[i]);
		all += (uint64_t)left[i];
		line_count++;
	}
	if (!lines)
		return;
	ret->remedy = keep_text(keep,
				"what the shell itself leaves, %s of these, does not count with %s "
				"%s in a file of suppressions",
				number_of(all, ret->unit == UNIT_BYTES ? "byte" : "block").text,
				line_count > 1 ? "the lines" : "a line", lines);
}

/* --- sites -------------------------------------------------------------------------------------------------- */

/* Those to blame, the largest first; returns how many. */
static size_t choose(const struct blame_request *request, const struct ledger *before,
		     enum ledger_figure figure, const struct check_rule *rule,
		     struct check_site **ret)
{
	bool has_less = rule->limit.is_known && rule->value.value < rule->limit.value;
	size_t count, kept = 0;
	struct check_site *sites = ledger_compare(before, request->after, figure, request->keep,
						  &count);
	struct check_site *chosen = keep_items(request->keep, count, sizeof *chosen);

	for (size_t i = 0; i < count; i++) {
		const struct check_site *site = &sites[has_less ? count - 1 - i : i];
		bool is_to_blame = (site->after > site->before) != has_less;
		if (is_to_blame && is_of_rule(request->rule, site))
			chosen[kept++] = *site;
	}
	*ret = chosen;
	return kept;
}

static void show(const struct check_site *sites, size_t count, bool of_shells, struct keep *keep,
		 struct check_rule *ret)
{
	for (size_t i = 0; i < count && ret->site_count < SITES_MAX; i++) {
		bool is_of_shell = is_of_leaks(ret) && shell_of(&sites[i]) != SHELL_COUNT;
		if (is_of_shell != of_shells)
			continue;
		if (!ret->sites)
			ret->sites = keep_items(keep, SITES_MAX, sizeof *ret->sites);
		ret->sites[ret->site_count++] = sites[i];
	}
}

static size_t name_sites(const struct blame_request *request, const struct ledger *before,
			 enum ledger_figure figure, struct check_rule *ret)
{
	struct check_site *sites;
	size_t count = choose(request, before, figure, ret, &sites);

	show(sites, count, false, request->keep, ret);
	show(sites, count, true, request->keep, ret);
	ret->site_more = count - ret->site_count;
	if (is_of_leaks(ret) && !request->rule->module)
		advise_shells(request, sites, count, ret);
	return count;
}

void blame_set(const struct blame_request *request, struct check_rule *ret)
{
	const struct ledger *before = request->before;
	enum ledger_figure figure;

	if (!request->after->count || !ledger_figure_for(request->rule->metric, &figure))
		return;
	if (before && before->count && name_sites(request, before, figure, ret))
		return;
	name_sites(request, NULL, figure, ret);
}
