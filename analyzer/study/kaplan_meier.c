/* SPDX-License-Identifier: MIT */
/* kaplan_meier.c: see kaplan_meier.h. */
#include "study/kaplan_meier.h"

#include <math.h>

static const double two_sided_95 = 1.959964, one_side = 0.025;

/* One of the two curves, as far as it is known. */
struct curve_so_far {
	double share, variance; /* variance: of log S */
	struct interval band;
};

static const struct curve_so_far born = {1, 0, {1, 1}};

static double variance_of(struct weighed died, struct weighed at_risk)
{
	double hazard = died.sum / at_risk.sum, rest = 1 - hazard;
	double squares = rest * rest * died.squares +
			 hazard * hazard * weighed_less(at_risk, died).squares;

	return squares / (at_risk.sum * at_risk.sum * rest * rest);
}

/* Of so many none has done what a share does that is higher: in 2.5 of 100 cases. */
static double none_of(double blocks)
{
	return blocks > 0 ? pow(one_side, 1 / blocks) : 0;
}

static struct interval band_of(double share, double variance)
{
	double width = two_sided_95 * sqrt(variance) / fabs(log(share));
	return (struct interval){pow(share, exp(width)), pow(share, exp(-width))};
}

static void outlive(struct curve_so_far *curve, struct weighed died, struct weighed at_risk)
{
	double before = curve->band.high, blocks = weighed_count(at_risk);

	if (died.sum > 0 && at_risk.sum > 0) {
		curve->share *= fmax(1 - died.sum / at_risk.sum, 0);
		if (curve->share > 0)
			curve->variance += variance_of(died, at_risk);
	}
	if (curve->share >= 1)
		curve->band = (struct interval){none_of(blocks), 1};
	else if (curve->share > 0)
		curve->band = band_of(curve->share, curve->variance);
	else if (died.sum > 0)
		curve->band = (struct interval){0, before * (1 - none_of(blocks))};
}

static struct survivors_at point_of(unsigned column, const struct curve_so_far *low,
				    const struct curve_so_far *high)
{
	return (struct survivors_at){
		.age = site_ages_last(column),
		.at_least = low->share,
		.at_most = high->share,
		.band = {fmin(low->band.low, high->band.low), fmax(low->band.high, high->band.high)},
	};
}

void kaplan_meier_make(const struct site_ages *ages, struct kaplan_meier *ret)
{
	struct curve_so_far low = born, high = born;
	struct weighed reached = site_ages_born(ages), died = {0, 0};

	*ret = (struct kaplan_meier){.count = 0};
	for (unsigned column = 0; column < AGE_COLUMNS - 1; column++) {
		weighed_add(&died, ages->died[column]);
		if (!site_ages_is_known(ages, column))
			continue;
		if (site_ages_last(column) >= ages->epochs)
			return;
		outlive(&high, died, reached);
		outlive(&low, died, weighed_less(reached, column ? ages->live : ages->live_young));
		ret->points[ret->count++] = point_of(column, &low, &high);
		reached = weighed_less(reached, died);
		died = (struct weighed){0, 0};
	}
}
