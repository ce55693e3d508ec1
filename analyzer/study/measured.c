/* SPDX-License-Identifier: MIT */
/* measured.c: see measured.h. */
#define _GNU_SOURCE 1
#include "study/measured.h"

#include "study/query.h"
#include "study/site_name.h"
#include "study/unrecorded.h"
#include "text/allocate.h"
#include "text/number.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- sites of rules -------------------------------------------------------------------------------------- */

bool measured_is_function(const char *pattern, const char *function)
{
	if (fnmatch(pattern, function, 0) == 0)
		return true;
	const char *parameters = strchr(function, '(');
	if (!parameters || parameters == function)
		return false;
	char *bare = allocate_text(function, (size_t)(parameters - function));
	bool fits = fnmatch(pattern, bare, 0) == 0;
	free(bare);
	return fits;
}

/* Some call of the stack is one of that function. */
static bool passes(struct sites *sites, const struct site *site, const char *pattern)
{
	struct walk walk = {site->place, 0};
	const struct named_call *call;

	while ((call = walk_next(&sites->stacks, &walk)))
		if (call->call.function && measured_is_function(pattern, call->call.function))
			return true;
	return false;
}

bool measured_is_module(const char *pattern, const char *path)
{
	const char *name = site_file_name(path);
	size_t length = strlen(pattern);

	return fnmatch(pattern, name, 0) == 0 ||
	       (strncmp(name, pattern, length) == 0 && strncmp(name + length, ".so", 3) == 0);
}

/* Its allocation is asked for there, by whoever does not only pass it on. */
static bool comes_from(struct sites *sites, const struct site *site, const char *pattern)
{
	uint32_t place = site_origin(sites, site).place;
	const struct module *module = sites->stacks.modules[sites->stacks.places[place].module];

	return module && module->path && measured_is_module(pattern, module->path);
}

static bool is_meant(struct sites *sites, const struct site *site, const struct budget_rule *rule)
{
	return rule->site ? passes(sites, site, rule->site) : comes_from(sites, site, rule->module);
}

/* is_leaked: the sites are those of what was never freed. */
static void measure_rule(struct measured *measured, struct sites *sites,
			 const struct budget_test *test, size_t index, bool is_leaked)
{
	const struct budget_rule *rule = &test->rules[index];
	enum site_figure figure;
	double value = 0;

	if ((!rule->site && !rule->module) || !budget_site_figure(rule->metric, &figure))
		return;
	bool counts = budget_is_of_leaks(rule->metric) == is_leaked;
	for (size_t i = 0; i < sites->count; i++) {
		if (!is_meant(sites, &sites->list[i], rule))
			continue;
		measured->is_matched[index] = true;
		value += counts ? site_value(&sites->list[i].sums, figure) : 0;
	}
	if (counts)
		measured->of_rule[index] = (struct known){true, llround(value)};
}

static void measure_rules(struct measured *measured, struct sites *sites,
			  const struct budget_test *test, bool is_leaked)
{
	for (size_t i = 0; i < test->rule_count; i++)
		measure_rule(measured, sites, test, i, is_leaked);
}

/* --- what is missing -------------------------------------------------------------------------------------- */

static void find_flaws(struct measured *measured, const struct study *study,
		       const struct sites *sites)
{
	const struct metrics *all = &study->total.metrics;
	struct keep *keep = &measured->keep;

	if (study->recording->is_cut_short)
		measured->flaw = "its capture is cut short";
	else if (metric(all, METRIC_TRUNCATED))
		measured->flaw = "shared memory ran out while it ran";
	else if (!study->process_count)
		measured->flaw = "no process was recorded";
	if (metric(all, METRIC_DROPPED_BLOCKS)) {
		measured->site_flaw = keep_text(
			keep, "%s found no room to be recorded",
			number_of(metric(all, METRIC_DROPPED_BLOCKS), "block").text);
		/* They are counted, but who relies on it that all was recorded is told. */
		measured->flaw = measured->flaw ? measured->flaw : measured->site_flaw;
	} else if (metric(all, METRIC_DROPPED_STACKS))
		measured->site_flaw = keep_text(
			keep, "the stacks of %s found no room",
			number_of(metric(all, METRIC_DROPPED_STACKS), "block").text);
	else if (sites->silent_count)
		measured->site_flaw = keep_text(
			keep, "%s recorded no call sites",
			number_of(sites->silent_count,
				  sites->silent_count == 1 ? "process" : "processe")
				.text);
	else if (sites->departed_count)
		measured->site_flaw = "call sites of dead children were lost";
	else if (sites->period_max > 1)
		measured->site_flaw = "call sites are a sample";
}

/* A process that outlived the run. */
static void find_running(struct measured *measured, const struct study *study)
{
	for (size_t i = 0; i < study->process_count && !measured->flaw; i++)
		if (study->processes[i].process->kind != PROCESS_DEPARTED &&
		    study->processes[i].process->state == STATE_RUNNING)
			measured->flaw = keep_text(&measured->keep,
						   "its process %u ran on when the first had ended",
						   study->processes[i].process->record.pid);
}

