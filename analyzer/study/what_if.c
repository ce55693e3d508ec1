/* SPDX-License-Identifier: MIT */
/* what_if.c: see what_if.h. */
#include "study/what_if.h"

#include "model/saturate.h"
#include "study/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MIDDLE_MAX = 100 };

#define REASON_TEXT(name, text) [WHAT_IF_##name] = text,
const char *const what_if_reasons[WHAT_IF_REASON_COUNT] = {WHAT_IF_REASONS(REASON_TEXT)};
#undef REASON_TEXT

/* --- the command line ---------------------------------------------------------------------------------- */

static bool take_number(const char **at, char end, uint32_t *ret)
{
	char *rest;

	if (**at < '0' || **at > '9')
		return false;
	unsigned long long number = strtoull(*at, &rest, 10);
	if (*rest != end || number > UINT32_MAX)
		return false;
	*ret = (uint32_t)number;
	*at = rest + (end != 0);
	return true;
}

bool what_if_parse(const char *text, uint32_t ret_threshold[GENERATION_COUNT], struct failure *why)
{
	uint32_t threshold[GENERATION_COUNT];
	const char *at = text;

	if (!take_number(&at, ':', &threshold[0]) || !take_number(&at, ':', &threshold[1]) ||
	    !take_number(&at, 0, &threshold[2]) || !threshold[0])
		return fail(
			why, FAILURE_USAGE,
			"--thresholds takes three numbers such as 4000:10:10, the first not 0, not '%s'",
			text);
	if (threshold[1] > MIDDLE_MAX)
		return fail(why, FAILURE_USAGE,
			    "--thresholds: the second number is at most %d, not %u", MIDDLE_MAX,
			    threshold[1]);
	memcpy(ret_threshold, threshold, sizeof threshold);
	return true;
}

/* --- one process ---------------------------------------------------------------------------------------- */

struct span_of_ages {
	double low, high; /* ends of recorded epochs that were outlived */
};

/* What a recording says of blocks, or of bytes. */
struct material {
	double died[AGE_COUNT_MAX];
	double live[GENERATION_COUNT];
	double born;
};

struct question {
	const struct process *process;
	struct pattern before, after;
	bool is_same;                       /* nothing was changed */
	double gap_low, gap_high;           /* ends of recorded epochs for one of the longer ones */
	uint64_t epochs;                    /* recorded */
	struct what_if_range sweeps, older; /* expected in all; of these, middle and full ones */
	struct span_of_ages span[AGE_COUNT_MAX];
};

static double least(double a, double b)
{
	return a < b ? a : b;
}

static double most(double a, double b)
{
	return a > b ? a : b;
}

static struct what_if_range rounded(double low, double high)
{
	uint64_t floor = figure_of(low), ceiling = figure_of(high);
	return (struct what_if_range){floor,
				      (double)ceiling < high && high > 0 ? ceiling + 1 : ceiling};
}

/* Outlived `ends` ends: the share that outlived one that comes every `gap`, evenly spread. */
static double share_of(double ends, double gap)
{
	return least(1, ends / gap);
}

/* The same with ends that do not fall together: who outlived k of them may have missed the longer one's. */
static double share_at_least(double ends, double gap)
{
	return gap > 1 && ends >= gap ? least(1, most(ends - 1, gap - 1) / gap)
				      : share_of(ends, gap);
}

/* The share that outlived a middle or full sweep: between these lie `period` sweeps, and once in a cycle one. */
static double share_of_older(const struct pattern *pattern, double ends, double gap)
{
	double period = (double)pattern->period * gap, cycle = (double)pattern->cycle * gap;
	return ((double)pattern->middle * least(period, ends) + least(gap, ends)) / cycle;
}

struct promoted {
	double any_low, any_high;     /* outlived a sweep */
	double older_low, older_high; /* outlived a middle or full one */
};

/* Sweeps are few, and differ: two standard deviations of the sum over `sweeps` of them. */
static double chance(double amount, uint64_t sweeps)
{
	return sweeps ? 2 * amount / sqrt((double)sweeps) : 0;
}

