/* SPDX-License-Identifier: MIT */
/* curve.c: see curve.h. */
#include "study/curve.h"

#include "model/saturate.h"
#include "text/allocate.h"

#include <stdlib.h>

static uint64_t deaths_of(const struct age_row *row)
{
	return excess(row->died, row->lost);
}

static bool is_straddled(const struct age_row *rows, size_t row_count, uint32_t age)
{
	for (size_t i = 0; i < row_count; i++)
		if (deaths_of(&rows[i]) && rows[i].age_min <= age && rows[i].age_max > age)
			return true;
	return false;
}

static struct curve_point point_at(const struct age_row *rows, size_t row_count, uint32_t age,
				   const struct curve_point *born)
{
	struct curve_point point = {age, born->blocks, born->bytes};

	for (size_t i = 0; i < row_count; i++) {
		if (rows[i].age_max > age)
			continue;
		point.blocks = excess(point.blocks, deaths_of(&rows[i]));
		point.bytes = excess(point.bytes, excess(rows[i].died_bytes, rows[i].lost_bytes));
	}
	return point;
}

static bool has_point(const struct curve *curve, uint32_t age)
{
	for (size_t i = 0; i < curve->count; i++)
		if (curve->points[i].age == age)
			return true;
	return false;
}

static int by_age(const void *left, const void *right)
{
	const struct curve_point *a = left, *b = right;
	return (a->age > b->age) - (a->age < b->age);
}

void curve_make(const struct age_row *rows, size_t row_count, const struct curve_point *born,
		uint64_t age_max, struct curve *ret)
{
	struct curve curve = {.born = born->blocks, .born_bytes = born->bytes};

	curve.points = allocate(row_count, sizeof *curve.points);
	for (size_t i = 0; born->blocks && i < row_count; i++) {
		uint32_t age = rows[i].age_max;
		if (age < age_max && !has_point(&curve, age) && !is_straddled(rows, row_count, age))
			curve.points[curve.count++] = point_at(rows, row_count, age, born);
	}
	if (curve.count)
		qsort(curve.points, curve.count, sizeof *curve.points, by_age);
	*ret = curve;
}

void curve_of(const struct generations *generations, struct curve *ret)
{
	struct curve_point born = {0, generations->born, generations->born_bytes};
	uint64_t age_max = generations->age_max < UINT32_MAX ? generations->age_max : UINT32_MAX;

	curve_make(generations->rows, generations->count, &born, age_max, ret);
}

void curve_free(struct curve *curve)
{
	free(curve->points);
}
