/* SPDX-License-Identifier: MIT */
/* leak.c: see leak.h. */
#include "study/leak.h"

#include "model/saturate.h"

static void raise_least(struct metrics *metrics, enum metric which, uint64_t kept)
{
	struct known *value = &metrics->value[which];
	struct metric_bound *bound = &metrics->bound[which];

	if (!bound->is_known || (int64_t)kept <= value->value)
		return;
	value->value = (int64_t)kept < bound->at_most ? (int64_t)kept : bound->at_most;
	*bound = (struct metric_bound){value->value != bound->at_most, value->value, bound->at_most};
}

/* Nobody kept what they had live: of all that they were handed, what their frees do not account for. */
static void set_departed(struct metrics *metrics, enum metric which, uint64_t kept,
			 enum metric allocated)
{
	int64_t most = metrics->value[allocated].value;

	metrics->value[which] = (struct known){true, (int64_t)kept};
	metrics->bound[which] = (struct metric_bound){(int64_t)kept != most, (int64_t)kept, most};
}

void leak_by_class(const struct process *process, struct metrics *metrics)
{
	uint64_t kept = 0, kept_bytes = 0;

	for (uint32_t c = 0; c < process->layout->class_count; c++) {
		struct class_row row = class_row_for(process, c);
		kept = sum(kept, row.kept);
		kept_bytes = sum(kept_bytes, row.kept_bytes);
	}
	if (process->kind == PROCESS_DEPARTED) {
		set_departed(metrics, METRIC_LEAK_BLOCKS, kept, METRIC_ALLOC_COUNT);
		set_departed(metrics, METRIC_LEAK_BYTES, kept_bytes, METRIC_ALLOC_BYTES);
		return;
	}
	raise_least(metrics, METRIC_LEAK_BLOCKS, kept);
	raise_least(metrics, METRIC_LEAK_BYTES, kept_bytes);
}
