/* SPDX-License-Identifier: MIT */
/* generations_json.h: JSON of generations, the same in a report and in survival. */
#ifndef POOLMEM_RENDER_GENERATIONS_JSON_H
#define POOLMEM_RENDER_GENERATIONS_JSON_H

#include "study/generations.h"

#include <jansson.h>
#include <stdbool.h>

json_t *json_three(const uint64_t figure[GENERATION_COUNT]);
json_t *json_flows(const struct flow *blocks, const struct flow *bytes);
json_t *json_deaths(const struct generations *generations);

/* blocks and bytes are null when they are not known of some process; is_partial: of all. */
json_t *json_generations(const struct generations *generations, bool is_partial);

#endif
