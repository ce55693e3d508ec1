/* SPDX-License-Identifier: MIT */
/* gaps.h: which files lacked names or lines, and what would help. */
#ifndef POOLMEM_RENDER_GAPS_H
#define POOLMEM_RENDER_GAPS_H

#include "model/naming.h"
#include "text/sink.h"

#include <jansson.h>

/* A sentence each; of the first few. */
void gaps_text(struct naming *naming, struct sink *sink);
json_t *gaps_json(struct naming *naming);

#endif
