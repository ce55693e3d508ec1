/* SPDX-License-Identifier: MIT */
/* process.c: see process.h. */
#include "model/process.h"

#include <stdlib.h>

static void free_facts(struct process *process)
{
	for (size_t i = 0; i < process->argv_count; i++)
		free(process->argv[i]);
	for (size_t i = 0; i < process->module_count; i++) {
		free(process->modules[i].path);
		free(process->modules[i].build_id);
	}
	free(process->argv);
	free(process->modules);
	free(process->parents);
	free(process->exe);
	free(process->options);
	free(process->next_allocator);
}

const struct slot *process_slot(const struct process *process, uint32_t chunk)
{
	for (size_t i = 0; i < process->slot_count; i++)
		if (process->slots[i].chunk == chunk)
			return &process->slots[i];
	return NULL;
}

size_t forks_in(const struct process *process)
{
	return process->kind == PROCESS_DEPARTED ? process->record.recycled_children
						 : process->kind == PROCESS_FORK;
}

void process_free(struct process *process)
{
	free_facts(process);
	if (process->classes)
		free(process->classes[0].freed_at);
	free(process->classes);
	free(process->survivors);
	free(process->marks);
	free(process->moments);
	free(process->sites);
	free(process->slots);
	free(process->arenas);
	free(process->pools);
	survey_free(process->survey);
	if (process->at_live_peak != process->at_peak)
		survey_free(process->at_live_peak);
	survey_free(process->at_peak);
	free(process->inside);
}
