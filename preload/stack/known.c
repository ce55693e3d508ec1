/* SPDX-License-Identifier: MIT */
/* known.c: see known.h. */
#include "stack/known.h"

#include "stack/steps.h"

static unsigned set_of(const struct frame *from)
{
	uint64_t hash = (from->ip ^ from->sp * UINT64_C(0x9e3779b97f4a7c15)) *
			UINT64_C(0xd6e8feb86659fd93);
	return (unsigned)(hash / (UINT64_MAX / KNOWN_SETS + 1));
}

static inline bool is_from(const struct known_set *set, unsigned way, const struct frame *from)
{
	return set->ip[way] == from->ip && set->sp[way] == from->sp;
}

/* In the order of the walk: each word says that the next can be read. */
static inline bool is_as_noted(const struct known *known, uintptr_t sp)
{
	const uintptr_t *stack = (const uintptr_t *)sp;
	unsigned i = 0, words = known->words;
	while (i < words && stack[known->at[i]] == known->is[i])
		i++;
	return i == words;
}

static inline bool is_it(const struct known_set *set, unsigned way, const struct frame *from,
			 uint32_t generation)
{
	const struct known *known = &set->way[way];
	return is_from(set, way, from) && known->generation == generation &&
	       (known->fp == from->fp || !known->used_fp) && is_as_noted(known, from->sp);
}

static __attribute__((noinline)) struct known *search(struct known_set *set,
						      const struct frame *from, uint32_t generation)
{
	for (unsigned i = 0; i < KNOWN_WAYS; i++)
		if (is_it(set, i, from, generation)) {
			set->next[set->last] = (uint8_t)i;
			set->last = (uint8_t)i;
			return &set->way[i];
		}
	return NULL;
}

struct known *known_find(struct known_set sets[KNOWN_SETS], const struct frame *from)
{
	struct known_set *set = &sets[set_of(from)];
	uint32_t generation = steps_now();
	unsigned next = set->next[set->last];
	if (!is_it(set, next, from, generation))
		return search(set, from, generation);
	set->last = (uint8_t)next;
	return &set->way[next];
}

static void note_words(struct known *known, const struct frame *from, const struct walk_memo *memo)
{
	uint32_t first = memo->kept.first[memo->begin], words = MEMO_WORDS - first;
	if (!memo->generation || words > KNOWN_WORDS)
		return;
	known->generation = 0;
	for (uint32_t i = 0; i < words; i++) {
		const struct memo_word *word = &memo->kept.word[first + i];
		uintptr_t at = (word->at - from->sp) / sizeof word->is;
		if (at > UINT16_MAX || word->at % sizeof word->is != from->sp % sizeof word->is)
			return;
		known->at[i] = (uint16_t)at;
		known->is[i] = word->is;
	}
	known->fp = from->fp;
	known->used_fp = walk_used_fp(memo);
	known->words = (uint16_t)words;
	known->generation = memo->generation;
}

void known_note(struct known_set sets[KNOWN_SETS], const struct frame *from,
		const struct walk_memo *memo, uint64_t hash)
{
	struct known_set *set = &sets[set_of(from)];
	for (unsigned i = 0; i < KNOWN_WAYS; i++)
		if (is_from(set, i, from) && set->way[i].hash == hash) {
			note_words(&set->way[i], from, memo);
			return;
		}
	unsigned way = set->turn++ % KNOWN_WAYS;
	set->ip[way] = from->ip;
	set->sp[way] = from->sp;
	set->way[way].recent.row = NULL;
	set->way[way].hash = hash;
	set->way[way].end = memo->end;
	set->way[way].generation = 0;
}
