/* SPDX-License-Identifier: MIT */
/* Pins and the waterfall, against models that look at each byte; the choice, against all subsets. */
#define _GNU_SOURCE 1

#include "model/process.h"
#include "study/pins.h"
#include "study/waterfall.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
	PAGE = 512,
	UNIT = 4096,
	UNITS = 8,
	ARENAS = 3,
	ARENA = UNIT * UNITS,
	PAGES = ARENA / PAGE,
	SPACE = ARENAS * ARENA,
	POOLS_MAX = ARENAS * UNITS,
	HOLDERS_MAX = 64,
	CLASSES = 4,
	MAPPINGS = 6,
	BASE = 0x100000,
	OUTSIDE = 0x900000, /* where mappings are that hold no arena */
	FRAMES = 5,
};

static uint64_t random_state;

static uint32_t below(uint32_t limit)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((random_state >> 33) % limit);
}

/* --- a random process -------------------------------------------------------------------------------------- */

struct example {
	struct layout layout;
	struct pm_class classes[CLASSES];
	struct process process;
	struct survey survey;
	struct surveyed_arena arenas[ARENAS];
	struct surveyed_pool pools[POOLS_MAX];
	struct surveyed_mapping mappings[ARENAS + MAPPINGS];
	struct pm_survey_range ranges[2 * MAPPINGS];
	uint64_t range_parts[2]; /* what the ranges have of the mappings, by use */
	uint64_t resident[ARENAS][(PAGES + 63) / 64];
	uint32_t frames[FRAMES];
};

static bool is_resident(const struct example *e, uint64_t offset)
{
	return e->resident[offset / ARENA][offset % ARENA / PAGE / 64] >> offset % ARENA / PAGE % 64 &
	       1;
}

static void fill_pool(struct example *e, struct surveyed_pool *pool)
{
	unsigned often = below(4) * 30 + 5, generations = 1 + below(3), sites = below(FRAMES);

	pool->states = calloc((pool->capacity + 15) / 16 + 1, sizeof *pool->states);
	pool->which = calloc(pool->capacity + 1, sizeof *pool->which);
	for (uint32_t i = 0; i < pool->capacity; i++) {
		if (below(100) >= often)
			continue;
		uint32_t generation = below(generations);
		pool->states[i / 16] |= (generation + 1) << i % 16 * 2;
		pool->which[pool->live_count++] = (uint16_t)below(sites + 2);
		pool->live[generation]++;
	}
	pool->frames = e->frames;
	pool->frame_count = FRAMES;
	pool->recorded = below(3) ? pool->live_count : below(pool->live_count + 1);
	pool->recorded_requested = pool->recorded * (pool->block_bytes - below(8));
	if (pool->live_count == pool->capacity && below(2)) {
		free(pool->states);
		pool->states = NULL;
	}
	if (below(8) == 0) {
		free(pool->which);
		pool->which = NULL;
	}
}

static void add_pool(struct example *e, uint32_t unit, uint32_t units)
{
	static const uint16_t sizes[CLASSES] = {16, 48, 112, 1200};
	uint8_t size_class = (uint8_t)below(CLASSES);
	uint64_t offset = below(3) ? 0 : 16 * below(40);
	struct surveyed_pool *pool = &e->pools[e->survey.pool_count++];

	*pool = (struct surveyed_pool){
		.first = BASE + (uint64_t)unit * UNIT,
		.bytes = units * (uint64_t)UNIT,
		.start = BASE + (uint64_t)unit * UNIT + offset,
		.block_bytes = sizes[size_class],
		.size_class = size_class,
		.owner = below(3),
		.state = PM_SURVEY_BLOCKS,
	};
	if (below(5) == 0) {
		pool->state = below(2) ? PM_SURVEY_LARGE : PM_SURVEY_KEPT;
		pool->capacity = 1;
		pool->start = pool->first;
		pool->block_bytes = pool->bytes - below(UNIT);
		if (pool->state == PM_SURVEY_LARGE)
			pool->live_count = pool->live[below(3)] = 1;
		return;
	}
	pool->capacity = (uint32_t)((pool->bytes - offset) / pool->block_bytes);
	fill_pool(e, pool);
}

