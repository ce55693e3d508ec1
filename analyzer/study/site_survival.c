/* SPDX-License-Identifier: MIT */
/* site_survival.c: see site_survival.h. */
#include "study/site_survival.h"

void site_survival_make(const struct sites *sites, struct site_survival *ret)
{
	struct site_survival survival = {.stacks = sites->count};

	for (size_t i = 0; i < sites->count; i++)
		site_ages_add(&survival.ages, &sites->list[i].ages);
	kaplan_meier_make(&survival.ages, &survival.curve);
	survival.verdict = verdict_of(&survival.ages);
	survival.born = site_ages_born(&survival.ages).sum;
	survival.died_young = survival.ages.died[0].sum;
	survival.live = survival.ages.live.sum;
	*ret = survival;
}
