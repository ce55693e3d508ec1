/* SPDX-License-Identifier: MIT */
/* site_survival.c: the survival of a site's blocks as text and as JSON. */
#include "render/site_survival.h"

#include "render/glance.h"
#include "render/json.h"
#include "render/sites.h"
#include "render/tables.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <math.h>
#include <stdlib.h>

enum { BAR_COLUMNS = 20 };

static struct number share_of(double share)
{
	const double parts = 1e6;
	return number_share((uint64_t)llround(fmin(fmax(share, 0), 1) * parts), (uint64_t)parts);
}

static struct number part_of(double part, double whole)
{
	return share_of(whole > 0 ? part / whole : 0);
}

static struct number blocks(double count)
{
	return number_of(sites_whole(count), "block");
}

/* --- words ------------------------------------------------------------------------------------------------ */

static void say_sites(struct sites *sites, const struct site_survival *survival, struct sink *sink)
{
	char *name = sites_name(site_location(sites, &sites->list[0]));

	paragraph_begin_indented(sink);
	if (survival->stacks == 1)
		sink_print(sink, "One call site: ");
	else
		sink_print(sink, "%s call sites taken together, first of them ",
			   number_count(survival->stacks).text);
	sink_name(sink, name, 0);
	free(name);
	sink_print(sink, ".\n");
}

static void say_recording(const struct study *study, const struct sites *sites,
			  const struct site_survival *survival, struct sink *sink)
{
	const struct generations *generations = &study->total.generations;

	paragraph_begin_indented(sink);
	if (sites->period_max > 1)
		sink_print(sink, "%s recorded, which stand for about %s",
			   blocks(survival->ages.recorded).text,
			   number_count(sites_whole(survival->born)).text);
	else
		sink_print(sink, "%s, each of them recorded", blocks(survival->born).text);
	sink_print(sink, "; %s ended", number_of(survival->ages.epochs, "epoch").text);
	if (!generations->clocks_differ)
		sink_print(sink, " (%s long)", words_epoch(generations).text);
	sink_print(sink, ".\n");
}

static void say_verdict(const struct site_survival *survival, struct sink *sink)
{
	paragraph_begin_indented(sink);
	sink_print(sink, "Verdict: %s. %s died in the epoch of their birth, %s live.\n",
		   verdict_sentences[survival->verdict],
		   part_of(survival->died_young, survival->born).text,
		   part_of(survival->live, survival->born).text);
}

/* --- table ------------------------------------------------------------------------------------------------ */

static void put_point(struct table *table, const struct survivors_at *point)
{
	table_cell(table, number_count(point->age).text);
	table_cell(table, share_of(point->at_least).text);
	table_cell(table, share_of(point->at_most).text);
	table_cell(table, share_of(point->band.low).text);
	table_cell(table, share_of(point->band.high).text);
	table_cell_of_part(table, point->at_most, 1, BAR_COLUMNS);
}

static void put_curve(const struct kaplan_meier *curve, struct sink *sink)
{
	static const struct column columns[] = {
		{"age in epochs", COLUMN_NUMBER, 0},
		{"older: at least", COLUMN_NUMBER, 0},
		{"at most", COLUMN_NUMBER, 0},
		{"95 %: from", COLUMN_NUMBER, 0},
		{"to", COLUMN_NUMBER, 0},
		{"", COLUMN_TEXT, 0},
	};
	struct table table;

	table_title(sink, "Survival: which share outlives an age (Kaplan-Meier)", 0, 0);
	table_legend(sink, "at least, at most: for all ages that the blocks which live may have; "
			   "from, to: where these may lie by chance");
	table_begin(&table, columns, sizeof columns / sizeof *columns);
	for (size_t i = 0; i < curve->count; i++)
		put_point(&table, &curve->points[i]);
	table_end(&table, sink);
}

void site_survival_text(const struct study *study, struct sites *sites,
			const struct site_survival *survival, struct sink *sink)
{
	glance_heading(study, sink);
	sink_print(sink, "\n");
	say_sites(sites, survival, sink);
	say_recording(study, sites, survival, sink);
	say_verdict(survival, sink);
	if (survival->curve.count) {
		put_curve(&survival->curve, sink);
	} else {
		paragraph_begin_indented(sink);
		sink_print(sink, "No age is known that blocks outlived: there is no curve.\n");
	}
	words_notes(&study->total.notes, sink);
}

/* --- JSON ------------------------------------------------------------------------------------------------- */

static json_t *curve_json(const struct kaplan_meier *curve)
{
	json_t *array = json_array();

	for (size_t i = 0; i < curve->count; i++) {
		const struct survivors_at *point = &curve->points[i];
		json_t *object = json_object();
		json_put(object, "age", json_count(point->age));
		json_put(object, "at_least", json_real(point->at_least));
		json_put(object, "at_most", json_real(point->at_most));
		json_put(object, "band_low", json_real(point->band.low));
		json_put(object, "band_high", json_real(point->band.high));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *site_json(const struct sites *sites, const struct site_survival *survival,
			 const char *expression)
{
	const struct site_ages *ages = &survival->ages;
	json_t *object = json_object();

	json_put(object, "expression", json_text(expression));
	json_put(object, "stacks", json_count(survival->stacks));
	json_put(object, "mode", json_text(sites->period_max > 1 ? "sample" : "all"));
	json_put(object, "recorded", json_count(sites_whole(ages->recorded)));
	json_put(object, "blocks", json_count(sites_whole(survival->born)));
	json_put(object, "died_young", json_count(sites_whole(survival->died_young)));
	json_put(object, "live", json_count(sites_whole(survival->live)));
	json_put(object, "live_young_at_most", json_count(sites_whole(ages->live_young.sum)));
	json_put(object, "epochs", json_count(ages->epochs));
	json_put(object, "verdict", json_text(verdict_keys[survival->verdict]));
	json_put(object, "curve", curve_json(&survival->curve));
	return object;
}

void site_survival_json(const struct study *study, const struct sites *sites,
			const struct site_survival *survival, const char *expression,
			struct sink *sink)
{
	json_t *document = json_object();

	json_put(document, "schema", json_integer(JSON_SCHEMA));
	json_put(document, "metrics", json_metrics(&study->total.metrics));
	json_put(document, "estimated", json_estimated(&study->total.metrics));
	json_put(document, "notes", json_notes(&study->total.notes));
	json_put(document, "site", site_json(sites, survival, expression));
	json_print(document, sink);
}
