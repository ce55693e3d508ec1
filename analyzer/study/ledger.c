/* SPDX-License-Identifier: MIT */
/* ledger.c: see ledger.h. */
#define _GNU_SOURCE 1
#include "study/ledger.h"

#include "study/alike.h"
#include "study/own_call.h"
#include "study/site_name.h"
#include "study/site_path.h"
#include "text/allocate.h"
#include "text/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEDGER_METRIC(name, metric, figure) [LEDGER_##name] = METRIC_##metric,
#define LEDGER_FIGURE(name, metric, figure) [LEDGER_##name] = SITE_##figure,
const enum metric ledger_metrics[LEDGER_FIGURE_COUNT] = {LEDGER_FIGURES(LEDGER_METRIC)};
static const enum site_figure site_figures[LEDGER_FIGURE_COUNT] = {LEDGER_FIGURES(LEDGER_FIGURE)};

bool ledger_figure_for(enum metric metric, enum ledger_figure *ret)
{
	static const struct {
		enum metric metric;
		enum ledger_figure figure;
	} others[] = {
		{METRIC_FREE_COUNT, LEDGER_COUNT},
		{METRIC_FREE_BYTES, LEDGER_BYTES},
		{METRIC_LIVE_BLOCKS, LEDGER_LEAKED},
		{METRIC_LIVE_BYTES, LEDGER_LEAKED_BYTES},
		{METRIC_REALLOC_COUNT, LEDGER_MOVED},
		{METRIC_HEAP_COMMITTED, LEDGER_PEAK},
		{METRIC_HEAP_COMMITTED_PEAK, LEDGER_PEAK},
		{METRIC_RSS_NOW, LEDGER_PEAK},
		{METRIC_RSS_PEAK, LEDGER_PEAK},
	};

	for (unsigned i = 0; i < LEDGER_FIGURE_COUNT; i++)
		if (ledger_metrics[i] == metric) {
			*ret = (enum ledger_figure)i;
			return true;
		}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (others[i].metric == metric) {
			*ret = others[i].figure;
			return true;
		}
	return false;
}

/* --- making ---------------------------------------------------------------------------------------------- */

struct making {
	struct ledger *ledger;
	const struct recording *recording;
	const char *directory;
};

static const char *below(const char *directory, const char *path)
{
	size_t length = directory ? strlen(directory) : 0;
	bool is_below = length > 1 && strncmp(path, directory, length) == 0 && path[length] == '/';

	return is_below ? path + length + 1 : path;
}

static char *step_text(struct making *making, const struct sites *sites, const struct step *step)
{
	const struct call *call = step->call ? &step->call->call : NULL;
	const char *module = stacks_module(&sites->stacks, step->place);
	struct keep *keep = &making->ledger->keep;

	if (!call)
		return keep_text(keep, "stack not known");
	if (call->file && call->line)
		return keep_text(keep, "%s (%s:%u)", step->call->label,
				 below(making->directory, call->file), call->line);
	return keep_text(keep, "%s%s%s%s", step->call->label, module && call->function ? " (" : "",
			 module && call->function ? module : "",
			 module && call->function ? ")" : "");
}

static void set_stack(struct making *making, struct sites *sites, const struct site *site,
		      struct ledger_row *row)
{
	struct site_path path = {.list = NULL};

	site_path_find(sites, site, &path);
	const char **stack = keep_items(&making->ledger->keep, path.count, sizeof *stack);
	for (size_t i = 0; i < path.count; i++)
		stack[i] = step_text(making, sites, &path.list[i]);
	row->stack = stack;
	row->stack_count = path.count;
	site_path_free(&path);
}

static uint64_t hash_of(const struct site_naming *naming, struct sites *sites,
			const struct site *site)
{
	char *name = site_name(naming, sites, site);
	uint64_t hash = hash_text(0, name);

	free(name);
	return hash;
}

static void set_place(struct making *making, struct sites *sites, const struct site *site,
		      struct ledger_row *row)
{
	const struct own_call own = own_call_of(sites, site);
	const struct call *call = own.call ? &own.call->call : NULL;
	const struct module *module = sites->stacks.modules[own.module];
	struct keep *keep = &making->ledger->keep;

	row->function = keep_text(keep, "%s", call && call->function ? call->function : "");
	row->path = keep_text(keep, "%s",
			      call && call->file ? below(making->directory, call->file) : "");
	row->file = site_file_name(row->path);
	row->line = call ? call->line : 0;
	row->module = keep_text(keep, "%s", module && module->path ? module->path : "");
	row->is_program = site_is_program(making->recording, module);
	row->label = keep_text(keep, "%s", own.call ? own.call->label : "");
}

static struct ledger_row row_of(struct making *making, struct sites *sites, const struct site *site)
{
	struct site_naming naming = {.by_line = false, .recording = making->recording};
	struct ledger_row row = {.names = hash_of(&naming, sites, site)};

	naming.by_line = true;
	row.lines = hash_of(&naming, sites, site);
	set_place(making, sites, site, &row);
	set_stack(making, sites, site, &row);
	return row;
}