static void add_pools(struct example *e)
{
	for (uint32_t unit = 0; unit < ARENAS * UNITS;) {
		uint32_t left = UNITS - unit % UNITS, units = 1 + below(left < 3 ? left : 3);
		if (below(4) == 0) {
			e->arenas[unit / UNITS].free_units |= UINT64_C(1) << unit % UNITS;
			unit++;
			continue;
		}
		add_pool(e, unit, units);
		unit += units;
	}
}

static void add_arenas(struct example *e)
{
	for (unsigned a = 0; a < ARENAS; a++) {
		unsigned often = below(2) ? 100 : below(100);
		uint64_t pages = 0;
		for (unsigned page = 0; page < PAGES; page++)
			if (below(100) < often) {
				e->resident[a][page / 64] |= UINT64_C(1) << page % 64;
				pages++;
			}
		e->arenas[a] = (struct surveyed_arena){.base = BASE + (uint64_t)a * ARENA,
						       .kind = PM_ARENA_POOLS,
						       .mapped_units = UNITS,
						       .resident = e->resident[a]};
		e->mappings[e->survey.mapping_count++] = (struct surveyed_mapping){
			.first = BASE + (uint64_t)a * ARENA,
			.last = BASE + (uint64_t)(a + 1) * ARENA,
			.rss = pages * PAGE,
			.name = (char *)""};
	}
}

/* Some with ranges of the library's own inside, one or two, which say less than the mapping has. */
static void add_mappings(struct example *e)
{
	static const char *const names[] = {"/lib/a.so", "/lib/b.so", "[heap]", ""};

	for (unsigned i = 0; i < MAPPINGS; i++) {
		uint64_t first = OUTSIDE + i * 0x10000, rest = 0;
		unsigned ranges = below(3);
		for (unsigned r = 0; r < ranges; r++) {
			uint64_t resident = below(20) * PAGE;
			uint32_t use = 1 + below(2);
			e->ranges[e->survey.range_count++] = (struct pm_survey_range){
				.first = first + 0x1000 + r * 0x4000,
				.bytes = 0x4000,
				.resident_bytes = resident,
				.use = use};
			e->range_parts[use - 1] += resident;
			rest += resident;
		}
		e->mappings[e->survey.mapping_count++] = (struct surveyed_mapping){
			.first = first,
			.last = first + 0xc000,
			.rss = rest + below(30) * PAGE,
			.swap = below(2) * PAGE,
			.name = (char *)names[below(sizeof names / sizeof *names)]};
	}
}

static struct example *make(uint64_t seed)
{
	struct example *e = calloc(1, sizeof *e);

	random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (unsigned i = 0; i < FRAMES; i++)
		e->frames[i] = i ? 10 + i : 0;
	for (unsigned c = 0; c < CLASSES; c++)
		e->classes[c].kind = PM_CLASS_POOL;
	e->layout = (struct layout){.classes = e->classes,
				    .class_count = CLASSES,
				    .page_bytes = PAGE,
				    .unit_bytes = UNIT,
				    .arena_units = UNITS};
	add_arenas(e);
	add_pools(e);
	add_mappings(e);
	e->survey.is_whole = e->survey.knows_pages = true;
	e->survey.page_bytes = PAGE;
	e->survey.arena_pages = PAGES;
	e->survey.arena_count = ARENAS;
	e->survey.arenas = e->arenas;
	e->survey.pools = e->pools;
	e->survey.mappings = e->mappings;
	e->survey.ranges = e->ranges;
	e->process.layout = &e->layout;
	e->process.survey = &e->survey;
	return e;
}

static void destroy(struct example *e)
{
	for (size_t i = 0; i < e->survey.pool_count; i++) {
		free(e->pools[i].states);
		free(e->pools[i].which);
	}
	free(e);
}

/* --- a model of pins: blocks on a page are found by looking at all its bytes ---------------------------------- */

struct model_holder {
	bool is_site;
	uint32_t frame, owner;
	uint8_t size_class;
	uint64_t live_count, live_bytes, live[3];
	double sole[2], shared[2], cause[2];
	uint64_t alone[2], count[2];
	unsigned shares[2]; /* terms in shared and cause: each is rounded down */
};

