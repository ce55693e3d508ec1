/* SPDX-License-Identifier: MIT */
/* pin_choice.c: pins_choose(): see pins.h. */
#include "study/pins.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

enum { CHOICE_MAX = 1000, EXACT_MAX = 16 };

/* Sets that a holder is in: rows[first ... first of the next one). */
struct search {
	const struct pins *pins;
	uint32_t *missing; /* by set: holders not chosen yet */
	size_t *first;     /* by holder */
	uint32_t *rows;
	bool *is_chosen;
	double *promise; /* by holder: bytes of sets that lack it, divided by the square of how many each lacks */
	uint64_t *gain; /* by holder: bytes of sets that lack it alone */
	uint64_t bytes; /* of sets that lack none */
};

/* --- what is chosen ---------------------------------------------------------------------------------------- */

static void index_sets(struct search *search)
{
	const struct pins *pins = search->pins;
	size_t count = 0;

	for (size_t s = 0; s < pins->set_count; s++)
		for (uint32_t i = 0; i < pins->sets[s].count; i++, count++)
			search->first[pins->sets[s].holders[i] + 1]++;
	for (size_t h = 0; h < pins->count; h++)
		search->first[h + 1] += search->first[h];
	search->rows = allocate(count + 1, sizeof *search->rows);
	size_t *used = allocate(pins->count + 1, sizeof *used);
	for (size_t s = 0; s < pins->set_count; s++)
		for (uint32_t i = 0; i < pins->sets[s].count; i++) {
			uint32_t holder = pins->sets[s].holders[i];
			search->rows[search->first[holder] + used[holder]++] = (uint32_t)s;
		}
	free(used);
}

/* Puts what a set promises to those that it lacks there, or takes it away. */
static void weigh(struct search *search, uint32_t s, double sign)
{
	const struct pin_set *set = &search->pins->sets[s];
	double missing = search->missing[s];

	for (uint32_t i = 0; missing > 0 && i < set->count; i++) {
		uint32_t holder = set->holders[i];
		if (search->is_chosen[holder])
			continue;
		search->promise[holder] += sign * (double)set->bytes / (missing * missing);
		if (search->missing[s] == 1)
			search->gain[holder] += sign > 0 ? set->bytes : -set->bytes;
	}
}

static void choose(struct search *search, uint32_t holder)
{
	for (size_t i = search->first[holder]; i < search->first[holder + 1]; i++)
		weigh(search, search->rows[i], -1);
	search->is_chosen[holder] = true;
	for (size_t i = search->first[holder]; i < search->first[holder + 1]; i++) {
		uint32_t s = search->rows[i];
		search->missing[s]--;
		search->bytes += search->missing[s] ? 0 : search->pins->sets[s].bytes;
		weigh(search, s, 1);
	}
}

/* What would stay if one that is chosen were not. */
static uint64_t loss(const struct search *search, uint32_t holder)
{
	uint64_t bytes = 0;

	for (size_t i = search->first[holder]; i < search->first[holder + 1]; i++)
		bytes += search->missing[search->rows[i]]
				 ? 0
				 : search->pins->sets[search->rows[i]].bytes;
	return bytes;
}

static void unchoose(struct search *search, uint32_t holder)
{
	search->bytes -= loss(search, holder);
	search->is_chosen[holder] = false;
	for (size_t i = search->first[holder]; i < search->first[holder + 1]; i++)
		search->missing[search->rows[i]]++;
}

/* --- greedy ------------------------------------------------------------------------------------------------ */

/* The one that gives enough at once, the most of these; else the one that the most is waiting for.  false: none. */
static bool best(const struct search *search, uint64_t still_wished, const bool *allowed,
		 uint32_t *ret_holder)
{
	const struct pins *pins = search->pins;
	bool found = false, is_enough = false;

	for (uint32_t i = 0; i < pins->count; i++) {
		bool enough = search->gain[i] >= still_wished;
		if (search->is_chosen[i] || (allowed && !allowed[i]) ||
		    search->first[i] == search->first[i + 1] || (is_enough && !enough))
			continue;
		if (!found || (enough && !is_enough) ||
		    (enough ? search->gain[i] > search->gain[*ret_holder]
			    : search->promise[i] > search->promise[*ret_holder])) {
			*ret_holder = i;
			found = true;
			is_enough = enough;
		}
	}
	return found;
}

/* Into *ret, in the order of choice; of those allowed, NULL: all. */
static void search_greedily(struct search *search, uint64_t wished_bytes, const bool *allowed,
			    struct pin_choice *ret)
{
	uint32_t holder;

	while (search->bytes < wished_bytes && ret->count < CHOICE_MAX &&
	       best(search, wished_bytes - search->bytes, allowed, &holder)) {
		uint64_t before = search->bytes;
		choose(search, holder);
		ret->gain[ret->count] = search->bytes - before;
		ret->holders[ret->count++] = holder;
	}
	ret->bytes = search->bytes;
}

