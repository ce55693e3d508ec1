/* SPDX-License-Identifier: MIT */
/* survival_svg.c: the survival curve as a picture that needs nothing else. */
#include "render/chart.h"
#include "render/survival.h"
#include "text/allocate.h"

#include <stdio.h>
#include <stdlib.h>

enum { PHASES_MAX = 12, NAME_COLUMNS = 24 };

/* Told apart by those who see few colours, too. */
static const char *const phase_colours[] = {"#e69f00", "#009e73", "#cc79a7",
					    "#56b4e9", "#f0c000", "#7f7f7f"};
enum { PHASE_COLOUR_COUNT = sizeof phase_colours / sizeof *phase_colours };

static void put_curve(const struct curve *curve, bool in_bytes, double last, const char *style,
		      struct sink *sink)
{
	uint64_t whole = in_bytes ? curve->born_bytes : curve->born;

	sink_print(sink, "<polyline fill=\"none\" %s points=\"%d,%d", style, CHART_LEFT, CHART_TOP);
	for (size_t i = 0; i < curve->count; i++) {
		const struct curve_point *point = &curve->points[i];
		uint64_t part = in_bytes ? point->bytes : point->blocks;
		double x = chart_x(point->age, last);
		if (x <= CHART_RIGHT + 0.5)
			sink_print(sink, " %.1f,%.1f", x,
				   chart_y(whole ? (double)part / (double)whole : 0));
	}
	sink_print(sink, "\"/>\n");
}

static void put_phases(const struct phases *phases, double last, unsigned row, struct sink *sink)
{
	char style[96];
	unsigned shown = 0;

	if (!phases->count)
		return;
	chart_caption(row++, "of the blocks that died in a phase:", sink);
	for (size_t i = 0; i < phases->count && shown < PHASES_MAX; i++) {
		const struct phase *phase = &phases->list[i];
		if (!phase->deaths.count)
			continue;
		snprintf(style, sizeof style, "stroke=\"%s\" stroke-width=\"1.5\"%s",
			 phase_colours[shown % PHASE_COLOUR_COUNT],
			 shown < PHASE_COLOUR_COUNT ? "" : " stroke-dasharray=\"3 3\"");
		put_curve(&phase->deaths, false, last, style, sink);
		chart_legend(row++, style, phase->name ? phase->name : "(start)", NAME_COLUMNS,
			     sink);
		shown++;
	}
	if (shown == PHASES_MAX && phases->count > PHASES_MAX)
		chart_caption(row, "later phases are left out", sink);
}

static void put_axes(const struct study *study, const struct curve *curve, struct sink *sink)
{
	uint32_t *ages = allocate(curve->count, sizeof *ages);

	for (size_t i = 0; i < curve->count; i++)
		ages[i] = curve->points[i].age;
	chart_axes(study, ages, curve->count, sink);
	free(ages);
}

void survival_svg(const struct study *study, struct sink *sink)
{
	static const char of_blocks[] = "stroke=\"#0072b2\" stroke-width=\"2.5\"";
	static const char of_bytes[] = "stroke=\"#d55e00\" stroke-width=\"2.5\" stroke-dasharray=\"8 4\"";
	const struct curve *curve = &study->total.curve;
	double last = chart_last(curve->points[curve->count - 1].age);

	chart_begin(study, "Survival", sink);
	put_axes(study, curve, sink);
	put_curve(curve, false, last, of_blocks, sink);
	put_curve(curve, true, last, of_bytes, sink);
	chart_caption(0, "of all that was born:", sink);
	chart_legend(1, of_blocks, "blocks", 0, sink);
	chart_legend(2, of_bytes, "bytes", 0, sink);
	put_phases(&study->total.phases, last, 4, sink);
	chart_end("What still lives counts as having outlived each age.", sink);
}