struct model {
	struct model_holder holders[HOLDERS_MAX];
	unsigned count;
	uint64_t pinned[2], pools, mixed, mixed_bytes, idle;
};

/* The live block that a byte belongs to; -1: none. */
static int block_at(const struct surveyed_pool *pool, uint64_t address)
{
	if (address < pool->start)
		return -1;
	uint64_t block = (address - pool->start) / pool->block_bytes;
	if (block >= pool->capacity || (pool->states && !survey_state(pool, (uint32_t)block)))
		return -1;
	return (int)block;
}

static unsigned model_holder(struct model *model, const struct surveyed_pool *pool, int block)
{
	unsigned live = 0, i;
	bool tells = pool->which && pool->recorded >= pool->live_count * 0.9;
	struct model_holder wanted = {0};

	for (int b = 0; b < block; b++)
		live += block_at(pool, pool->start + (uint64_t)b * pool->block_bytes) >= 0;
	wanted.is_site = tells && pool->which[live];
	if (wanted.is_site) {
		wanted.frame = pool->frames[pool->which[live] - 1];
	} else {
		wanted.owner = pool->owner;
		wanted.size_class = pool->size_class;
	}
	for (i = 0; i < model->count; i++) {
		const struct model_holder *known = &model->holders[i];
		if (known->is_site == wanted.is_site && known->frame == wanted.frame &&
		    known->owner == wanted.owner && known->size_class == wanted.size_class)
			return i;
	}
	cr_assert(i < HOLDERS_MAX);
	model->holders[model->count++] = wanted;
	return i;
}

/* Blocks with a byte between two addresses; all of them when the bytes are a pool's. */
static void model_part(struct model *model, const struct example *e,
		       const struct surveyed_pool *pool, uint64_t first, uint64_t last, int level)
{
	unsigned blocks[HOLDERS_MAX][3] = {{0}}, all = 0, old = 0, holders = 0, oldest = 0;
	uint64_t resident = 0, live = 0;
	int before = -1;

	for (uint64_t at = first; at < last; at++) {
		int block = block_at(pool, at);
		bool counts = is_resident(e, at - BASE);
		resident += counts;
		live += counts && block >= 0;
		if (block >= 0 && block != before) {
			unsigned g = survey_state(pool, (uint32_t)block) - 1;
			blocks[model_holder(model, pool, block)][g]++;
			oldest = g > oldest ? g : oldest;
		}
		before = block;
	}
	for (unsigned h = 0; h < model->count; h++) {
		unsigned of_h = blocks[h][0] + blocks[h][1] + blocks[h][2];
		all += of_h;
		holders += of_h > 0;
		old += blocks[h][oldest];
	}
	if (level == PIN_PAGE && !(resident && holders)) {
		model->idle += resident;
		return;
	}
	uint64_t free_bytes = resident - live;
	model->pinned[level] += free_bytes;
	for (unsigned h = 0; h < model->count; h++) {
		struct model_holder *holder = &model->holders[h];
		unsigned of_h = blocks[h][0] + blocks[h][1] + blocks[h][2];
		if (!of_h)
			continue;
		holder->shares[level]++;
		holder->cause[level] += (double)free_bytes * blocks[h][oldest] / old;
		if (holders == 1) {
			holder->sole[level] += (double)free_bytes;
			holder->alone[level] += free_bytes ? resident : 0;
			holder->count[level] += free_bytes > 0;
		} else {
			holder->shared[level] += (double)free_bytes * of_h / all;
		}
	}
}

static void model_pool(struct model *model, const struct example *e,
		       const struct surveyed_pool *pool)
{
	bool is_mixed = (pool->live[0] > 0) + (pool->live[1] > 0) + (pool->live[2] > 0) > 1;
	uint64_t before;

	model->pools++;
	model->mixed += is_mixed;
	if (!pool->states)
		return;
	for (int b = 0; b < (int)pool->capacity; b++) {
		if (block_at(pool, pool->start + (uint64_t)b * pool->block_bytes) < 0)
			continue;
		struct model_holder *holder = &model->holders[model_holder(model, pool, b)];
		holder->live_count++;
		holder->live_bytes += pool->block_bytes;
		holder->live[survey_state(pool, (uint32_t)b) - 1]++;
	}
	before = model->pinned[PIN_POOL];
	model_part(model, e, pool, pool->first, pool->first + pool->bytes, PIN_POOL);
	model->mixed_bytes += is_mixed ? model->pinned[PIN_POOL] - before : 0;
	for (uint64_t page = pool->first; page < pool->first + pool->bytes; page += PAGE)
		model_part(model, e, pool, page, page + PAGE, PIN_PAGE);
}

