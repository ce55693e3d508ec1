/* SPDX-License-Identifier: MIT */
/* site_survival_svg.c: the survival of a site's blocks as a picture that needs nothing else. */
#include "render/chart.h"
#include "render/site_survival.h"
#include "render/sites.h"

#include <stdlib.h>

static void put_point(uint32_t age, double share, double last, struct sink *sink)
{
	sink_print(sink, " %.1f,%.1f", chart_x(age, last), chart_y(share));
}

static void put_curve(const struct kaplan_meier *curve, bool is_highest, const char *style,
		      double last, struct sink *sink)
{
	sink_print(sink, "<polyline fill=\"none\" %s points=\"%d,%d", style, CHART_LEFT, CHART_TOP);
	for (size_t i = 0; i < curve->count; i++) {
		const struct survivors_at *point = &curve->points[i];
		put_point(point->age, is_highest ? point->at_most : point->at_least, last, sink);
	}
	sink_print(sink, "\"/>\n");
}

/* There along the upper edge, back along the lower. */
static void put_band(const struct kaplan_meier *curve, double last, struct sink *sink)
{
	sink_print(sink, "<polygon fill=\"#0072b2\" fill-opacity=\"0.15\" points=\"%d,%d",
		   CHART_LEFT, CHART_TOP);
	for (size_t i = 0; i < curve->count; i++)
		put_point(curve->points[i].age, curve->points[i].band.high, last, sink);
	for (size_t i = curve->count; i--;)
		put_point(curve->points[i].age, curve->points[i].band.low, last, sink);
	sink_print(sink, "\"/>\n");
}

void site_survival_svg(const struct study *study, struct sites *sites,
		       const struct site_survival *survival, struct sink *sink)
{
	static const char highest[] = "stroke=\"#0072b2\" stroke-width=\"2.5\"";
	static const char lowest[] = "stroke=\"#d55e00\" stroke-width=\"2.5\" stroke-dasharray=\"8 4\"";
	static const char band[] = "stroke=\"#0072b2\" stroke-opacity=\"0.15\" stroke-width=\"12\"";
	const struct kaplan_meier *curve = &survival->curve;
	double last = chart_last(curve->points[curve->count - 1].age);
	char *name = sites_name(site_location(sites, &sites->list[0]));
	uint32_t ages[AGE_COLUMNS];

	for (size_t i = 0; i < curve->count; i++)
		ages[i] = curve->points[i].age;
	chart_begin(study, name, sink);
	chart_axes(study, ages, curve->count, sink);
	put_band(curve, last, sink);
	put_curve(curve, false, lowest, last, sink);
	put_curve(curve, true, highest, last, sink);
	chart_caption(0, "of the blocks of these call sites:", sink);
	chart_legend(1, highest, "at most", 0, sink);
	chart_legend(2, lowest, "at least", 0, sink);
	chart_legend(3, band, "by chance, in 95 of 100 cases", 0, sink);
	chart_end("Between the lines: for all ages that the blocks which live may have.", sink);
	free(name);
}