static int64_t whole(double value)
{
	return value <= 0 ? 0 : value < 0x1p62 ? llround(value) : INT64_MAX / 2;
}

static void add_site(struct making *making, struct sites *sites, const struct site *site,
		     bool is_leaked)
{
	struct ledger *ledger = making->ledger;
	struct ledger_row row = row_of(making, sites, site);

	for (unsigned i = 0; i < LEDGER_FIGURE_COUNT; i++) {
		bool is_of_leaks = i == LEDGER_LEAKED || i == LEDGER_LEAKED_BYTES;
		if (is_of_leaks == is_leaked)
			row.figure[i] = whole(site_value(&site->sums, site_figures[i]));
	}
	ledger->rows = allocate_more(ledger->rows, ledger->count, &ledger->room, sizeof row);
	ledger->rows[ledger->count++] = row;
}

/* --- order ----------------------------------------------------------------------------------------------- */

static int number_order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* A program may have been built under another name. */
static const char *module_of(const struct ledger_row *row)
{
	return row->is_program ? "" : site_file_name(row->module);
}

static int group_order(const struct ledger_row *a, const struct ledger_row *b)
{
	int order = strcmp(a->function, b->function);

	order = order ? order : strcmp(a->file, b->file);
	order = order ? order : strcmp(module_of(a), module_of(b));
	return order ? order : number_order(a->names, b->names);
}

static int row_order(const void *left, const void *right)
{
	const struct ledger_row *a = left, *b = right;
	int order = group_order(a, b);

	order = order ? order : number_order(a->line, b->line);
	return order ? order : number_order(a->lines, b->lines);
}

void ledger_sort(struct ledger *ledger)
{
	if (ledger->count)
		qsort(ledger->rows, ledger->count, sizeof *ledger->rows, row_order);
}

/* Rows that are the same become one. */
static void merge(struct ledger *ledger)
{
	size_t count = ledger->count;

	ledger_sort(ledger);
	for (size_t i = ledger->count = 0; i < count; i++) {
		struct ledger_row *row = &ledger->rows[i];
		struct ledger_row *last = ledger->count ? &ledger->rows[ledger->count - 1] : NULL;
		bool is_same = last && row_order(last, row) == 0;
		for (unsigned f = 0; is_same && f < LEDGER_FIGURE_COUNT; f++)
			last->figure[f] += row->figure[f];
		if (!is_same)
			ledger->rows[ledger->count++] = *row;
	}
}

static void merge_functions(struct ledger *ledger)
{
	ledger->by_function = true;
	for (size_t i = 0; i < ledger->count; i++)
		ledger->rows[i].names = ledger->rows[i].lines = 0;
	merge(ledger);
}

static int most_first(const void *left, const void *right)
{
	const struct ledger_row *a = left, *b = right;
	int order = number_order((uint64_t)b->figure[LEDGER_BYTES],
				 (uint64_t)a->figure[LEDGER_BYTES]);
	return order ? order : row_order(left, right);
}

void ledger_add(struct ledger *ledger, const struct recording *recording, struct sites *sites,
		bool is_leaked, const char *directory)
{
	struct making making = {ledger, recording, directory};

	sites_resolve(sites, sites->count);
	for (size_t i = 0; i < sites->count; i++)
		add_site(&making, sites, &sites->list[i], is_leaked);
}

void ledger_settle(struct ledger *ledger)
{
	merge(ledger);
	if (ledger->count > LEDGER_ROWS_MAX)
		merge_functions(ledger);
	if (ledger->count > LEDGER_ROWS_MAX) {
		qsort(ledger->rows, ledger->count, sizeof *ledger->rows, most_first);
		ledger->left_out = ledger->count - LEDGER_ROWS_MAX;
		ledger->count = LEDGER_ROWS_MAX;
		ledger_sort(ledger);
	}
}

void ledger_free(struct ledger *ledger)
{
	free(ledger->rows);
	keep_free(&ledger->keep);
}

/* --- comparing ------------------------------------------------------------------------------------------- */

struct comparing {
	enum ledger_figure figure;
	struct check_site *list;
	size_t count;
};

static enum diff_mark mark_of(const struct ledger_row *before, const struct ledger_row *after,
			      int64_t change)
{
	if (!before)
		return DIFF_MARK_NEW;
	if (!after)
		return DIFF_MARK_GONE;
	return change > 0 ? DIFF_MARK_GROWN : change < 0 ? DIFF_MARK_SHRUNK : DIFF_MARK_SAME;
}

static void put(struct comparing *to, const struct ledger_row *before,
		const struct ledger_row *after, bool has_before)
{
	int64_t was = before ? before->figure[to->figure] : 0;
	int64_t is = after ? after->figure[to->figure] : 0;
	const struct ledger_row *row = after ? after : before;

	if (was == is)
		return;
	to->list[to->count++] = (struct check_site){
		.mark = mark_of(was ? before : NULL, is ? after : NULL, is - was),
		.function = row->function,
		.label = row->label,
		.file = row->path ? row->path : row->file,
		.line = row->line,
		.module = row->module,
		.stack = row->stack,
		.stack_count = row->stack_count,
		.before = was,
		.after = is,
		.has_before = has_before,
	};
}