static struct promoted promoted_dead(const struct question *question, const struct material *of)
{
	struct promoted sum = {0, 0, 0, 0};
	const struct pattern *after = &question->after;
	double all = 0;

	for (uint32_t i = 0; i < question->process->layout->age_count; i++) {
		const struct span_of_ages *span = &question->span[i];
		double step = question->gap_high > 1 ? 1 : 0;
		sum.any_low += of->died[i] * share_at_least(span->low, question->gap_high);
		sum.any_high += of->died[i] * share_of(span->high, question->gap_low);
		sum.older_low += of->died[i] * share_of_older(after, most(span->low - step, 0),
							      question->gap_high);
		sum.older_high += of->died[i] * share_of_older(after, span->high, question->gap_low);
		all += of->died[i] * share_of(span->high, 1);
	}
	if (question->gap_high > 1) {
		sum.any_low -= chance(sum.any_low, question->sweeps.low);
		sum.any_high += chance(sum.any_high, question->sweeps.low);
	}
	sum.older_low -= chance(sum.older_low, question->older.low);
	sum.older_high += chance(sum.older_high, question->older.low);
	sum.any_high = question->sweeps.high ? least(sum.any_high, all) : 0;
	sum.older_high = question->older.high ? least(sum.older_high, sum.any_high) : 0;
	sum.any_low = least(most(sum.any_low, 0), sum.any_high);
	sum.older_low = question->older.low ? least(most(sum.older_low, 0), sum.older_high) : 0;
	return sum;
}

/* Outlived at least `least_ends` and at most `most_ends` until now. */
static void add_live(const struct question *question, double amount, uint64_t least_ends,
		     uint64_t most_ends, struct promoted *sum)
{
	const struct pattern *after = &question->after;
	bool is_exact = question->gap_high <= 1;
	uint64_t since = young_since(after, question->epochs); /* where the ends fall together */
	double missed_any = is_exact ? 0 : question->gap_high;
	double missed_older = is_exact ? (double)since : question->gap_high * (double)after->period;
	double surely_missed = is_exact ? (double)since : 0;

	if (question->sweeps.low && (double)least_ends > missed_any)
		sum->any_low += amount;
	if (question->sweeps.high && most_ends)
		sum->any_high += amount;
	if (question->older.low && (double)least_ends > missed_older)
		sum->older_low += amount;
	if (question->older.high && (double)most_ends > surely_missed)
		sum->older_high += amount;
}

static struct promoted promoted_live(const struct question *question, const struct material *of)
{
	uint64_t since = young_since(&question->before, question->epochs);
	struct promoted sum = {0, 0, 0, 0};

	add_live(question, of->live[1], 1, since, &sum);
	add_live(question, of->live[2], since + 1, question->epochs, &sum);
	return sum;
}

/* Of what outlived a sweep, what that one moved straight to generation 2. */
static void straight(const struct question *question, double low, double high, double older_high,
		     double *ret_low, double *ret_high)
{
	double sweeps_low = (double)question->sweeps.low,
	       sweeps_high = (double)question->sweeps.high;

	*ret_low = *ret_high = 0;
	if (!question->sweeps.low || !question->older.high)
		return;
	double share_low = (double)question->older.low / most(sweeps_high, 1);
	double share_high = (double)question->older.high / most(sweeps_low, 1);
	*ret_low = most(0, low * share_low - chance(low * share_low, question->older.low));
	*ret_high = high * share_high + chance(high * share_high, question->older.low);
	*ret_high = least(least(*ret_high, high), older_high);
	*ret_low = least(*ret_low, *ret_high);
}

static void expect(const struct question *question, const struct material *of,
		   struct what_if_flow *ret)
{
	struct promoted dead = promoted_dead(question, of), live = promoted_live(question, of);
	double died = 0, low, high;
	double any_low = dead.any_low + live.any_low, any_high = dead.any_high + live.any_high;
	double older_low = dead.older_low + live.older_low;
	double older_high = dead.older_high + live.older_high;

