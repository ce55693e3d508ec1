/* SPDX-License-Identifier: MIT */
/* report_json.c: a report for machines: bytes and counts, nothing left out but by -n. */
#include "model/saturate.h"
#include "render/advice.h"
#include "render/generations_json.h"
#include "render/json.h"
#include "render/report.h"
#include "render/sites.h"

/* Where sweeps of some process were not recorded, no sum over the others passes for the whole. */
static json_t *class_json(const struct class_row *row, const struct class_table *table)
{
	bool has_inherited = table->has_inherited;
	json_t *object = json_object();

	json_put(object, "class", json_text(row->name));
	json_put(object, "block_bytes", json_count(row->block_bytes));
	json_put(object, "allocated", json_count(row->allocated));
	json_put(object, "freed", json_count(row->freed));
	json_put(object, "died_young", json_count(row->died_young));
	json_put(object, "allocated_bytes", json_count(row->allocated_bytes));
	json_put(object, "freed_bytes", json_count(row->freed_bytes));
	json_put(object, "kept", json_count(row->kept));
	json_put(object, "kept_bytes", json_count(row->kept_bytes));
	/* Where blocks were inherited, what lives in a class is not known: only how it changed. */
	json_put(object, has_inherited ? "change" : "live", json_integer(class_net_blocks(row)));
	json_put(object, has_inherited ? "change_bytes" : "live_bytes",
		 json_integer(class_net_bytes(row)));
	json_put(object, "generations",
		 table->flows_unknown ? json_null() : json_flows(&row->flow, &row->flow_bytes));
	return object;
}

static json_t *classes_json(const struct class_table *classes, const struct view *view)
{
	json_t *array = json_array();
	for (size_t i = 0; i < view_rows(view, classes->count); i++)
		json_array_append_new(array, class_json(&classes->rows[i], classes));
	return array;
}

static json_t *pool_json(const struct pool_row *row)
{
	json_t *object = json_object();

	json_put(object, "class", json_text(row->name));
	json_put(object, "block_bytes", json_count(row->block_bytes));
	json_put(object, "pools", json_count(row->pools));
	json_put(object, "capacity", json_count(row->capacity));
	json_put(object, "live", json_count(row->live));
	json_put(object, "bytes", json_count(row->bytes));
	json_put(object, "touched_bytes", json_count(row->touched_bytes));
	return object;
}

static json_t *pools_json(const struct pool_table *pools, const struct view *view)
{
	json_t *array = json_array();
	for (size_t i = 0; i < view_rows(view, pools->count); i++)
		json_array_append_new(array, pool_json(&pools->rows[i]));
	return array;
}

static json_t *arenas_json(const struct arena_figures *arenas)
{
	json_t *object = json_object();

	json_put(object, "count", json_count(arenas->arenas));
	json_put(object, "mapped_bytes", json_count(arenas->mapped_bytes));
	json_put(object, "free_bytes", json_count(arenas->free_bytes));
	json_put(object, "dirty_bytes", json_count(arenas->dirty_bytes));
	json_put(object, "large_blocks", json_count(arenas->large_blocks));
	json_put(object, "large_bytes", json_count(arenas->large_bytes));
	json_put(object, "huge_blocks", json_count(arenas->huge_blocks));
	json_put(object, "huge_bytes", json_count(arenas->huge_bytes));
	return object;
}

static json_t *thread_json(const struct slot *slot)
{
	json_t *object = json_object();

	json_put(object, "slot", json_count(slot->chunk));
	json_put(object, "use", json_text(slot_use_key(slot->use)));
	json_put(object, "tid", json_count(slot->tid));
	if (*slot->name)
		json_put(object, "name", json_text(slot->name));
	json_put(object, "held", json_boolean(slot->held));
	json_put(object, "holders", json_count(slot->holders));
	json_put(object, "allocated", json_count(at_least_none(slot->allocated)));
	json_put(object, "freed", json_count(slot->freed));
	json_put(object, "allocated_bytes", json_count(at_least_none(slot->allocated_bytes)));
	json_put(object, "freed_bytes", json_count(slot->freed_bytes));
	json_put(object, "died", json_three(slot->died));
	json_put(object, "remote_frees", json_count(slot->counter[PM_COUNTER_REMOTE_FREE]));
	return object;
}