static void find_unrecorded(struct measured *measured, const struct study *study)
{
	struct keep *keep = &measured->keep;
	struct unrecorded unrecorded;

	unrecorded_of(study->recording, &unrecorded);
	measured->unrecorded = keep_items(keep, unrecorded.program_count,
					  sizeof *measured->unrecorded);
	for (size_t i = 0; i < unrecorded.program_count; i++)
		measured->unrecorded[measured->unrecorded_count++] = (struct check_unrecorded){
			keep_text(keep, "%s", unrecorded.programs[i].path),
			unrecorded.programs[i].has_library, unrecorded.programs[i].count};
	if (unrecorded.kernel_error)
		measured->kernel_error = keep_text(keep, "%s", unrecorded.kernel_error);
	if (unrecorded.dropped_count && !measured->flaw)
		measured->flaw = "programs were started faster than they could be noted: some may "
				 "have left no record";
	unrecorded_free(&unrecorded);
}

/* --- facts --------------------------------------------------------------------------------------------------- */

static const char *name_of(const struct study *study, const struct process *process)
{
	const struct process *facts = facts_of(study->recording, process);
	return facts->exe ? site_file_name(facts->exe) : "?";
}

static void set_processes(struct measured *measured, const struct study *study)
{
	struct keep *keep = &measured->keep;

	measured->processes = keep_items(keep, study->process_count, sizeof *measured->processes);
	for (size_t i = 0; i < study->process_count; i++) {
		const struct process_study *one = &study->processes[i];
		if (one->process->kind == PROCESS_DEPARTED)
			continue;
		measured->processes[measured->process_count++] = (struct check_process){
			.name = keep_text(keep, "%s", name_of(study, one->process)),
			.pid = one->process->record.pid,
			.parent = one->process->record.ppid,
			.metrics = one->figures.metrics,
		};
	}
}

/* 0 for a parent that is none of these. */
static void settle_parents(struct measured *measured)
{
	for (size_t i = 0; i < measured->process_count; i++) {
		bool is_here = false;
		for (size_t k = 0; k < measured->process_count && !is_here; k++)
			is_here = measured->processes[k].pid == measured->processes[i].parent;
		if (!is_here)
			measured->processes[i].parent = 0;
	}
}

static const char *library_of(struct keep *keep, const struct process *process, const char *name)
{
	for (size_t i = 0; i < process->module_count; i++) {
		const struct module *module = &process->modules[i];
		if (module->path && strncmp(site_file_name(module->path), name, strlen(name)) == 0)
			return keep_text(keep, "%s %.16s", site_file_name(module->path),
					 module->build_id ? module->build_id : "");
	}
	return NULL;
}