/* Rows of one group that are not paired yet. */
struct group {
	const struct ledger_row **rows;
	size_t count;
};

static void take_out(struct group *group, size_t index)
{
	memmove(&group->rows[index], &group->rows[index + 1],
		(group->count - index - 1) * sizeof *group->rows);
	group->count--;
}

/* Pairs those that `is_pair` says are one, in their order. */
static void pair(struct comparing *to, struct group *before, struct group *after,
		 bool (*is_pair)(const struct ledger_row *, const struct ledger_row *,
				 enum ledger_figure))
{
	for (size_t a = 0; a < after->count;) {
		size_t b = 0;
		while (b < before->count && !is_pair(before->rows[b], after->rows[a], to->figure))
			b++;
		if (b == before->count) {
			a++;
			continue;
		}
		put(to, before->rows[b], after->rows[a], true);
		take_out(before, b);
		take_out(after, a);
	}
}

static bool is_as_much(const struct ledger_row *a, const struct ledger_row *b,
		       enum ledger_figure figure)
{
	return a->figure[figure] == b->figure[figure];
}

static bool is_same_place(const struct ledger_row *a, const struct ledger_row *b,
			  enum ledger_figure figure)
{
	return a->lines == b->lines && a->line == b->line && is_as_much(a, b, figure);
}

static bool is_any(const struct ledger_row *a, const struct ledger_row *b, enum ledger_figure figure)
{
	(void)a;
	(void)b;
	(void)figure;
	return true;
}

static bool is_at_line(const struct ledger_row *a, const struct ledger_row *b,
		       enum ledger_figure figure)
{
	(void)figure;
	return a->lines == b->lines && a->line == b->line;
}

/*
 * Of the same names.  Lines move when a program is changed: what costs as much as before is taken to be the same first, and the
 * rest by its line, then by its order.  What is left over is new, or gone.
 */
static void compare_group(struct comparing *to, struct group *before, struct group *after)
{
	pair(to, before, after, is_same_place);
	pair(to, before, after, is_as_much);
	pair(to, before, after, is_at_line);
	pair(to, before, after, is_any);
	for (size_t i = 0; i < before->count; i++)
		put(to, before->rows[i], NULL, true);
	for (size_t i = 0; i < after->count; i++)
		put(to, NULL, after->rows[i], true);
}

static void gather(const struct ledger *ledger, size_t *at, const struct ledger_row *like,
		   struct group *ret)
{
	ret->count = 0;
	while (*at < ledger->count && group_order(&ledger->rows[*at], like) == 0)
		ret->rows[ret->count++] = &ledger->rows[(*at)++];
}

static const struct ledger_row *earlier(const struct ledger *before, size_t b,
					const struct ledger *after, size_t a)
{
	if (b == before->count)
		return &after->rows[a];
	if (a == after->count)
		return &before->rows[b];
	return group_order(&before->rows[b], &after->rows[a]) <= 0 ? &before->rows[b]
								   : &after->rows[a];
}

static void compare_all(struct comparing *to, const struct ledger *before,
			const struct ledger *after)
{
	struct group was = {allocate(before->count + 1, sizeof *was.rows), 0};
	struct group is = {allocate(after->count + 1, sizeof *is.rows), 0};

	for (size_t b = 0, a = 0; b < before->count || a < after->count;) {
		const struct ledger_row *like = earlier(before, b, after, a);
		gather(before, &b, like, &was);
		gather(after, &a, like, &is);
		compare_group(to, &was, &is);
	}
	free(was.rows);
	free(is.rows);
}

static int most_grown_first(const void *left, const void *right)
{
	const struct check_site *a = left, *b = right;
	int64_t more = (b->after - b->before) - (a->after - a->before);

	if (more)
		return more < 0 ? -1 : 1;
	return alike_order(a, b);
}

/* As coarse as the other one. */
static struct ledger coarse(const struct ledger *ledger)
{
	struct ledger copy = *ledger;

	copy.rows = allocate(ledger->count + 1, sizeof *copy.rows);
	memcpy(copy.rows, ledger->rows, ledger->count * sizeof *copy.rows);
	merge_functions(&copy);
	return copy;
}

struct check_site *ledger_compare(const struct ledger *before, const struct ledger *after,
				  enum ledger_figure figure, struct keep *keep, size_t *ret_count)
{
	size_t most = after->count + (before ? before->count : 0);
	struct comparing to = {figure, keep_items(keep, most, sizeof *to.list), 0};
	struct ledger copy = {.rows = NULL};

	if (before && before->by_function != after->by_function) {
		copy = coarse(before->by_function ? after : before);
		before = before->by_function ? before : &copy;
		after = before == &copy ? after : &copy;
	}
	for (size_t i = 0; !before && i < after->count; i++)
		put(&to, NULL, &after->rows[i], false);
	if (before)
		compare_all(&to, before, after);
	free(copy.rows);
	to.count = alike_join(to.list, to.count);
	if (to.count)
		qsort(to.list, to.count, sizeof *to.list, most_grown_first);
	*ret_count = to.count;
	return to.list;
}