static json_t *threads_json(const struct process_study *process, const struct view *view)
{
	json_t *array = json_array();
	for (size_t i = 0; i < view_rows(view, process->slot_count); i++)
		json_array_append_new(array, thread_json(process->slots[i]));
	return array;
}

static json_t *module_json(const struct module *module)
{
	json_t *object = json_object();

	json_put(object, "path", json_text(module->path));
	json_put(object, "build_id", json_text(module->build_id));
	json_put(object, "base", json_count(module->base));
	json_put(object, "first", json_count(module->first));
	json_put(object, "last", json_count(module->last));
	return object;
}

static json_t *modules_json(const struct process *process)
{
	json_t *array = json_array();
	for (size_t i = 0; i < process->module_count; i++)
		json_array_append_new(array, module_json(&process->modules[i]));
	return array;
}

static json_t *argv_json(const struct process *process)
{
	json_t *array = json_array();
	for (size_t i = 0; i < process->argv_count; i++)
		json_array_append_new(array, json_text(process->argv[i]));
	return array;
}

static json_t *parents_json(const struct process *process)
{
	json_t *array = json_array();
	for (size_t i = 0; i < process->parent_count; i++)
		json_array_append_new(array, json_count(process->parents[i]));
	return array;
}

static void put_identity(json_t *object, const struct study *study, const struct process *process)
{
	json_put_process(object, study->recording, process);
	json_put(object, "argv", argv_json(facts_of(study->recording, process)));
	if (process->kind != PROCESS_EXEC)
		return;
	json_put(object, "options", json_text(process->options));
	json_put(object, "parents", parents_json(process));
	if (process->next_allocator)
		json_put(object, "next_allocator", json_text(process->next_allocator));
}

static json_t *process_json(const struct study *study, const struct process_study *process,
			    const struct view *view)
{
	json_t *object = json_object();
	const struct figures *figures = &process->figures;

	put_identity(object, study, process->process);
	if (process->process->kind == PROCESS_DEPARTED)
		json_put(object, "children", json_count(process->process->record.recycled_children));
	json_put(object, "metrics", json_metrics(&figures->metrics));
	json_put(object, "estimated", json_estimated(&figures->metrics));
	json_put(object, "notes", json_notes(&figures->notes));
	json_put(object, "classes", classes_json(&figures->classes, view));
	json_put(object, "threads", threads_json(process, view));
	json_put(object, "arenas", arenas_json(&figures->pools.arenas));
	json_put(object, "pools", pools_json(&figures->pools, view));
	json_put(object, "generations", json_generations(&figures->generations, false));
	json_put(object, "modules", modules_json(process->process));
	return object;
}

void report_json(const struct study *study, struct sites *sites, const struct advice_list *advice,
		 const struct view *view, struct sink *sink)
{
	json_t *document = json_object();
	json_t *processes = json_array();

	json_common(document, &study->total.metrics, &study->total.notes);
	json_put(document, "classes", classes_json(&study->total.classes, view));
	json_put(document, "generations", json_generations(&study->total.generations, false));
	json_put(document, "call_sites", sites_brief_json(sites, view));
	json_put(document, "advice", advice_json(sites, advice));
	for (size_t i = 0; i < study->process_count; i++)
		json_array_append_new(processes, process_json(study, &study->processes[i], view));
	json_put(document, "processes", processes);
	if (study->recording->outside.json)
		json_put(document, "run", json_incref(study->recording->outside.json));
	json_print(document, sink);
}
