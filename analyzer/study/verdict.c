/* SPDX-License-Identifier: MIT */
/* verdict.c: see verdict.h. */
#include "study/verdict.h"

static const double few = 0.1, most = 0.9;

#define VERDICT_KEY(name, key, word, words) [VERDICT_##name] = key,
#define VERDICT_WORD(name, key, word, words) [VERDICT_##name] = word,
#define VERDICT_SENTENCE(name, key, word, words) [VERDICT_##name] = words,
const char *const verdict_keys[VERDICT_COUNT] = {VERDICTS(VERDICT_KEY)};
const char *const verdict_words[VERDICT_COUNT] = {VERDICTS(VERDICT_WORD)};
const char *const verdict_sentences[VERDICT_COUNT] = {VERDICTS(VERDICT_SENTENCE)};
#undef VERDICT_KEY
#undef VERDICT_WORD
#undef VERDICT_SENTENCE

/* The share that outlives the epoch of birth: what lives and may be of that age counts as older, or not at all. */
static struct interval outlive_birth(const struct site_ages *ages, struct weighed born)
{
	struct weighed watched = weighed_less(born, ages->live_young);
	struct interval least = share_interval(weighed_less(watched, ages->died[0]), watched);
	struct interval greatest = share_interval(weighed_less(born, ages->died[0]), born);

	return (struct interval){least.low, greatest.high};
}

/* Half of those that live surely are in generation 2. */
static bool most_live_old(const struct site_ages *ages)
{
	return ages->live_old >= ages->live.sum / 2;
}

static enum verdict verdict_by_shares(const struct site_ages *ages, struct interval old,
				      struct interval live)
{
	if (old.high <= few)
		return VERDICT_YOUNG;
	if (live.low >= most)
		return most_live_old(ages) ? VERDICT_NEVER : VERDICT_NEW;
	if (old.low >= most && live.high <= few)
		return VERDICT_MIDDLE;
	if (old.low > few && live.high < most && (old.high < most || live.low > few))
		return VERDICT_MIXED;
	return VERDICT_UNSURE;
}

enum verdict verdict_of(const struct site_ages *ages)
{
	struct weighed born = site_ages_born(ages);

	if (ages->recorded < VERDICT_BLOCKS_MIN)
		return VERDICT_FEW_BLOCKS;
	if (ages->epochs < VERDICT_EPOCHS_MIN)
		return VERDICT_FEW_EPOCHS;
	if (!site_ages_is_known(ages, 0))
		return VERDICT_UNSURE;
	return verdict_by_shares(ages, outlive_birth(ages, born), share_interval(ages->live, born));
}
