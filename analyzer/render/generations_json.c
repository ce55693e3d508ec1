/* SPDX-License-Identifier: MIT */
/* generations_json.c: see generations_json.h. */
#include "render/generations_json.h"

#include "render/json.h"
#include "render/words.h"

json_t *json_three(const uint64_t figure[GENERATION_COUNT])
{
	json_t *array = json_array();
	for (int g = 0; g < GENERATION_COUNT; g++)
		json_array_append_new(array, json_count(figure[g]));
	return array;
}

json_t *json_deaths(const struct generations *generations)
{
	json_t *array = json_array();

	for (size_t i = 0; i < generations->count; i++) {
		const struct age_row *row = &generations->rows[i];
		json_t *object = json_object();
		json_put(object, "generation", json_count(row->generation));
		json_put(object, "age_min", json_count(row->age_min));
		json_put(object, "age_max",
			 row->age_max == UINT32_MAX ? json_null() : json_count(row->age_max));
		json_put(object, "died", json_count(row->died));
		json_put(object, "died_bytes", json_count(row->died_bytes));
		json_array_append_new(array, object);
	}
	return array;
}

/* NULL: of some process it is not known. */
static json_t *flow_json(const struct flow *flow)
{
	if (!flow)
		return json_null();
	json_t *object = json_object();
	json_put(object, "entered", json_three(flow->entered));
	json_put(object, "survived", json_three(flow->survived));
	json_put(object, "died", json_three(flow->died));
	json_put(object, "live", json_three(flow->live));
	json_put(object, "frozen", json_count(flow_frozen(flow)));
	return object;
}

json_t *json_flows(const struct flow *blocks, const struct flow *bytes)
{
	json_t *object = json_object();

	json_put(object, "blocks", flow_json(blocks));
	json_put(object, "bytes", flow_json(bytes));
	return object;
}

json_t *json_generations(const struct generations *generations, bool is_partial)
{
	json_t *object = json_object();
	uint64_t threshold[GENERATION_COUNT];
	const char *clock = words_clock(generations);

	for (int g = 0; g < GENERATION_COUNT; g++)
		threshold[g] = generations->threshold[g];
	json_put(object, "epochs", json_count(generations->epochs));
	json_put(object, "clock",
		 clock && !generations->clocks_differ ? json_text(clock) : json_null());
	json_put(object, "epoch_length", json_count(generations->epoch_length));
	json_put(object, "threshold", json_three(threshold));
	json_put(object, "sweeps", json_three(generations->sweeps));
	json_put(object, "died", json_three(generations->died));
	json_put(object, "deaths", json_deaths(generations));
	const struct survival *survival = &generations->survival;
	bool known = survival_is_known(survival) ||
		     (is_partial && survival->not_known < survival->processes);
	json_put(object, "blocks", flow_json(known ? &survival->blocks : NULL));
	json_put(object, "bytes", flow_json(known ? &survival->bytes : NULL));
	json_put(object, "uncertain", json_count(survival->uncertain));
	json_put(object, "not_recorded", json_count(survival->not_known));
	return object;
}
