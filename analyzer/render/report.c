/* SPDX-License-Identifier: MIT */
/* report.c: the text of a report: at a glance, then tables, then what to know about the figures. */
#include "render/report.h"

#include "render/advice.h"
#include "render/glance.h"
#include "render/sites.h"
#include "render/tables.h"
#include "render/words.h"

static void put_tables(const struct figures *figures, const struct process_study *process,
		       const struct view *view, struct sink *sink)
{
	table_of_classes(figures, view, sink);
	if (process)
		table_of_threads(process, view, sink);
	table_of_pools(&figures->pools, view, sink);
	table_of_generations(&figures->generations, sink);
}

static void put_section(const struct study *study, const struct process_study *process,
			const struct view *view, struct sink *sink)
{
	sink_print(sink, "\n");
	glance_process(study, process, sink);
	put_tables(&process->figures, process, view, sink);
	words_notes(&process->figures.notes, sink);
}

void report_text(const struct study *study, struct sites *sites, const struct advice_list *advice,
		 const struct view *view, struct sink *sink)
{
	const struct process_study *only = study->process_count == 1 ? study->processes : NULL;

	glance_recording(study, sink);
	if (study->process_count > 1)
		table_of_processes(study, view, sink);
	sites_brief(sites, sink);
	advice_brief(advice, sink);
	put_tables(&study->total, only, view, sink);
	words_notes(&study->total.notes, sink);
	if (only || !view->all)
		return;
	for (size_t i = 0; i < study->process_count; i++)
		put_section(study, study->ranked[i], view, sink);
}
