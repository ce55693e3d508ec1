/* SPDX-License-Identifier: MIT */
/*
 * export_openmetrics.c: the metrics of each process, and of the sites that hold most, as OpenMetrics text.
 *
 * A family is called as the metric is, dots made underscores; with its unit behind the name, times in seconds.  No
 * series appears twice: processes of one pid and one program are told apart by `nth`, sites of one name are added up.
 */
#include "render/export.h"
#include "render/openmetrics.h"
#include "render/sites.h"
#include "text/allocate.h"
#include "text/escape.h"
#include "text/intern.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SITES_DEFAULT = 20, NAME_COLUMNS = 200, OTHERS = 0 };

/* --- processes ------------------------------------------------------------------------------------------- */

static const char *exe_of(const struct study *study, size_t number)
{
	const char *exe = facts_of(study->recording, study->processes[number].process)->exe;
	return exe ? exe : "";
}

/* Which one it is of those with this pid and this program, from 1. */
static size_t nth_of(const struct study *study, size_t number)
{
	uint32_t pid = study->processes[number].process->record.pid;
	size_t nth = 1;

	for (size_t i = 0; i < number; i++)
		nth += study->processes[i].process->record.pid == pid &&
		       strcmp(exe_of(study, i), exe_of(study, number)) == 0;
	return nth;
}

static void put_metric(const struct study *study, enum metric which, const size_t *nth,
		       struct sink *sink)
{
	char family[OPENMETRICS_NAME_BYTES];
	bool has_head = false;

	openmetrics_family(which, family);
	for (size_t i = 0; i < study->process_count; i++) {
		const struct process_study *process = &study->processes[i];
		const struct known *known = &process->figures.metrics.value[which];
		if (!known->is_known)
			continue;
		if (!has_head)
			openmetrics_head_of(which, sink);
		has_head = true;
		sink_print(sink, "%s{pid=\"%u\",exe=\"", family, process->process->record.pid);
		openmetrics_escaped(exe_of(study, i), sink);
		if (nth[i] > 1)
			sink_print(sink, "\",nth=\"%zu", nth[i]);
		sink_print(sink, "\"} ");
		openmetrics_value(metric_units[which], known->value, sink);
	}
}

static void put_metrics(const struct study *study, struct sink *sink)
{
	size_t *nth = allocate(study->process_count, sizeof *nth);

	for (size_t i = 0; i < study->process_count; i++)
		nth[i] = nth_of(study, i);
	for (enum metric which = 0; which < METRIC_COUNT; which++)
		put_metric(study, which, nth, sink);
	free(nth);
}

/* --- sites ----------------------------------------------------------------------------------------------- */

struct holder {
	const char *name;
	double bytes;
};

struct holders {
	struct interned names; /* first that of all others */
	struct holder *list;
	size_t room;
};

static void add_site(struct holders *holders, struct sites *sites, const struct site *site)
{
	char *name = sites_name(site_location(sites, site)), *shown = export_text(name);

	text_cut(shown, NAME_COLUMNS);
	uint32_t number = intern(&holders->names, shown);
	holders->list = allocate_more(holders->list, number, &holders->room, sizeof *holders->list);
	holders->list[number].bytes += site_value(&site->sums, SITE_LIVE_BYTES);
	free(shown);
	free(name);
}

static int most_first(const void *left, const void *right)
{
	const struct holder *a = left, *b = right;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return strcmp(a->name, b->name);
}

static void put_holder(const char *family, const struct holder *holder, struct sink *sink)
{
	if (!sites_whole(holder->bytes))
		return;
	sink_print(sink, "%s{site=\"", family);
	openmetrics_escaped(holder->name, sink);
	sink_print(sink, "\"} %" PRIu64 "\n", sites_whole(holder->bytes));
}

static void put_holders(struct holders *holders, size_t most, struct sink *sink)
{
	static const char family[] = "poolmem_site_live_bytes";
	struct holder *list = holders->list;
	size_t count = holders->names.count;

	for (size_t i = 0; i < count; i++)
		list[i].name = holders->names.list[i];
	qsort(list + 1, count - 1, sizeof *list, most_first);
	for (size_t i = most + 1; i < count; i++)
		list[OTHERS].bytes += list[i].bytes;
	for (size_t i = 1; i < count && i <= most; i++)
		put_holder(family, &list[i], sink);
	put_holder(family, &list[OTHERS], sink);
}

static void put_sites(const struct export *export, struct sink *sink)
{
	struct holders holders = {.room = 0};
	struct sites *sites = export->sites;
	char *comment = export_comment(sites), help[400];

	intern(&holders.names, "(others)");
	holders.list = allocate_more(NULL, 0, &holders.room, sizeof *holders.list);
	for (size_t i = 0; i < sites->count; i++)
		add_site(&holders, sites, &sites->list[i]);
	snprintf(help, sizeof help, "usable bytes live by call site (%s)", comment);
	openmetrics_head("poolmem_site_live_bytes", "gauge", "bytes", help, sink);
	put_holders(&holders, export->row_max ? export->row_max : SITES_DEFAULT, sink);
	interned_free(&holders.names);
	free(holders.list);
	free(comment);
}

bool export_openmetrics(const struct export *export, struct sink *sink, struct failure *why)
{
	(void)why;
	put_metrics(export->study, sink);
	if (export->sites->count)
		put_sites(export, sink);
	sink_print(sink, "# EOF\n");
	return true;
}