static const struct holder *same_in(const struct pins *pins, const struct model_holder *wanted)
{
	for (size_t i = 0; i < pins->count; i++) {
		const struct holder *h = &pins->holders[i];
		if (h->is_site == wanted->is_site && h->frame == wanted->frame &&
		    h->owner == wanted->owner && h->size_class == wanted->size_class)
			return h;
	}
	return NULL;
}

/* Each share is rounded down, so the sum may lack up to a byte for each. */
static void expect_near(uint64_t seed, const char *what, uint64_t actual, double expected,
			unsigned shares)
{
	cr_assert((double)actual <= expected + 0.001 && (double)actual >= expected - shares,
		  "seed %lu: %s is %lu, not %.3f", seed, what, actual, expected);
}

static void expect_holder(uint64_t seed, const struct holder *actual,
			  const struct model_holder *expected)
{
	cr_assert(actual, "seed %lu: a holder is missing", seed);
	cr_assert_eq(actual->live_count, expected->live_count, "seed %lu", seed);
	cr_assert_eq(actual->live_bytes, expected->live_bytes, "seed %lu", seed);
	cr_assert_arr_eq(actual->live, expected->live, sizeof actual->live, "seed %lu", seed);
	for (unsigned level = 0; level < PIN_LEVELS; level++) {
		const struct pinned *at = &actual->at[level];
		expect_near(seed, "sole", at->sole, expected->sole[level], 0);
		expect_near(seed, "shared", at->shared, expected->shared[level],
			    expected->shares[level]);
		expect_near(seed, "cause", at->cause, expected->cause[level],
			    expected->shares[level]);
		cr_assert_eq(at->alone, expected->alone[level], "seed %lu", seed);
		cr_assert_eq(at->count, expected->count[level], "seed %lu", seed);
	}
}

/* By pages: sets hold all resident bytes of pages with free ones; what is in one of one holder is `alone`. */
static void expect_sets(uint64_t seed, const struct pins *pins)
{
	for (size_t i = 0; i < pins->count; i++) {
		uint64_t alone = 0;
		for (size_t s = 0; s < pins->set_count; s++)
			if (pins->sets[s].count == 1 && pins->sets[s].holders[0] == i)
				alone += pins->sets[s].bytes;
		cr_assert_eq(alone, pins->holders[i].at[PIN_PAGE].alone, "seed %lu", seed);
	}
}

Test(analyzer_pins, each_figure_as_a_model_that_looks_at_each_byte)
{
	for (uint64_t seed = 1; seed <= 1500; seed++) {
		struct example *e = make(seed);
		struct model model = {.count = 0};
		struct pins pins;

		for (size_t i = 0; i < e->survey.pool_count; i++)
			if (e->pools[i].state == PM_SURVEY_BLOCKS && e->pools[i].live_count)
				model_pool(&model, e, &e->pools[i]);
		cr_assert(pins_make(&e->process, e->process.survey, &pins));
		cr_assert_eq(pins.count, model.count, "seed %lu", seed);
		for (unsigned h = 0; h < model.count; h++)
			expect_holder(seed, same_in(&pins, &model.holders[h]), &model.holders[h]);
		for (unsigned level = 0; level < PIN_LEVELS; level++)
			cr_assert_eq(pins.pinned[level], model.pinned[level], "seed %lu", seed);
		cr_assert_eq(pins.pool_count, model.pools, "seed %lu", seed);
		cr_assert_eq(pins.mixed_count, model.mixed, "seed %lu", seed);
		cr_assert_eq(pins.mixed_bytes, model.mixed_bytes, "seed %lu", seed);
		cr_assert_eq(pins.idle_bytes, model.idle, "seed %lu", seed);
		expect_sets(seed, &pins);
		pins_free(&pins);
		destroy(e);
	}
}

