/* SPDX-License-Identifier: MIT */
/* share.c: see share.h. */
#include "study/share.h"

#include <math.h>

static const double two_sided_95 = 1.959964;

void weighed_add(struct weighed *to, struct weighed more)
{
	to->sum += more.sum;
	to->squares += more.squares;
}

struct weighed weighed_less(struct weighed whole, struct weighed part)
{
	return (struct weighed){fmax(whole.sum - part.sum, 0),
				fmax(whole.squares - part.squares, 0)};
}

/* Of n blocks recorded with probability p the estimate is n/p, its variance n(1-p)/p^2: together n/p^2. */
struct weighed weighed_of(const struct estimate *blocks)
{
	double sum = estimate_value(blocks);
	return (struct weighed){sum, sum + blocks->variance};
}

/* Those of the kind may have other weights than the rest: the variance of the share tells what they are worth. */
static double effective_count(struct weighed part, struct weighed whole)
{
	double share = part.sum / whole.sum, rest = 1 - share;
	double variance = (rest * rest * part.squares +
			   share * share * weighed_less(whole, part).squares) /
			  (whole.sum * whole.sum);

	return share > 0 && share < 1 && variance > 0 ? share * rest / variance
						      : weighed_count(whole);
}

struct interval share_interval(struct weighed part, struct weighed whole)
{
	const double z2 = two_sided_95 * two_sided_95;

	if (whole.sum <= 0)
		return (struct interval){0, 1};
	double share = fmin(part.sum / whole.sum, 1);
	if (weighed_is_exact(whole))
		return (struct interval){share, share};
	double n = effective_count(part, whole);
	double middle = (share + z2 / (2 * n)) / (1 + z2 / n);
	double half = two_sided_95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n));
	return (struct interval){fmax(middle - half, 0), fmin(middle + half, 1)};
}
