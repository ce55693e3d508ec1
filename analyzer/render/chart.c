/* SPDX-License-Identifier: MIT */
/* chart.c: see chart.h. */
#include "render/chart.h"

#include "render/command.h"
#include "render/words.h"
#include "render/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WIDTH = 960,
	HEIGHT = 520,
	LEGEND_X = 690,
	LEGEND_STEP = 20,
	TITLE_COLUMNS = 98,
	WHAT_COLUMNS = 50
};

/* Doublings of age + 1; between two of them evenly. */
static double doublings(uint64_t value)
{
	unsigned whole = 63 - (unsigned)__builtin_clzll(value | 1);
	return whole + (double)value / (double)(UINT64_C(1) << whole) - 1;
}

double chart_last(uint32_t age)
{
	return doublings((uint64_t)age + 1);
}

double chart_x(uint32_t age, double last)
{
	return CHART_LEFT + (CHART_RIGHT - CHART_LEFT) * (1 + chart_last(age)) / (1 + last);
}

double chart_y(double share)
{
	return CHART_BOTTOM - (CHART_BOTTOM - CHART_TOP) * (share < 1 ? share : 1);
}

void chart_line(double x1, double y1, double x2, double y2, const char *style, struct sink *sink)
{
	sink_print(sink, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2,
		   y2, style);
}

static void put_shares(struct sink *sink)
{
	for (int share = 0; share <= 100; share += 20) {
		double y = CHART_BOTTOM - (CHART_BOTTOM - CHART_TOP) * share / 100.0;
		chart_line(CHART_LEFT, y, CHART_RIGHT, y, "stroke=\"#ddd\"", sink);
		sink_print(sink, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d %%</text>\n",
			   CHART_LEFT - 8, y + 4, share);
	}
}

void chart_tick(double x, const char *text, struct sink *sink)
{
	chart_line(x, CHART_BOTTOM, x, CHART_BOTTOM + 5, "stroke=\"#333\"", sink);
	sink_print(sink, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x,
		   CHART_BOTTOM + 20, text);
}

void chart_height(double y, const char *text, struct sink *sink)
{
	chart_line(CHART_LEFT, y, CHART_RIGHT, y, "stroke=\"#ddd\"", sink);
	sink_print(sink,
		   "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" font-size=\"11\">%s</text>\n",
		   CHART_LEFT - 6, y + 4, text);
}

void chart_frame(const char *across, struct sink *sink)
{
	sink_print(sink, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
		   (CHART_LEFT + CHART_RIGHT) / 2, CHART_BOTTOM + 45, across);
	chart_line(CHART_LEFT, CHART_BOTTOM, CHART_RIGHT, CHART_BOTTOM, "stroke=\"#333\"", sink);
	chart_line(CHART_LEFT, CHART_TOP, CHART_LEFT, CHART_BOTTOM, "stroke=\"#333\"", sink);
}

static void put_ages(const uint32_t *ages, size_t count, struct sink *sink)
{
	double last = chart_last(ages[count - 1]);
	char text[16];

	chart_tick(CHART_LEFT, "born", sink);
	for (size_t i = 0; i < count; i++) {
		snprintf(text, sizeof text, "%u", ages[i]);
		chart_tick(chart_x(ages[i], last), text, sink);
	}
}

void chart_axes(const struct study *study, const uint32_t *ages, size_t age_count, struct sink *sink)
{
	const struct generations *generations = &study->total.generations;
	const int middle = (CHART_TOP + CHART_BOTTOM) / 2;

	put_shares(sink);
	put_ages(ages, age_count, sink);
	chart_line(CHART_LEFT, CHART_BOTTOM, CHART_RIGHT, CHART_BOTTOM, "stroke=\"#333\"", sink);
	chart_line(CHART_LEFT, CHART_TOP, CHART_LEFT, CHART_BOTTOM, "stroke=\"#333\"", sink);
	sink_print(sink, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">age in epochs",
		   (CHART_LEFT + CHART_RIGHT) / 2, CHART_BOTTOM + 45);
	if (!generations->clocks_differ)
		sink_print(sink, " of %s", words_epoch(generations).text);
	sink_print(sink,
		   "</text>\n<text x=\"18\" y=\"%d\" text-anchor=\"middle\" "
		   "transform=\"rotate(-90 18 %d)\">share that outlived the age</text>\n",
		   middle, middle);
}

void chart_legend(unsigned row, const char *style, const char *text, size_t column_max,
		  struct sink *sink)
{
	double y = CHART_TOP + 10 + (double)row * LEGEND_STEP;

	chart_line(LEGEND_X, y, LEGEND_X + 28, y, style, sink);
	sink_print(sink, "<text x=\"%d\" y=\"%.1f\">", LEGEND_X + 36, y + 4);
	xml_put(text, column_max, sink);
	sink_print(sink, "</text>\n");
}

void chart_caption(unsigned row, const char *text, struct sink *sink)
{
	sink_print(sink, "<text x=\"%d\" y=\"%.1f\" fill=\"#555\">%s</text>\n", LEGEND_X,
		   CHART_TOP + 14 + (double)row * LEGEND_STEP, text);
}

/* What has a colour of its own keeps it on a dark page; paper, text, axes and grey areas are those of the page. */
void chart_begin(const struct study *study, const char *what, struct sink *sink)
{
	char *command = command_of_all(study);

	chart_begin_titled(what, command, sink);
	free(command);
}

void chart_begin_titled(const char *what, const char *command, struct sink *sink)
{
	size_t used = strlen(what) < WHAT_COLUMNS ? strlen(what) : WHAT_COLUMNS;

	sink_print(sink,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		   "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"13\">\n"
		   "<style>.b{fill:#fff}@media (prefers-color-scheme:dark){.b{fill:#16181c}"
		   "text:not([fill]){fill:#ddd}[fill=\"#555\"]{fill:#a8acb0}"
		   "[stroke=\"#ddd\"]{stroke:#3a3d42}[stroke=\"#333\"]{stroke:#bbb}"
		   "[stroke=\"#000000\"]{stroke:#f0f0f0}"
		   "[fill=\"#d9d9d9\"]{fill:#6b6f75}[stroke=\"#d9d9d9\"]{stroke:#6b6f75}}</style>\n"
		   "<rect class=\"b\" width=\"100%%\" height=\"100%%\"/>\n"
		   "<text x=\"%d\" y=\"30\" font-size=\"16\">",
		   WIDTH, HEIGHT, WIDTH, HEIGHT, CHART_LEFT);
	xml_put(what, WHAT_COLUMNS, sink);
	sink_print(sink, ": ");
	xml_put(command, TITLE_COLUMNS - used, sink);
	sink_print(sink, "</text>\n");
}

void chart_end(const char *words, struct sink *sink)
{
	sink_print(sink, "<text x=\"%d\" y=\"%d\" fill=\"#555\">%s</text>\n</svg>\n", CHART_LEFT,
		   HEIGHT - 12, words);
}
