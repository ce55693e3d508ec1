/* SPDX-License-Identifier: MIT */
/* sites_example.h: a recording in memory, read as a study and its call sites. */
#ifndef UNIT_SITES_EXAMPLE_H
#define UNIT_SITES_EXAMPLE_H

#include "study/sites.h"
#include "unit/recording_helper.h"
#include "unit/segment_builder.h"

#include <criterion/criterion.h>

struct example {
	struct builder b;
	struct recording recording;
	struct study study;
	struct sites sites;
};

/* What stands in `b` by now. */
static inline void example_read(struct example *example, const struct site_query *query)
{
	struct failure why = {FAILURE_NONE, ""};
	struct query all;

	cr_assert(read_bytes(example->b.file.data, example->b.file.count, &example->recording, &why),
		  "%s", why.text);
	cr_assert(query_open(&all, NULL, NULL, &why));
	study_make(&example->recording, &all, &example->study);
	sites_make(&example->study, NULL, query, &example->sites);
	query_close(&all);
}

static inline void example_end(struct example *example)
{
	sites_free(&example->sites);
	study_free(&example->study);
	recording_free(&example->recording);
	builder_free(&example->b);
}

#endif
