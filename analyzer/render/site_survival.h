/* SPDX-License-Identifier: MIT */
/* site_survival.h: how old the blocks of call sites become, as text, as JSON and as a picture. */
#ifndef POOLMEM_RENDER_SITE_SURVIVAL_H
#define POOLMEM_RENDER_SITE_SURVIVAL_H

#include "study/site_survival.h"
#include "text/sink.h"

void site_survival_text(const struct study *study, struct sites *sites,
			const struct site_survival *survival, struct sink *sink);

/* expression: that chose the sites. */
void site_survival_json(const struct study *study, const struct sites *sites,
			const struct site_survival *survival, const char *expression,
			struct sink *sink);

/* There is a point. */
void site_survival_svg(const struct study *study, struct sites *sites,
		       const struct site_survival *survival, struct sink *sink);

#endif
