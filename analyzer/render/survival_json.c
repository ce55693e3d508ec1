/* SPDX-License-Identifier: MIT */
/* survival_json.c: survival for machines: blocks, bytes and epochs. */
#include "render/generations_json.h"
#include "render/json.h"
#include "render/survival.h"

static json_t *curve_json(const struct curve *curve)
{
	json_t *object = json_object(), *points = json_array();

	for (size_t i = 0; i < curve->count; i++) {
		json_t *point = json_object();
		json_put(point, "age", json_count(curve->points[i].age));
		json_put(point, "blocks", json_count(curve->points[i].blocks));
		json_put(point, "bytes", json_count(curve->points[i].bytes));
		json_array_append_new(points, point);
	}
	json_put(object, "born", json_count(curve->born));
	json_put(object, "born_bytes", json_count(curve->born_bytes));
	json_put(object, "points", points);
	return object;
}

static json_t *class_json(const struct class_row *row, bool is_known)
{
	json_t *object = json_object();

	json_put(object, "class", json_text(row->name));
	json_put(object, "block_bytes", json_count(row->block_bytes));
	json_put(object, "allocated", json_count(row->allocated));
	json_put(object, "allocated_bytes", json_count(row->allocated_bytes));
	json_put(object, "died_young", json_count(row->died_young));
	json_put(object, "died_young_bytes", json_count(row->died_young_bytes));
	json_put(object, "generations",
		 is_known ? json_flows(&row->flow, &row->flow_bytes) : json_null());
	return object;
}

static json_t *classes_json(const struct figures *figures, const struct view *view)
{
	const struct survival *survival = &figures->generations.survival;
	bool is_known = survival->not_known < survival->processes;
	json_t *array = json_array();

	for (size_t i = 0; i < view_rows(view, figures->classes.count); i++)
		json_array_append_new(array, class_json(&figures->classes.rows[i], is_known));
	return array;
}

static json_t *phase_json(const struct phase *phase)
{
	json_t *object = json_object();

	json_put(object, "name", json_text(phase->name));
	json_put(object, "elapsed_ns", json_count(phase->elapsed_ns));
	json_put(object, "allocated", json_count(phase->allocated));
	json_put(object, "allocated_bytes", json_count(phase->allocated_bytes));
	json_put(object, "died", json_count(phase->died));
	json_put(object, "died_bytes", json_count(phase->died_bytes));
	json_put(object, "died_young", json_count(phase->died_young));
	json_put(object, "died_young_bytes", json_count(phase->died_young_bytes));
	json_put(object, "epochs", json_count(phase->epochs));
	json_put(object, "sweeps", json_three(phase->sweeps));
	json_put(object, "live", json_count(phase->live));
	json_put(object, "live_bytes", json_count(phase->live_bytes));
	json_put(object, "deaths", curve_json(&phase->deaths));
	return object;
}

static json_t *phases_json(const struct phases *phases)
{
	json_t *array = json_array();
	for (size_t i = 0; i < phases->count; i++)
		json_array_append_new(array, phase_json(&phases->list[i]));
	return array;
}

static json_t *ranges_json(const struct what_if_range range[GENERATION_COUNT])
{
	json_t *array = json_array();

	for (int g = 0; g < GENERATION_COUNT; g++) {
		json_t *object = json_object();
		json_put(object, "at_least", json_count(range[g].low));
		json_put(object, "at_most", json_count(range[g].high));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *expected_json(const struct what_if_flow *flow)
{
	json_t *object = json_object();

	json_put(object, "entered", ranges_json(flow->entered));
	json_put(object, "survived", ranges_json(flow->survived));
	json_put(object, "died", ranges_json(flow->died));
	return object;
}

static json_t *left_out_json(const struct what_if *what_if)
{
	json_t *array = json_array();

	for (int i = 0; i < WHAT_IF_REASON_COUNT; i++) {
		if (!what_if->left_out[i])
			continue;
		json_t *object = json_object();
		json_put(object, "processes", json_count(what_if->left_out[i]));
		json_put(object, "why", json_text(what_if_reasons[i]));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *what_if_json(const struct what_if *what_if)
{
	if (!what_if)
		return json_null();
	json_t *object = json_object();
	uint64_t threshold[GENERATION_COUNT];

	for (int g = 0; g < GENERATION_COUNT; g++)
		threshold[g] = what_if->threshold[g];
	json_put(object, "threshold", json_three(threshold));
	json_put(object, "processes", json_count(what_if->processes));
	json_put(object, "left_out", left_out_json(what_if));
	if (!what_if->processes)
		return object;
	json_put(object, "recorded", json_flows(&what_if->recorded, &what_if->recorded_bytes));
	json_put(object, "recorded_sweeps", json_three(what_if->recorded_sweeps));
	json_put(object, "sweeps", ranges_json(what_if->sweeps));
	json_put(object, "blocks", expected_json(&what_if->blocks));
	json_put(object, "bytes", expected_json(&what_if->bytes));
	return object;
}

static void put_figures(json_t *object, const struct figures *figures, const struct view *view)
{
	json_put(object, "metrics", json_metrics(&figures->metrics));
	json_put(object, "estimated", json_estimated(&figures->metrics));
	json_put(object, "notes", json_notes(&figures->notes));
	json_put(object, "generations", json_generations(&figures->generations, true));
	json_put(object, "curve", curve_json(&figures->curve));
	json_put(object, "ages", json_deaths(&figures->generations));
	json_put(object, "classes", classes_json(figures, view));
	json_put(object, "phases", phases_json(&figures->phases));
}

static json_t *process_json(const struct study *study, const struct process_study *process,
			    const struct view *view)
{
	const struct process *of = process->process;
	json_t *object = json_object();

	json_put_process(object, study->recording, of);
	put_figures(object, &process->figures, view);
	return object;
}

void survival_json(const struct study *study, const struct what_if *what_if,
		   const struct view *view, struct sink *sink)
{
	json_t *document = json_object(), *processes = json_array();

	json_put(document, "schema", json_integer(JSON_SCHEMA));
	put_figures(document, &study->total, view);
	json_put(document, "what_if", what_if_json(what_if));
	for (size_t i = 0; i < study->process_count; i++)
		json_array_append_new(processes, process_json(study, &study->processes[i], view));
	json_put(document, "processes", processes);
	json_print(document, sink);
}
