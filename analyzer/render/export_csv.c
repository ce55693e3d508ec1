/* SPDX-License-Identifier: MIT */
/*
 * export_csv.c: a row for each site, as RFC 4180 has it.
 *
 * Names are in quotes.  One that a spreadsheet would take for a formula has an apostrophe before it.
 */
#include "render/export.h"
#include "render/sites.h"
#include "text/allocate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct cells {
	struct sites *sites;
	struct sink *sink;
	const struct named_call **calls; /* of one stack, innermost first */
	size_t room;
};

/* What stands between the quotes. */
static void put_escaped(const char *text, struct sink *sink)
{
	for (const char *at = text; *at; at++) {
		if (*at == '"')
			sink_bytes(sink, "\"", 1);
		sink_bytes(sink, at, 1);
	}
}

static bool is_formula(const char *text)
{
	return *text && strchr("=+-@", *text);
}

static void put_quoted(const char *text, struct sink *sink)
{
	char *shown = export_text(text);

	sink_print(sink, is_formula(shown) ? "\"'" : "\"");
	put_escaped(shown, sink);
	sink_print(sink, "\"");
	free(shown);
}

static void put_name(const char *text, struct sink *sink)
{
	put_quoted(text, sink);
	sink_print(sink, ",");
}

static void put_number(uint64_t number, struct sink *sink)
{
	sink_print(sink, "%" PRIu64 ",", number);
}

static size_t find_calls(struct cells *cells, const struct site *site)
{
	struct walk walk = {site->place, 0};
	const struct named_call *call;
	size_t count = 0;

	while ((call = walk_next(&cells->sites->stacks, &walk))) {
		cells->calls = allocate_more(cells->calls, count, &cells->room,
					     sizeof *cells->calls);
		cells->calls[count++] = call;
	}
	return count;
}

/* Outermost first, as in collapsed stacks.  Freed by the caller. */
static char *stack_text(struct cells *cells, const struct site *site)
{
	size_t count = find_calls(cells, site), bytes = 1;

	for (size_t i = 0; i < count; i++)
		bytes += strlen(cells->calls[i]->label) + 1;
	char *text = allocate(bytes, 1), *at = text;
	for (size_t i = count; i--;) {
		for (const char *from = cells->calls[i]->label; *from; from++)
			*at++ = *from == ';' ? ':' : *from;
		if (i)
			*at++ = ';';
	}
	return text;
}

/* --- columns --------------------------------------------------------------------------------------------- */

static void put_header(struct sink *sink)
{
#define COLUMN(name, key, meaning) key ","
	static const char header[] = "site,location,function,file,line,module,build_id," SITE_FIGURES(
		COLUMN) "estimated,live_bytes_at_least,live_bytes_at_most,stack\r\n";
#undef COLUMN

	sink_bytes(sink, header, strlen(header));
}

static void put_location(struct cells *cells, const struct site *site)
{
	struct stacks *stacks = &cells->sites->stacks;
	struct walk walk = site_origin(cells->sites, site);
	const struct module *module = stacks->modules[stacks->places[walk.place].module];
	const struct named_call *call = walk_next(stacks, &walk);
	char *name = sites_name(call);

	put_name(name, cells->sink);
	put_name(call ? call->call.function : NULL, cells->sink);
	put_name(call ? call->call.file : NULL, cells->sink);
	put_number(call ? call->call.line : 0, cells->sink);
	put_name(module ? module->path : NULL, cells->sink);
	put_name(module ? module->build_id : NULL, cells->sink);
	free(name);
}

static void put_figures(const struct site_sums *sums, struct sink *sink)
{
	struct interval live = site_interval(sums, SITE_LIVE_BYTES);

	for (enum site_figure which = 0; which < SITE_FIGURE_COUNT; which++)
		put_number(export_whole(sums, which), sink);
	put_number(site_is_estimated(sums, SITE_ALLOCATED), sink);
	put_number(sites_whole(live.low), sink);
	put_number(sites_whole(live.high), sink);
}

static void put_stack(struct cells *cells, const struct site *site)
{
	char *text = stack_text(cells, site);

	put_quoted(site->place ? text : export_unknown, cells->sink);
	sink_bytes(cells->sink, "\r\n", strlen("\r\n"));
	free(text);
}

bool export_csv(const struct export *export, struct sink *sink, struct failure *why)
{
	struct cells cells = {.sites = export->sites, .sink = sink};

	(void)why;
	put_header(sink);
	for (size_t i = 0; i < cells.sites->count; i++) {
		const struct site *site = &cells.sites->list[i];
		put_number(i + 1, sink);
		put_location(&cells, site);
		put_figures(&site->sums, sink);
		put_stack(&cells, site);
	}
	free(cells.calls);
	return true;
}