Test(analyzer_pins, a_pool_that_does_not_lie_in_one_arena_is_left_out)
{
	struct example *e = make(1);
	struct surveyed_pool pool = {.first = BASE + ARENA - UNIT,
				     .bytes = 2 * UNIT,
				     .start = BASE + ARENA - UNIT,
				     .block_bytes = 16,
				     .capacity = 100,
				     .live_count = 1,
				     .live = {1},
				     .state = PM_SURVEY_BLOCKS};
	struct pins pins;

	pool.states = calloc(8, sizeof *pool.states);
	pool.states[0] = 1;
	for (size_t i = 0; i < e->survey.pool_count; i++) {
		free(e->pools[i].states);
		free(e->pools[i].which);
	}
	e->pools[0] = pool;
	e->survey.pool_count = 1;
	cr_assert(pins_make(&e->process, e->process.survey, &pins));
	cr_expect_eq(pins.count, 0);
	cr_expect_eq(pins.pool_count, 1);
	pins_free(&pins);
	destroy(e);
}

/* --- a model of the waterfall -------------------------------------------------------------------------------- */

static const struct surveyed_pool *pool_at(const struct example *e, uint64_t address)
{
	for (size_t i = 0; i < e->survey.pool_count; i++)
		if (address >= e->pools[i].first && address - e->pools[i].first < e->pools[i].bytes)
			return &e->pools[i];
	return NULL;
}

/* live: what of the pools is live, by pool. */
static void model_byte(const struct example *e, uint64_t address, uint64_t *parts, uint64_t *live)
{
	const struct surveyed_pool *pool = pool_at(e, address);

	if (!pool)
		parts[WATERFALL_RETAINED]++;
	else if (pool->state == PM_SURVEY_KEPT)
		parts[WATERFALL_CACHED]++;
	else if (!pool->live_count)
		parts[WATERFALL_RETAINED]++;
	else if (block_at(pool, address) >= 0)
		live[pool - e->pools]++;
	else if (address >= pool->start && address - pool->start < pool->capacity * pool->block_bytes)
		parts[WATERFALL_PINNED]++;
	else
		parts[WATERFALL_TAIL]++;
}

/* Requested bytes where each live block is recorded; false: they are not. */
static bool model_requested(const struct example *e, const uint64_t *live, double *ret)
{
	*ret = 0;
	for (size_t i = 0; i < e->survey.pool_count; i++) {
		const struct surveyed_pool *pool = &e->pools[i];
		if (live[i] && pool->recorded != pool->live_count)
			return false;
		if (live[i])
			*ret += (double)live[i] * (double)pool->recorded_requested /
				((double)pool->live_count * (double)pool->block_bytes);
	}
	return true;
}

static void expect_split(uint64_t seed, const struct example *e, const struct waterfall *waterfall,
			 const uint64_t *live)
{
	uint64_t all = 0;
	double requested;

	for (size_t i = 0; i < e->survey.pool_count; i++)
		all += live[i];
	cr_assert_eq(waterfall->part[WATERFALL_REQUESTED] + waterfall->part[WATERFALL_SLACK], all,
		     "seed %lu", seed);
	bool is_exact = model_requested(e, live, &requested);
	cr_assert_eq(waterfall->split, is_exact ? SPLIT_EXACT : SPLIT_NONE, "seed %lu", seed);
	double wrong = (double)waterfall->part[WATERFALL_REQUESTED] - requested;
	cr_assert(!is_exact || (wrong < 20 && wrong > -20), "seed %lu: by %f", seed, wrong);
}

static void expect_others(uint64_t seed, const struct example *e, const struct waterfall *waterfall)
{
	uint64_t own = e->range_parts[0] + e->range_parts[1], rss = 0, others = 0;

	for (unsigned i = ARENAS; i < ARENAS + MAPPINGS; i++)
		rss += e->mappings[i].rss;
	for (size_t i = 0; i < waterfall->other_count; i++) {
		others += waterfall->others[i].rss;
		for (size_t j = 0; j < i; j++)
			cr_assert_str_neq(waterfall->others[i].name, waterfall->others[j].name);
		cr_assert(!i || waterfall->others[i - 1].rss >= waterfall->others[i].rss);
	}
	cr_assert_eq(waterfall->part[WATERFALL_META], e->range_parts[0], "seed %lu", seed);
	cr_assert_eq(waterfall->part[WATERFALL_TELEMETRY], e->range_parts[1], "seed %lu", seed);
	cr_assert_eq(waterfall->part[WATERFALL_OTHER], rss - own, "seed %lu", seed);
	cr_assert_eq(others, rss - own, "seed %lu", seed);
}