/* Lets go of those that were chosen first and turned out not to be needed; false: there was none. */
static bool drop_needless(struct search *search, uint64_t wished_bytes,
			  const struct pin_choice *choice)
{
	uint64_t enough = search->bytes < wished_bytes ? search->bytes : wished_bytes;
	bool dropped = false;

	for (size_t i = 0; i < choice->count; i++)
		if (search->bytes - loss(search, choice->holders[i]) >= enough) {
			unchoose(search, choice->holders[i]);
			dropped = true;
		}
	return dropped;
}

static void begin(struct search *search)
{
	const struct pins *pins = search->pins;

	search->bytes = 0;
	memset(search->is_chosen, 0, pins->count * sizeof *search->is_chosen);
	memset(search->promise, 0, pins->count * sizeof *search->promise);
	memset(search->gain, 0, pins->count * sizeof *search->gain);
	for (size_t s = 0; s < pins->set_count; s++) {
		search->missing[s] = pins->sets[s].count;
		weigh(search, (uint32_t)s, 1);
	}
}

/* --- exact ------------------------------------------------------------------------------------------------- */

/* Those that are in sets, a bit each; false: too many. */
static bool number_holders(const struct search *search, uint32_t *ret_holders, unsigned *ret_count)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < search->pins->count; i++) {
		if (search->first[i] == search->first[i + 1])
			continue;
		if (count == EXACT_MAX)
			return false;
		ret_holders[count++] = i;
	}
	*ret_count = count;
	return true;
}

/* By subset of holders: bytes of the sets inside. */
static uint64_t *sum_subsets(const struct search *search, const uint32_t *holders, unsigned count)
{
	const struct pins *pins = search->pins;
	uint64_t *bytes = allocate((size_t)1 << count, sizeof *bytes);
	uint32_t *in = allocate(pins->set_count + 1, sizeof *in);

	for (unsigned bit = 0; bit < count; bit++)
		for (size_t i = search->first[holders[bit]]; i < search->first[holders[bit] + 1];
		     i++)
			in[search->rows[i]] |= 1U << bit;
	for (size_t s = 0; s < pins->set_count; s++)
		bytes[in[s]] += pins->sets[s].bytes;
	for (unsigned bit = 0; bit < count; bit++)
		for (uint32_t subset = 0; subset < 1U << count; subset++)
			if (subset >> bit & 1)
				bytes[subset] += bytes[subset ^ 1U << bit];
	free(in);
	return bytes;
}

/* The smallest subset that gives enough, of these the one that gives most. */
static uint32_t best_subset(const uint64_t *bytes, unsigned count, uint64_t enough)
{
	uint32_t found = (1U << count) - 1;

	for (uint32_t subset = 0; subset < 1U << count; subset++) {
		int more = __builtin_popcount(subset) - __builtin_popcount(found);
		if (bytes[subset] >= enough &&
		    (more < 0 || (more == 0 && bytes[subset] > bytes[found])))
			found = subset;
	}
	return found;
}

/* false: there are too many holders. */
static bool search_exactly(const struct search *search, uint64_t wished_bytes, bool *ret_allowed)
{
	uint32_t holders[EXACT_MAX];
	unsigned count;

	if (!number_holders(search, holders, &count))
		return false;
	uint64_t *bytes = sum_subsets(search, holders, count);
	uint64_t all = bytes[(1U << count) - 1];
	uint32_t found = best_subset(bytes, count, all < wished_bytes ? all : wished_bytes);
	for (unsigned bit = 0; bit < count; bit++)
		ret_allowed[holders[bit]] = found >> bit & 1;
	free(bytes);
	return true;
}

/* --- all --------------------------------------------------------------------------------------------------- */

static void search_all(struct search *search, uint64_t wished_bytes, struct pin_choice *ret)
{
	bool *allowed = allocate(search->pins->count + 1, sizeof *allowed);
	bool is_again = search_exactly(search, wished_bytes, allowed);

	begin(search);
	if (!is_again) {
		search_greedily(search, wished_bytes, NULL, ret);
		is_again = drop_needless(search, wished_bytes, ret);
		memcpy(allowed, search->is_chosen, search->pins->count * sizeof *allowed);
	}
	if (is_again) {
		begin(search);
		ret->count = 0;
		search_greedily(search, wished_bytes, allowed, ret);
	}
	free(allowed);
}

void pins_choose(const struct pins *pins, uint64_t wished_bytes, struct pin_choice *ret)
{
	struct search search = {
		.pins = pins,
		.missing = allocate(pins->set_count + 1, sizeof *search.missing),
		.first = allocate(pins->count + 2, sizeof *search.first),
		.is_chosen = allocate(pins->count + 1, sizeof *search.is_chosen),
		.promise = allocate(pins->count + 1, sizeof *search.promise),
		.gain = allocate(pins->count + 1, sizeof *search.gain),
	};
	struct pin_choice choice = {.holders = allocate(CHOICE_MAX, sizeof *choice.holders),
				    .gain = allocate(CHOICE_MAX, sizeof *choice.gain)};

	index_sets(&search);
	search_all(&search, wished_bytes, &choice);
	free(search.missing);
	free(search.first);
	free(search.rows);
	free(search.is_chosen);
	free(search.promise);
	free(search.gain);
	choice.is_cut = choice.count == CHOICE_MAX;
	*ret = choice;
}

void pin_choice_free(struct pin_choice *choice)
{
	free(choice->holders);
	free(choice->gain);
}
