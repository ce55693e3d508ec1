/* SPDX-License-Identifier: MIT */
/* export_collapsed.c: a line for each stack, `main;load;parse 1234`. */
#include "render/export.h"
#include "render/flamegraph.h"

bool export_collapsed(const struct export *export, struct sink *sink, struct failure *why)
{
	const struct sites *sites = export->sites;
	double whole = 0;

	for (size_t i = 0; i < sites->count; i++)
		whole += site_value(&sites->list[i].sums, site_order_figures[sites->order]);
	if (whole <= 0)
		return fail(why, FAILURE_NOTHING, "nothing to write: of %s there are none",
			    site_order_words[sites->order]);
	flamegraph_collapsed(export->sites, sink);
	return true;
}