Test(analyzer_pins, the_waterfall_as_a_model_that_looks_at_each_byte)
{
	static const enum waterfall_part of_heap[] = {WATERFALL_PINNED, WATERFALL_RETAINED,
						      WATERFALL_CACHED, WATERFALL_TAIL};

	for (uint64_t seed = 1; seed <= 1500; seed++) {
		struct example *e = make(seed);
		uint64_t parts[WATERFALL_COUNT] = {0}, live[POOLS_MAX] = {0};
		struct waterfall waterfall;

		for (uint64_t at = 0; at < SPACE; at++)
			if (is_resident(e, at))
				model_byte(e, BASE + at, parts, live);
		waterfall_make(&e->process, e->process.survey, &waterfall);
		cr_assert_eq(waterfall.basis, WATERFALL_SURVEY);
		for (unsigned i = 0; i < sizeof of_heap / sizeof *of_heap; i++)
			cr_assert_eq(waterfall.part[of_heap[i]], parts[of_heap[i]],
				     "seed %lu: %s is %lu, not %lu", seed, waterfall_key(of_heap[i]),
				     waterfall.part[of_heap[i]], parts[of_heap[i]]);
		expect_split(seed, e, &waterfall, live);
		expect_others(seed, e, &waterfall);
		cr_assert_eq(waterfall.residual, 0, "seed %lu", seed);
		waterfall_free(&waterfall);
		destroy(e);
	}
}

Test(analyzer_pins, without_a_pool_its_resident_bytes_are_the_residual)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct example *e = make(seed);
		const struct surveyed_pool *gone = &e->pools[e->survey.pool_count - 1];
		uint64_t hidden = 0;
		struct waterfall waterfall;

		for (uint64_t at = gone->first; at < gone->first + gone->bytes; at++)
			hidden += is_resident(e, at - BASE);
		e->survey.pool_count--;
		waterfall_make(&e->process, e->process.survey, &waterfall);
		e->survey.pool_count++;
		cr_assert_eq(waterfall.residual, (int64_t)hidden, "seed %lu", seed);
		waterfall_free(&waterfall);
		destroy(e);
	}
}

/* --- the choice ---------------------------------------------------------------------------------------------- */

enum { CHOOSERS = 18, SETS = 60 };

static uint64_t subset_bytes[1 << CHOOSERS];

static struct pins random_sets(uint64_t seed, uint32_t holders)
{
	struct pins pins = {.holders = calloc(holders, sizeof *pins.holders),
			    .count = holders,
			    .sets = calloc(SETS, sizeof *pins.sets),
			    .set_count = 1 + below(SETS)};

	random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 5;
	for (size_t s = 0; s < pins.set_count; s++) {
		uint32_t at = 0, often = 1 + below(4);
		pins.sets[s].holders = calloc(holders, sizeof *pins.sets[s].holders);
		for (uint32_t h = 0; h < holders; h++)
			if (below(holders) < often)
				pins.sets[s].holders[at++] = h;
		if (!at)
			pins.sets[s].holders[at++] = below(holders);
		pins.sets[s].count = at;
		pins.sets[s].bytes = 4096 * (1 + below(below(4) ? 10 : 1000));
	}
	return pins;
}

static uint64_t freed_by(const struct pins *pins, uint32_t chosen)
{
	uint64_t bytes = 0;

	for (size_t s = 0; s < pins->set_count; s++) {
		bool is_gone = true;
		for (uint32_t i = 0; i < pins->sets[s].count; i++)
			is_gone = is_gone && chosen >> pins->sets[s].holders[i] & 1;
		bytes += is_gone ? pins->sets[s].bytes : 0;
	}
	return bytes;
}

