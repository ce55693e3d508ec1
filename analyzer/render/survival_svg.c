/* SPDX-License-Identifier: MIT */
/* survival_svg.c: the survival curve as a picture that needs nothing else. */
#include "render/command.h"
#include "render/survival.h"
#include "render/words.h"
#include "render/xml.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	WIDTH = 960,
	HEIGHT = 520,
	LEFT = 70,
	RIGHT = 660,
	TOP = 60,
	BOTTOM = 440,
	LEGEND_X = 690,
	LEGEND_STEP = 20,
	PHASES_MAX = 12,
	TITLE_COLUMNS = 90,
	NAME_COLUMNS = 24,
};

/* Told apart by those who see few colours, too. */
static const char *const phase_colours[] = {"#e69f00", "#009e73", "#cc79a7",
					    "#56b4e9", "#f0c000", "#7f7f7f"};
enum { PHASE_COLOUR_COUNT = sizeof phase_colours / sizeof *phase_colours };

/* Doublings of age + 1; between two of them evenly. */
static double doublings(uint64_t value)
{
	unsigned whole = 63 - (unsigned)__builtin_clzll(value | 1);
	return whole + (double)value / (double)(UINT64_C(1) << whole) - 1;
}

/* Births stand one step before age 0. */
static double x_of(uint32_t age, double last)
{
	return LEFT + (RIGHT - LEFT) * (1 + doublings((uint64_t)age + 1)) / (1 + last);
}

static double y_of(uint64_t part, uint64_t whole)
{
	double share = whole ? (double)part / (double)whole : 0;
	return BOTTOM - (BOTTOM - TOP) * (share < 1 ? share : 1);
}

static void put_line(struct sink *sink, double x1, double y1, double x2, double y2,
		     const char *style)
{
	sink_print(sink, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2,
		   y2, style);
}

static void put_shares(struct sink *sink)
{
	for (int share = 0; share <= 100; share += 20) {
		double y = BOTTOM - (BOTTOM - TOP) * share / 100.0;
		put_line(sink, LEFT, y, RIGHT, y, "stroke=\"#ddd\"");
		sink_print(sink, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d %%</text>\n",
			   LEFT - 8, y + 4, share);
	}
}

static void put_tick(double x, const char *text, struct sink *sink)
{
	put_line(sink, x, BOTTOM, x, BOTTOM + 5, "stroke=\"#333\"");
	sink_print(sink, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x,
		   BOTTOM + 20, text);
}

static void put_ages(const struct curve *curve, double last, struct sink *sink)
{
	char text[16];

	put_tick(LEFT, "born", sink);
	for (size_t i = 0; i < curve->count; i++) {
		snprintf(text, sizeof text, "%u", curve->points[i].age);
		put_tick(x_of(curve->points[i].age, last), text, sink);
	}
}

static void put_axes(const struct study *study, double last, struct sink *sink)
{
	const struct generations *generations = &study->total.generations;

	put_shares(sink);
	put_ages(&study->total.curve, last, sink);
	put_line(sink, LEFT, BOTTOM, RIGHT, BOTTOM, "stroke=\"#333\"");
	put_line(sink, LEFT, TOP, LEFT, BOTTOM, "stroke=\"#333\"");
	sink_print(sink, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">age in epochs",
		   (LEFT + RIGHT) / 2, BOTTOM + 45);
	if (!generations->clocks_differ)
		sink_print(sink, " of %s", words_epoch(generations).text);
	sink_print(sink,
		   "</text>\n<text x=\"18\" y=\"%d\" text-anchor=\"middle\" "
		   "transform=\"rotate(-90 18 %d)\">share that outlived the age</text>\n",
		   (TOP + BOTTOM) / 2, (TOP + BOTTOM) / 2);
}

static void put_curve(const struct curve *curve, bool in_bytes, double last, const char *style,
		      struct sink *sink)
{
	uint64_t whole = in_bytes ? curve->born_bytes : curve->born;

	sink_print(sink, "<polyline fill=\"none\" %s points=\"%d,%d", style, LEFT, TOP);
	for (size_t i = 0; i < curve->count; i++) {
		const struct curve_point *point = &curve->points[i];
		double x = x_of(point->age, last);
		if (x <= RIGHT + 0.5)
			sink_print(sink, " %.1f,%.1f", x,
				   y_of(in_bytes ? point->bytes : point->blocks, whole));
	}
	sink_print(sink, "\"/>\n");
}

static void put_legend(unsigned row, const char *style, const char *text, size_t column_max,
		       struct sink *sink)
{
	double y = TOP + 10 + (double)row * LEGEND_STEP;

	put_line(sink, LEGEND_X, y, LEGEND_X + 28, y, style);
	sink_print(sink, "<text x=\"%d\" y=\"%.1f\">", LEGEND_X + 36, y + 4);
	xml_put(text, column_max, sink);
	sink_print(sink, "</text>\n");
}

static void put_caption(unsigned row, const char *text, struct sink *sink)
{
	sink_print(sink, "<text x=\"%d\" y=\"%.1f\" fill=\"#555\">%s</text>\n", LEGEND_X,
		   TOP + 14 + (double)row * LEGEND_STEP, text);
}

static void put_phases(const struct phases *phases, double last, unsigned row, struct sink *sink)
{
	char style[96];
	unsigned shown = 0;

	if (!phases->count)
		return;
	put_caption(row++, "of the blocks that died in a phase:", sink);
	for (size_t i = 0; i < phases->count && shown < PHASES_MAX; i++) {
		const struct phase *phase = &phases->list[i];
		if (!phase->deaths.count)
			continue;
		snprintf(style, sizeof style, "stroke=\"%s\" stroke-width=\"1.5\"%s",
			 phase_colours[shown % PHASE_COLOUR_COUNT],
			 shown < PHASE_COLOUR_COUNT ? "" : " stroke-dasharray=\"3 3\"");
		put_curve(&phase->deaths, false, last, style, sink);
		put_legend(row++, style, phase->name ? phase->name : "(start)", NAME_COLUMNS, sink);
		shown++;
	}
	if (shown == PHASES_MAX && phases->count > PHASES_MAX)
		put_caption(row, "later phases are left out", sink);
}

static void put_opening(const struct study *study, struct sink *sink)
{
	char *command = command_of_all(study);

	sink_print(sink,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		   "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"13\">\n"
		   "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
		   "<text x=\"%d\" y=\"30\" font-size=\"16\">Survival: ",
		   WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT);
	xml_put(command, TITLE_COLUMNS, sink);
	sink_print(sink, "</text>\n");
	free(command);
}

void survival_svg(const struct study *study, struct sink *sink)
{
	static const char of_blocks[] = "stroke=\"#0072b2\" stroke-width=\"2.5\"";
	static const char of_bytes[] = "stroke=\"#d55e00\" stroke-width=\"2.5\" stroke-dasharray=\"8 4\"";
	const struct curve *curve = &study->total.curve;
	double last = doublings((uint64_t)curve->points[curve->count - 1].age + 1);

	put_opening(study, sink);
	put_axes(study, last, sink);
	put_curve(curve, false, last, of_blocks, sink);
	put_curve(curve, true, last, of_bytes, sink);
	put_caption(0, "of all that was born:", sink);
	put_legend(1, of_blocks, "blocks", 0, sink);
	put_legend(2, of_bytes, "bytes", 0, sink);
	put_phases(&study->total.phases, last, 4, sink);
	sink_print(sink,
		   "<text x=\"%d\" y=\"%d\" fill=\"#555\">What still lives counts as having outlived "
		   "each age.</text>\n</svg>\n",
		   LEFT, HEIGHT - 12);
}
