/* SPDX-License-Identifier: MIT */
/* site_survival.h: how old the blocks of the sites in a list become, taken together. */
#ifndef POOLMEM_STUDY_SITE_SURVIVAL_H
#define POOLMEM_STUDY_SITE_SURVIVAL_H

#include "study/kaplan_meier.h"
#include "study/sites.h"
#include "study/verdict.h"

struct site_survival {
	struct site_ages ages;
	struct kaplan_meier curve;
	enum verdict verdict;
	double born, died_young, live; /* blocks; young: in the epoch of their birth */
	size_t stacks;
};

void site_survival_make(const struct sites *sites, struct site_survival *ret);

#endif
