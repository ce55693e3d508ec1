/* SPDX-License-Identifier: MIT */
/* advice.h: what call sites may do without, in sentences and as JSON. */
#ifndef POOLMEM_RENDER_ADVICE_H
#define POOLMEM_RENDER_ADVICE_H

#include "study/advice.h"
#include "text/sink.h"

#include <jansson.h>

/* The first `rows`, 0: all. */
void advice_text(const struct advice_list *advice, size_t rows, struct sink *sink);

/* The same for a report; nothing when there is none. */
void advice_brief(const struct advice_list *advice, struct sink *sink);

json_t *advice_json(const struct sites *sites, const struct advice_list *advice);

#endif