	for (uint32_t i = 0; i < question->process->layout->age_count; i++)
		died += of->died[i];
	straight(question, any_low, any_high, older_high, &low, &high);
	ret->entered[0] = rounded(of->born, of->born);
	ret->survived[0] = rounded(any_low, any_high);
	ret->died[0] = rounded(died - dead.any_high, died - dead.any_low);
	ret->entered[1] = rounded(any_low - high, any_high - low);
	ret->survived[1] = rounded(older_low - high, older_high - low);
	ret->died[1] = rounded(dead.any_low - dead.older_high, dead.any_high - dead.older_low);
	ret->entered[2] = rounded(older_low, older_high);
	ret->survived[2] = rounded(0, 0);
	ret->died[2] = rounded(dead.older_low, dead.older_high);
}

/* The first `generations` of them. */
static void as_recorded(const struct flow *flow, int generations, struct what_if_flow *ret)
{
	for (int g = 0; g < generations; g++) {
		uint64_t frozen = g == 1 ? 0 : flow_frozen(flow);
		uint64_t entered = excess(flow->entered[g], frozen);
		ret->entered[g] = (struct what_if_range){entered, entered};
		ret->survived[g] = (struct what_if_range){flow->survived[g], flow->survived[g]};
		ret->died[g] = (struct what_if_range){flow->died[g], flow->died[g]};
	}
}

static void gather(const struct process *process, bool in_bytes, const struct flow *flow,
		   struct material *ret)
{
	const struct layout *layout = process->layout;
	double frozen = (double)flow->frozen_died;

	*ret = (struct material){.born = (double)excess(flow->entered[0], flow_frozen(flow))};
	for (int g = 0; g < GENERATION_COUNT; g++)
		ret->live[g] = (double)flow->live[g];
	for (uint32_t c = 0; c < layout->class_count; c++) {
		bool counts_bytes = layout->classes[c].kind == PM_CLASS_LARGE_BYTES;
		double unit = !in_bytes      ? !counts_bytes
			      : counts_bytes ? 1
					     : layout->classes[c].block_bytes;
		for (uint32_t age = 0; age < layout->age_count; age++)
			ret->died[age] += unit * (double)process->classes[c].freed_at[age];
	}
	for (uint32_t age = layout->age_count; frozen > 0 && age--;) {
		double taken = layout->ages[age].generation == 2 ? least(frozen, ret->died[age]) : 0;
		ret->died[age] -= taken;
		frozen -= taken;
	}
}

/* --- epochs ----------------------------------------------------------------------------------------------- */

static void expect_sweeps(struct question *question, uint32_t first)
{
	const struct pm_process *record = &question->process->record;
	double longest = first * (1 + 2 * mean_excess(record));
	uint32_t doubling = epochs_per_doubling(record);

	if (question->gap_high <= 1)
		question->sweeps = (struct what_if_range){record->epoch, record->epoch};
	else
		question->sweeps = (struct what_if_range){
			excess(epochs_in(record->clock, longest, doubling), 1),
			epochs_in(record->clock, first, doubling)};
	question->older = (struct what_if_range){
		older_sweeps(&question->after, question->sweeps.low),
		older_sweeps(&question->after, question->sweeps.high)};
}

static void set_spans(struct question *question)
{
	const struct layout *layout = question->process->layout;
	double oldest = (double)question->epochs;

	for (uint32_t i = 0; i < layout->age_count; i++)
		question->span[i] = (struct span_of_ages){least(layout->ages[i].age_min, oldest),
							  least(layout->ages[i].age_max, oldest)};
}

static void ask(const struct process *process, const uint32_t threshold[GENERATION_COUNT],
		struct question *ret)
{
	const struct pm_process *record = &process->record;
	uint64_t factor = threshold[0] / record->threshold[0];
	uint64_t doublings = record->epoch / epochs_per_doubling(record);

