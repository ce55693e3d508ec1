/* SPDX-License-Identifier: MIT */
/*
 * chart.h: what pictures have in common: a title, lines, a legend; those of survival also axes, ages in
 * doublings.
 */
#ifndef POOLMEM_RENDER_CHART_H
#define POOLMEM_RENDER_CHART_H

#include "study/study.h"
#include "text/sink.h"

enum { CHART_LEFT = 70, CHART_RIGHT = 660, CHART_TOP = 60, CHART_BOTTOM = 440 };

/* Ages reach as far as that one: in doublings of age + 1. */
double chart_last(uint32_t age);

/* Births stand one step before age 0. */
double chart_x(uint32_t age, double last);
double chart_y(double share);

/* what: "Survival". */
void chart_begin(const struct study *study, const char *what, struct sink *sink);
void chart_begin_titled(const char *what, const char *command, struct sink *sink);
void chart_axes(const struct study *study, const uint32_t *ages, size_t age_count,
		struct sink *sink);
void chart_legend(unsigned row, const char *style, const char *text, size_t column_max,
		  struct sink *sink);
void chart_line(double x1, double y1, double x2, double y2, const char *style, struct sink *sink);
void chart_tick(double x, const char *text, struct sink *sink); /* below the chart */
void chart_height(double y, const char *text,
		  struct sink *sink); /* a line of the grid, and what it stands for */
void chart_frame(const char *across,
		 struct sink *sink); /* both axes, and what goes along the lower one */
void chart_caption(unsigned row, const char *text, struct sink *sink);

/* With a last line of words. */
void chart_end(const char *words, struct sink *sink);

#endif
