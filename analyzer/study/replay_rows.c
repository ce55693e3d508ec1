/* SPDX-License-Identifier: MIT */
/* replay_rows.c: see replay_rows.h. */
#include "study/replay_rows.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
	const uint64_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

/* Figures stand one behind the other in the struct. */
_Static_assert(sizeof(struct script_result) % sizeof(uint64_t) == 0, "figures of 64 bits");

static void sorted(const struct replay_row *row, size_t figure, uint64_t ret[REPLAY_RUNS_MAX])
{
	for (size_t i = 0; i < row->run_count; i++)
		ret[i] = ((const uint64_t *)&row->run[i])[figure];
	qsort(ret, row->run_count, sizeof *ret, by_value);
}

void replay_row_sum_up(struct replay_row *row)
{
	uint64_t values[REPLAY_RUNS_MAX];

	if (!row->run_count)
		return;
	for (size_t figure = 0; figure < sizeof row->median / sizeof(uint64_t); figure++) {
		sorted(row, figure, values);
		((uint64_t *)&row->median)[figure] = values[(row->run_count - 1) / 2];
	}
	sorted(row, offsetof(struct script_result, calls_ns) / sizeof(uint64_t), values);
	if (row->median.calls_ns)
		row->calls_spread = (double)(values[row->run_count - 1] - values[0]) /
				    (double)row->median.calls_ns;
}