	*ret = (struct question){
		.process = process,
		.before = pattern_of(record->threshold),
		.after = pattern_of(threshold),
		.is_same = memcmp(record->threshold, threshold, sizeof record->threshold) == 0,
		.gap_high = (double)factor,
		.gap_low = doublings < 32 && factor >> doublings ? (double)(factor >> doublings) : 1,
		.epochs = record->epoch,
	};
	expect_sweeps(ret, threshold[0]);
	set_spans(ret);
}

/* --- all of them ------------------------------------------------------------------------------------------ */

static void add_range(struct what_if_range *to, struct what_if_range from)
{
	*to = (struct what_if_range){sum(to->low, from.low), sum(to->high, from.high)};
}

static void add_ranges(struct what_if_flow *to, const struct what_if_flow *from)
{
	for (int g = 0; g < GENERATION_COUNT; g++) {
		add_range(&to->entered[g], from->entered[g]);
		add_range(&to->survived[g], from->survived[g]);
		add_range(&to->died[g], from->died[g]);
	}
}

static void answer(const struct question *question, bool in_bytes, const struct flow *flow,
		   struct what_if_flow *sum)
{
	struct what_if_flow expected;
	struct material material;

	gather(question->process, in_bytes, flow, &material);
	expect(question, &material, &expected);
	/* Young sweeps are where they were when epochs are as long. */
	if (question->is_same)
		as_recorded(flow, GENERATION_COUNT, &expected);
	else if (question->gap_high <= 1)
		as_recorded(flow, 1, &expected);
	add_ranges(sum, &expected);
}

static void add_sweeps(const struct question *question, struct what_if *what_if)
{
	uint64_t low[GENERATION_COUNT], high[GENERATION_COUNT];

	sweeps_among(&question->after, question->sweeps.low, low);
	sweeps_among(&question->after, question->sweeps.high, high);
	for (int g = 0; g < GENERATION_COUNT; g++) {
		uint64_t recorded = question->process->record.sweeps[g];
		what_if->recorded_sweeps[g] = sum(what_if->recorded_sweeps[g], recorded);
		if (question->is_same)
			low[g] = high[g] = recorded;
		add_range(&what_if->sweeps[g], (struct what_if_range){low[g], high[g]});
	}
}

static void add_process(const struct process *process, const struct survival *survival,
			struct what_if *what_if)
{
	struct question question;

	ask(process, what_if->threshold, &question);
	what_if->processes++;
	if (question.epochs >= epochs_per_doubling(&process->record))
		what_if->doubling = epochs_per_doubling(&process->record);
	flow_add(&what_if->recorded, &survival->blocks, 1);
	flow_add(&what_if->recorded_bytes, &survival->bytes, 1);
	answer(&question, false, &survival->blocks, &what_if->blocks);
	answer(&question, true, &survival->bytes, &what_if->bytes);
	add_sweeps(&question, what_if);
}

/* WHAT_IF_REASON_COUNT: none. */
static enum what_if_reason reason_against(const struct process *process, uint32_t first)
{
	const struct pm_process *record = &process->record;
	uint32_t length = record->threshold[0];

	if (process->kind != PROCESS_EXEC)
		return WHAT_IF_INHERITED;
	if (!process->survivors)
		return WHAT_IF_UNRECORDED;
	if (!length || first % length)
		return WHAT_IF_SHORTER;
	if (first != length && record->clock_kind == PM_CLOCK_NET)
		return WHAT_IF_NET;
	return WHAT_IF_REASON_COUNT;
}

void what_if_of(const struct study *study, const uint32_t threshold[GENERATION_COUNT],
		struct what_if *ret)
{
	struct what_if what_if = {.processes = 0};

	memcpy(what_if.threshold, threshold, sizeof what_if.threshold);
	for (size_t i = 0; i < study->process_count; i++) {
		const struct process_study *process = &study->processes[i];
		enum what_if_reason reason = reason_against(process->process, threshold[0]);
		if (reason == WHAT_IF_REASON_COUNT)
			add_process(process->process, &process->figures.generations.survival,
				    &what_if);
		else
			what_if.left_out[reason] += forks_in(process->process)
							    ? forks_in(process->process)
							    : 1;
	}
	*ret = what_if;
}