/* The fewest holders whose blocks give so much. */
static unsigned fewest(const struct pins *pins, uint64_t wished)
{
	unsigned least = (unsigned)pins->count;

	for (uint32_t chosen = 0; chosen < 1U << pins->count; chosen++)
		if ((unsigned)__builtin_popcount(chosen) < least && freed_by(pins, chosen) >= wished)
			least = (unsigned)__builtin_popcount(chosen);
	return least;
}

/* Chooses, and sees that what is promised is true; returns how many were chosen. */
static unsigned choose(uint64_t seed, const struct pins *pins, uint64_t wished)
{
	struct pin_choice choice;
	uint32_t chosen = 0;
	uint64_t bytes = 0;

	pins_choose(pins, wished, &choice);
	for (size_t i = 0; i < choice.count; i++) {
		cr_assert(!(chosen >> choice.holders[i] & 1), "seed %lu: twice", seed);
		chosen |= 1U << choice.holders[i];
		bytes += choice.gain[i];
		cr_assert_eq(bytes, freed_by(pins, chosen), "seed %lu: after %zu", seed, i);
	}
	cr_assert_eq(choice.bytes, bytes, "seed %lu", seed);
	uint64_t all = freed_by(pins, (1U << pins->count) - 1);
	cr_assert(bytes >= (wished < all ? wished : all), "seed %lu: too little", seed);
	pin_choice_free(&choice);
	return (unsigned)__builtin_popcount(chosen);
}

static void free_sets(struct pins *pins)
{
	for (size_t s = 0; s < pins->set_count; s++)
		free(pins->sets[s].holders);
	free(pins->sets);
	free(pins->holders);
}

Test(analyzer_pins, of_few_holders_the_choice_is_the_smallest_there_is)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct pins pins = random_sets(seed, 3 + (uint32_t)seed % 8);
		uint64_t all = freed_by(&pins, (1U << pins.count) - 1);

		for (unsigned tenths = 1; tenths <= 11; tenths += 2) {
			uint64_t wished = all * tenths / 10;
			unsigned chosen = choose(seed, &pins, wished);
			unsigned least = fewest(&pins, wished < all ? wished : all);
			cr_assert_eq(chosen, least, "seed %lu, %u tenths: %u, not %u", seed, tenths,
				     chosen, least);
		}
		free_sets(&pins);
	}
}

static void sum_subsets(const struct pins *pins)
{
	memset(subset_bytes, 0, sizeof subset_bytes);
	for (size_t s = 0; s < pins->set_count; s++) {
		uint32_t in = 0;
		for (uint32_t i = 0; i < pins->sets[s].count; i++)
			in |= 1U << pins->sets[s].holders[i];
		subset_bytes[in] += pins->sets[s].bytes;
	}
	for (unsigned bit = 0; bit < CHOOSERS; bit++)
		for (uint32_t subset = 0; subset < 1U << CHOOSERS; subset++)
			if (subset >> bit & 1)
				subset_bytes[subset] += subset_bytes[subset ^ 1U << bit];
}

/* Seen: of 500 cases of 18 holders 487 the fewest, 13 one more. */
Test(analyzer_pins, of_more_holders_the_choice_is_seldom_larger_than_it_must_be)
{
	unsigned more_by[CHOOSERS + 1] = {0}, cases = 0;

	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct pins pins = random_sets(seed, CHOOSERS);
		sum_subsets(&pins);
		uint64_t all = subset_bytes[(1U << CHOOSERS) - 1];
		for (unsigned tenths = 1; tenths <= 9; tenths += 2) {
			unsigned least = CHOOSERS, chosen = choose(seed, &pins, all * tenths / 10);
			for (uint32_t subset = 0; subset < 1U << CHOOSERS; subset++)
				if (subset_bytes[subset] >= all * tenths / 10 &&
				    (unsigned)__builtin_popcount(subset) < least)
					least = (unsigned)__builtin_popcount(subset);
			cr_assert(chosen >= least);
			more_by[chosen - least]++;
			cases++;
		}
		free_sets(&pins);
	}
	cr_expect(more_by[0] * 100 >= cases * 95, "%u of %u are the fewest", more_by[0], cases);
	cr_expect_eq(more_by[0] + more_by[1], cases);
}
