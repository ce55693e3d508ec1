/* SPDX-License-Identifier: MIT */
/* verdict.c: see verdict.h. */
#include "study/verdict.h"

static const double few = 0.1, most = 0.9;

#define VERDICT_KEY(name, key, word) [VERDICT_##name] = key,
#define VERDICT_WORD(name, key, word) [VERDICT_##name] = word,
const char *const verdict_keys[VERDICT_COUNT] = {VERDICTS(VERDICT_KEY)};
const char *const verdict_words[VERDICT_COUNT] = {VERDICTS(VERDICT_WORD)};
#undef VERDICT_KEY
#undef VERDICT_WORD

/* The share that outlives the epoch of birth: what lives and may be of that age counts as older, or not at all. */
static struct interval outlive_birth(const struct site_ages *ages, struct weighed born)
{
	struct weighed watched = weighed_less(born, ages->live_young);
	struct interval least = share_interval(weighed_less(watched, ages->died[0]), watched);
	struct interval greatest = share_interval(weighed_less(born, ages->died[0]), born);

	return (struct interval){least.low, greatest.high};
}

enum verdict verdict_of(const struct site_ages *ages)
{
	struct weighed born = site_ages_born(ages);
	struct interval old = outlive_birth(ages, born), live = share_interval(ages->live, born);

	if (ages->recorded < VERDICT_BLOCKS_MIN || ages->epochs < VERDICT_EPOCHS_MIN ||
	    !site_ages_is_known(ages, 0))
		return VERDICT_UNDECIDED;
	if (old.high <= few)
		return VERDICT_YOUNG;
	if (live.low >= most)
		return VERDICT_NEVER;
	if (old.low >= most && live.high <= few)
		return VERDICT_MIDDLE;
	if (old.low > few && live.high < most && (old.high < most || live.low > few))
		return VERDICT_MIXED;
	return VERDICT_UNDECIDED;
}
