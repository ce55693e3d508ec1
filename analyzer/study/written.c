/* SPDX-License-Identifier: MIT */
/* written.c: see written.h. */
#include "study/written.h"

#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

bool written_is_taken(const struct check_test *test, const struct trial *trial, bool is_ratchet)
{
	return trial->state == CHECK_PASSED && test->state != CHECK_UNRELIABLE &&
	       (!is_ratchet || test->state == CHECK_PASSED);
}

/* Returns how many there were. */
static size_t add_changes(struct check_written *written, const struct baseline_value *was,
			  size_t was_count, const struct baseline_test *is)
{
	size_t first = written->change_count;

	for (size_t i = 0; i < was_count; i++) {
		const struct baseline_value *value = baseline_value(is, was[i].subject);
		if (!value || value->median == was[i].median)
			continue;
		written->changes = allocate_more(written->changes, written->change_count,
						 &written->change_room, sizeof *written->changes);
		written->changes[written->change_count++] = (struct check_change){
			is->name, value->subject, was[i].median, value->median};
	}
	return written->change_count - first;
}

void written_take(struct check *check, struct trial *trial, struct baseline *baseline,
		  bool is_ratchet)
{
	struct check_written *written = &check->written;
	const char *name = trial->test->name;
	const struct baseline_test *before = baseline_find(baseline, name);
	size_t count = before ? before->value_count : 0;
	struct baseline_value *was = allocate(count + 1, sizeof *was);

	if (count)
		memcpy(was, before->values, count * sizeof *was);
	trial_to_baseline(trial, baseline, is_ratchet);
	size_t changed = add_changes(written, was, count, baseline_find(baseline, name));
	free(was);
	written->is_ratchet = is_ratchet;
	written->passed_count++;
	if (is_ratchet && before && !changed)
		return;
	written->tests = allocate_more(written->tests, written->test_count, &written->test_room,
				       sizeof *written->tests);
	written->tests[written->test_count++] = name;
}