static void set_facts(struct measured *measured, const struct study *study)
{
	struct keep *keep = &measured->keep;

	set_processes(measured, study);
	settle_parents(measured);
	for (size_t i = 0; i < study->process_count; i++) {
		const struct process *process = study->processes[i].process;
		if (!measured->libc)
			measured->libc = library_of(keep, process, "libc.so.");
		if (!measured->libstdcxx)
			measured->libstdcxx = library_of(keep, process, "libstdc++.so.");
		if (!measured->program && facts_of(study->recording, process)->exe)
			measured->program = keep_text(keep, "%s",
						      facts_of(study->recording, process)->exe);
	}
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

/* Each block is recorded: what was asked for is known. */
static void set_requested(struct measured *measured, const struct sites *sites)
{
	if (!measured->site_flaw && sites->period_max == 1)
		measured->metrics.value[METRIC_ALLOC_REQUESTED] = (struct known){
			true, llround(site_value(&sites->all, SITE_REQUESTED_BYTES))};
}

static const enum metric leak_metrics[] = {METRIC_LEAK_BLOCKS, METRIC_LEAK_BYTES};
enum { LEAK_METRICS = sizeof leak_metrics / sizeof *leak_metrics };

static void forget_leaks(struct measured *measured)
{
	for (size_t i = 0; i < LEAK_METRICS; i++) {
		measured->left[i] = measured->metrics.value[leak_metrics[i]];
		measured->metrics.value[leak_metrics[i]].is_known = false;
		measured->metrics.bound[leak_metrics[i]].is_known = false;
	}
}

static bool has_leaks_of_sites(const struct budget_test *test)
{
	for (size_t i = 0; i < test->rule_count; i++)
		if ((test->rules[i].site || test->rules[i].module) &&
		    budget_is_of_leaks(test->rules[i].metric))
			return true;
	return false;
}

/* Whoever left blocks, and how many of how many bytes. */
static uint64_t hash_of_left(const struct sites *sites, const struct site *site)
{
	uint64_t hash = 0;

	for (uint32_t at = site->place; at; at = sites->stacks.places[at].caller) {
		const struct place *place = &sites->stacks.places[at];
		const struct module *module = sites->stacks.modules[place->module];
		hash = hash_word(hash, place->offset);
		if (module && module->path)
			hash = hash_text(hash, module->path);
	}
	hash = hash_word(hash, (uint64_t)llround(site_value(&site->sums, SITE_LEAKED)));
	return hash_word(hash, (uint64_t)llround(site_value(&site->sums, SITE_LEAKED_BYTES)));
}

/* In whatever order the sites are. */
static void sum_up_left(struct measured *measured, const struct sites *sites)
{
	for (size_t i = 0; i < sites->count; i++)
		if (site_value(&sites->list[i].sums, SITE_LEAKED) > 0)
			measured->left_by += hash_of_left(sites, &sites->list[i]);
}

/* false: it was not the same. */
static bool take_leaks(struct measured *measured, const struct measure_plan *plan)
{
	const struct measured *like = plan->like;

	if (!like || plan->with_ledger || has_leaks_of_sites(plan->test) ||
	    measured->left_by != like->left_by)
		return false;
	for (size_t i = 0; i < LEAK_METRICS; i++)
		if (measured->left[i].value != like->left[i].value)
			return false;
	for (size_t i = 0; i < LEAK_METRICS; i++) {
		measured->metrics.value[leak_metrics[i]] = like->metrics.value[leak_metrics[i]];
		measured->metrics.bound[leak_metrics[i]] = like->metrics.bound[leak_metrics[i]];
	}
	return true;
}

static void measure_leaks(struct measured *measured, const struct study *study, struct sites *sites,
			  const struct measure_plan *plan, const struct site_query *query)
{
	const struct leaks_query wanted = {.sites = query};
	struct leaks leaks;

	leaks_make(study, sites, &wanted, plan->suppressions, &leaks);
	for (size_t i = 0; i < LEAK_METRICS; i++) {
		measured->metrics.value[leak_metrics[i]] = leaks.metrics.value[leak_metrics[i]];
		measured->metrics.bound[leak_metrics[i]] = leaks.metrics.bound[leak_metrics[i]];
	}
	measure_rules(measured, sites, plan->test, true);
	if (plan->with_ledger)
		ledger_add(&measured->ledger, study->recording, sites, true, plan->directory);
}

static void measure(struct measured *measured, const struct study *study,
		    const struct site_query *query, const struct measure_plan *plan)
{
	struct sites sites;

	sites_make(study, NULL, query, &sites);
	measured->metrics = study->total.metrics;
	find_flaws(measured, study, &sites);
	find_running(measured, study);
	find_unrecorded(measured, study);
	set_facts(measured, study);
	set_requested(measured, &sites);
	measure_rules(measured, &sites, plan->test, false);
	if (plan->with_ledger)
		ledger_add(&measured->ledger, study->recording, &sites, false, plan->directory);
	forget_leaks(measured);
	sum_up_left(measured, &sites);
	if ((plan->with_leaks || plan->with_ledger) && !take_leaks(measured, plan))
		measure_leaks(measured, study, &sites, plan, query);
	if (plan->with_ledger)
		ledger_settle(&measured->ledger);
	sites_free(&sites);
}

static bool study_recording(struct measured *measured, const struct recording *recording,
			    const struct measure_plan *plan, struct failure *why)
{
	struct site_query sites = {.order = SITE_ORDER_LIVE};
	struct study study;
	struct query all;

	if (!query_open(&all, NULL, NULL, why))
		return false;
	if (site_query_open(&sites, NULL, NULL, NULL, why)) {
		study_make(recording, &all, &study);
		measure(measured, &study, &sites, plan);
		study_free(&study);
		site_query_close(&sites);
	}
	query_close(&all);
	return why->kind == FAILURE_NONE;
}

bool measured_read(const struct measure_plan *plan, struct measured *ret, struct failure *why)
{
	struct recording recording;

	*ret = (struct measured){.process_count = 0};
	ret->of_rule = keep_items(&ret->keep, plan->test->rule_count, sizeof *ret->of_rule);
	ret->is_matched = keep_items(&ret->keep, plan->test->rule_count, sizeof *ret->is_matched);
	if (!recording_read(plan->capture, &recording, why))
		return false;
	bool done = study_recording(ret, &recording, plan, why);
	recording_free(&recording);
	return done;
}

void measured_free(struct measured *measured)
{
	ledger_free(&measured->ledger);
	keep_free(&measured->keep);
}

void measured_forget_sites(struct measured *measured, const struct budget_test *test)
{
	forget_leaks(measured);
	measured->metrics.value[METRIC_ALLOC_REQUESTED].is_known = false;
	for (size_t i = 0; i < test->rule_count; i++)
		measured->of_rule[i].is_known = false;
	ledger_free(&measured->ledger);
	measured->ledger = (struct ledger){.count = 0};
}

struct known measured_value(const struct measured *measured, const struct budget_rule *rule,
			    size_t index)
{
	return rule->site || rule->module ? measured->of_rule[index]
					  : measured->metrics.value[rule->metric];
}
