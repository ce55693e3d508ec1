/* SPDX-License-Identifier: MIT */
/* The map of synthetic heaps against one that is kept unit by unit; merged cells against sums over those units. */
#define _GNU_SOURCE 1

#include "study/map.h"
#include "unit/recording_helper.h"
#include "unit/segment_builder.h"

#include <criterion/criterion.h>

enum { ARENAS = 6, UNITS = ARENAS * PM_ARENA_UNITS };

#define BASE UINT64_C(0x7f0000000000)
#define ARENA_BYTES (UINT64_C(1) << 22)

/* What one unit is, said once more. */
struct unit {
	enum map_kind kind;
	double live, room; /* its share */
	int thing;         /* units of one pool or block have the same number */
};

struct scene {
	struct builder b;
	struct recording recording;
	struct study study;
	struct map_query query;
	struct map map;
	struct unit units[UNITS];
};

static uint32_t any(void)
{
	static uint32_t state = 7;
	state = state * 1664525 + 1013904223;
	return state >> 8;
}

/* Chunks 2 and 3 are a map of three arenas each at most. */
static void begin(struct scene *scene)
{
	memset(scene, 0, sizeof *scene);
	scene->b = builder_begin(1000, false);
	builder_process(&scene->b, 1000, 1, 0, PM_STATE_EXITED);
	builder_slot(&scene->b, scene->b.leader, 1, PM_SLOT_THREAD, 1001);
	builder_allocated(&scene->b, scene->b.leader, 3, 10);
	builder_add(&scene->b, PM_CHUNK_MAP, scene->b.leader, 0);
}

static struct pm_arena *arena_at(struct scene *scene, uint32_t index, uint32_t mapped)
{
	return builder_arena(&scene->b, builder_header(&scene->b)->chunks - 1, index,
			     BASE + index * ARENA_BYTES, mapped);
}

static void read_scene(struct scene *scene, const char *filter, const char *by, const char *order)
{
	struct failure why = {FAILURE_NONE, ""};

	cr_assert(read_bytes(scene->b.file.data, scene->b.file.count, &scene->recording, &why),
		  "%s", why.text);
	cr_assert(map_query_open(&scene->query, filter, by, order, &why), "%s", why.text);
	study_make(&scene->recording, &scene->query.query, &scene->study);
	map_make(&scene->recording, &scene->recording.processes[0], &scene->query, &scene->map);
}

static void end_scene(struct scene *scene)
{
	map_free(&scene->map);
	map_query_close(&scene->query);
	study_free(&scene->study);
	recording_free(&scene->recording);
	builder_free(&scene->b);
}

/* --- units, at random --------------------------------------------------------------------------------------- */

struct random_heap {
	struct scene *scene;
	struct pm_arena *arena;
	struct unit *units; /* of the arena */
	uint32_t mapped, at;
	int things;
};

static void put_pool(struct random_heap *heap)
{
	static const uint32_t classes[] = {3, 4, 20, 90};
	uint32_t size_class = classes[any() % 4];
	struct pm_class of = builder_class(size_class, heap->scene->b.class_count);
	uint32_t length = of.pool_bytes / PM_UNIT_BYTES;
	uint32_t capacity = of.pool_bytes / of.block_bytes;

	if (heap->at + length > heap->mapped)
		return;
	uint32_t live = any() % 4 ? any() % (capacity + 1) : capacity;
	heap->arena->pool[heap->at] = (struct pm_pool){
		.owner = heap->scene->b.leader + any() % 2,
		.live = (uint16_t)live,
		.capacity = (uint16_t)capacity,
		.state = PM_POOL_LIVE,
		.size_class = (uint8_t)size_class,
		.pages = of.pool_bytes / 4096,
		.touched_pages = (uint16_t)(of.pool_bytes / 4096),
	};
	heap->things++;
	for (uint32_t i = 0; i < length; i++)
		heap->units[heap->at++] = (struct unit){
			MAP_POOL, (double)live * of.block_bytes / length,
			(double)capacity * of.block_bytes / length, heap->things};
}

/* Cut where the arena ends. */
static void put_large(struct random_heap *heap)
{
	uint32_t length = 1 + any() % 20, left = heap->mapped - heap->at;

	length = length < left ? length : left;
	heap->arena->pool[heap->at] = (struct pm_pool){
		.state = PM_POOL_LARGE, .live = 1, .capacity = 1, .pages = length * 16 - any() % 16};
	heap->things++;
	for (uint32_t i = 0; i < length; i++)
		heap->units[heap->at++] = (struct unit){.kind = MAP_LARGE, .thing = heap->things};
}

static void put_free(struct random_heap *heap)
{
	bool is_dirty = any() % 2;

	heap->arena->free_units |= UINT64_C(1) << heap->at;
	heap->arena->dirty_units |= (uint64_t)is_dirty << heap->at;
	heap->units[heap->at++].kind = is_dirty ? MAP_DIRTY : MAP_CLEAN;
}

static void put_arena(struct scene *scene, uint32_t index, int *things)
{
	struct random_heap heap = {.scene = scene,
				   .units = scene->units + (size_t)index * PM_ARENA_UNITS,
				   .mapped = any() % 3 ? PM_ARENA_UNITS : any() % PM_ARENA_UNITS,
				   .things = *things};

	heap.arena = arena_at(scene, index, heap.mapped);
	while (heap.at < heap.mapped) {
		uint32_t before = heap.at;
		if (any() % 3)
			put_pool(&heap);
		else if (any() % 2)
			put_large(&heap);
		if (heap.at == before)
			put_free(&heap);
	}
	for (; heap.at < PM_ARENA_UNITS; heap.at++)
		heap.units[heap.at].kind = MAP_UNMAPPED;
	*things = heap.things;
}

static void check_cell(const struct scene *scene, const struct map_cell *cell, uint64_t first,
		       uint64_t scale)
{
	uint64_t count[MAP_KIND_COUNT] = {0}, most = 0;
	double live = 0, room = 0;
	uint64_t end = first + scale < UNITS ? first + scale : UNITS;

	for (uint64_t i = first; i < end; i++) {
		count[scene->units[i].kind]++;
		live += scene->units[i].live;
		room += scene->units[i].room;
	}
	for (int kind = 0; kind < MAP_KIND_COUNT; kind++) {
		cr_assert_eq(cell->units[kind], count[kind], "cell at %lu of %lu", first, scale);
		most = count[kind] > most ? count[kind] : most;
	}
	cr_assert_eq(count[cell->kind], most);
	for (int kind = 0; kind < (int)cell->kind; kind++)
		cr_assert_lt(count[kind], most, "the first of as many stands for all");
	cr_assert_float_eq(cell->live, live, 1e-6 * (live + 1));
	cr_assert_float_eq(cell->room, room, 1e-6 * (room + 1));
	if (room > 0)
		cr_assert_eq(cell->tenth, live < room ? (unsigned)(live * 10 / room + 1e-9) : 9);
	cr_assert_eq(cell->address, BASE + first * PM_UNIT_BYTES);
	cr_assert(cell->span || scale > 1);
}

/* A cell has a span if it is one thing: then all of its units are of one kind and, of pools and blocks, the same. */
static void check_span(const struct scene *scene, const struct map_cell *cell, uint64_t first,
		       uint64_t scale)
{
	bool is_one = true;

	for (uint64_t i = first; i < first + scale && i < UNITS; i++)
		is_one &= scene->units[i].kind == scene->units[first].kind &&
			  scene->units[i].thing == scene->units[first].thing &&
			  i / PM_ARENA_UNITS == first / PM_ARENA_UNITS;
	cr_assert_eq(cell->span != NULL, is_one, "cell at %lu of %lu", first, scale);
}

Test(map, merged_cells_are_sums_over_units_that_were_kept_one_by_one)
{
	for (int round = 0; round < 200; round++) {
		struct scene scene;
		int things = 0;

		begin(&scene);
		for (uint32_t index = 0; index < ARENAS; index++)
			put_arena(&scene, index, &things);
		read_scene(&scene, NULL, round % 2 ? "class" : NULL, NULL);
		for (uint64_t scale = 1; scale <= 1024; scale = scale < 8 ? scale + 1 : scale * 2) {
			uint64_t count = map_cell_count(&scene.map, scale);
			struct map_cell *cells = map_cells(&scene.map, scale);
			cr_assert_eq(count, (UNITS + scale - 1) / scale);
			for (uint64_t i = 0; i < count; i++) {
				check_cell(&scene, &cells[i], i * scale, scale);
				check_span(&scene, &cells[i], i * scale, scale);
			}
			free(cells);
		}
		end_scene(&scene);
	}
}

Test(map, the_scale_is_the_least_that_fits)
{
	struct scene scene;

	begin(&scene);
	for (uint32_t index = 0; index < ARENAS; index++)
		arena_at(&scene, index, 64)->free_units = UINT64_MAX;
	read_scene(&scene, NULL, NULL, NULL);
	cr_expect_eq(map_scale(&scene.map, UNITS), 1);
	cr_expect_eq(map_scale(&scene.map, UNITS - 1), 2);
	cr_expect_eq(map_scale(&scene.map, 1), 512);
	end_scene(&scene);
}

/* --- particulars --------------------------------------------------------------------------------------------- */

Test(map, a_large_block_goes_on_in_the_arenas_behind)
{
	struct scene scene;

	begin(&scene);
	struct pm_arena *first = arena_at(&scene, 0, 64), *second = arena_at(&scene, 1, 64),
			*third = arena_at(&scene, 2, 64);
	first->free_units = UINT64_MAX >> 4;
	first->pool[60] = (struct pm_pool){.state = PM_POOL_LARGE, .pages = 78 * 16 - 3};
	third->free_units = ~(UINT64_C(1023));
	(void)second;
	read_scene(&scene, NULL, NULL, NULL);
	cr_expect_eq(scene.map.large_blocks, 1);
	cr_expect_eq(scene.map.large_bytes, (78 * 16 - 3) * 4096);
	cr_expect_eq(scene.map.units[MAP_LARGE], 4 + 64 + 10);
	cr_expect_eq(scene.map.units[MAP_UNKNOWN], 0);
	cr_expect_eq(scene.map.spans[scene.map.arenas[1].first].is_continued, true);
	end_scene(&scene);
}

Test(map, units_that_nothing_describes_are_unknown)
{
	struct scene scene;

	begin(&scene);
	struct pm_arena *arena = arena_at(&scene, 0, 8);
	arena->free_units = 1 << 3;
	builder_pool(arena, 4, scene.b.leader, 3, 48, 100);
	/* A pool of one unit does not go on, and arenas apart are none behind the other. */
	arena_at(&scene, 2, 2);
	read_scene(&scene, NULL, NULL, NULL);
	cr_expect_eq(scene.map.units[MAP_UNKNOWN], 3 + 3 + 2);
	cr_expect_eq(scene.map.units[MAP_POOL], 1);
	end_scene(&scene);
}

Test(map, a_huge_block_counts_whole_and_is_drawn_as_an_arena)
{
	struct scene scene;

	begin(&scene);
	struct pm_arena *arena = arena_at(&scene, 0, 0), *small = arena_at(&scene, 1, 0);
	arena->kind = small->kind = PM_ARENA_HUGE;
	arena->huge_bytes = (UINT64_C(40) << 20) + 4096;
	arena->pool[0].state = PM_POOL_LARGE;
	small->huge_bytes = 10 * PM_UNIT_BYTES;       /* kept: no block lives there */
	arena_at(&scene, 2, 0)->kind = PM_ARENA_HUGE; /* a later arena of one: described by its first */
	read_scene(&scene, NULL, NULL, NULL);
	cr_expect_eq(scene.map.arena_count, 2);
	cr_expect_eq(scene.map.units[MAP_HUGE], 641);
	cr_expect_eq(scene.map.huge_bytes, (UINT64_C(40) << 20) + 4096);
	cr_expect_eq(scene.map.units[MAP_DIRTY], 10);
	cr_expect_eq(scene.map.huge_blocks, 1);
	cr_expect_eq(map_cell_count(&scene.map, 1), 128);
	cr_expect(scene.map.is_shortened);
	end_scene(&scene);
}

Test(map, a_block_of_any_length_makes_no_more_cells)
{
	struct scene scene;

	begin(&scene);
	for (uint32_t i = 0; i < ARENAS; i++) {
		struct pm_arena *arena = arena_at(&scene, i, 0);
		arena->kind = PM_ARENA_HUGE;
		arena->huge_bytes = UINT64_MAX - i;
		arena->pool[0].state = PM_POOL_LARGE;
	}
	read_scene(&scene, NULL, NULL, NULL);
	cr_expect_eq(map_cell_count(&scene.map, 1), UNITS);
	cr_expect_eq(scene.map.units[MAP_HUGE], ARENAS * (UINT64_C(1) << 31));
	free(map_cells(&scene.map, 1));
	end_scene(&scene);
}

static void two_arenas(struct scene *scene)
{
	begin(scene);
	struct pm_arena *full = arena_at(scene, 0, 4), *sparse = arena_at(scene, 1, 4);
	builder_pool(full, 0, scene->b.leader, 3, 48, 1300);
	builder_pool(full, 1, scene->b.leader + 1, 4, 64, 1000);
	builder_pool(sparse, 0, scene->b.leader + 1, 3, 48, 341); /* of 1,365: less than a quarter */
	builder_pool(sparse, 1, scene->b.leader, 4, 64, 256);     /* of 1,024: a quarter */
	full->free_units = sparse->free_units = 12;
}

Test(map, sparse_pools_are_those_less_than_a_quarter_full)
{
	struct scene scene;

	two_arenas(&scene);
	read_scene(&scene, NULL, NULL, NULL);
	cr_expect_eq(scene.map.sparse.pools, 1);
	cr_expect_eq(scene.map.sparse.live, 341);
	cr_expect_eq(scene.map.sparse.live_bytes, 341 * 48);
	cr_expect_eq(scene.map.sparse.touched_bytes, 4 * 4096);
	cr_expect_eq(scene.map.tenth[2].pools, 2);
	cr_expect_eq(scene.map.tenth[9].pools, 2);
	end_scene(&scene);
}

Test(map, arenas_by_occupancy_stand_emptiest_first)
{
	struct scene scene;

	two_arenas(&scene);
	arena_at(&scene, 2, 4)->free_units = 15;
	read_scene(&scene, NULL, NULL, "occupancy");
	cr_expect_eq(scene.map.arenas[0].base, BASE + ARENA_BYTES);
	cr_expect_eq(scene.map.arenas[1].base, BASE);
	cr_expect_eq(scene.map.arenas[2].base, BASE + 2 * ARENA_BYTES, "that without pools last");
	end_scene(&scene);
}

Test(map, what_the_filter_does_not_want_is_in_use_all_the_same)
{
	struct scene scene;

	two_arenas(&scene);
	read_scene(&scene, "class:^48$", NULL, NULL);
	cr_expect_eq(scene.map.pools.pools, 2);
	cr_expect_eq(scene.map.units[MAP_FILTERED], 2);
	cr_expect_eq(scene.map.mapped_units, 8);
	end_scene(&scene);
	two_arenas(&scene);
	read_scene(&scene, "thread:1001", "owner", NULL);
	cr_expect_eq(scene.map.group_count, 1);
	cr_expect_eq(scene.map.groups[0].owner->tid, 1001);
	cr_expect_eq(scene.map.pools.live, 1000 + 341);
	end_scene(&scene);
}

/* With more groups than have a colour. */
Test(map, groups_stand_by_units_and_the_rest_is_summed)
{
	struct scene scene;
	uint64_t pools = 0;

	begin(&scene);
	for (uint32_t index = 0; index < 2; index++) {
		struct pm_arena *arena = arena_at(&scene, index, 64);
		for (uint32_t unit = 0, size_class = 1; unit < 64; unit++) {
			builder_pool(arena, unit, 0, size_class, size_class * 16, 1);
			size_class = unit % 5 ? size_class : size_class + 1;
		}
	}
	read_scene(&scene, NULL, "class", NULL);
	cr_assert_eq(scene.map.group_count, 14);
	for (size_t i = 0; i < scene.map.group_count; i++) {
		pools += scene.map.groups[i].pools.pools;
		cr_expect(!i ||
			  scene.map.groups[i].pools.units <= scene.map.groups[i - 1].pools.units);
		cr_expect(scene.map.groups[i].owner == NULL);
	}
	cr_expect_eq(pools, 128);
	uint64_t others = 0;
	for (size_t i = MAP_GROUPS_SHOWN; i < 14; i++)
		others += scene.map.groups[i].pools.pools;
	cr_expect_eq(scene.map.others.pools, others);
	for (size_t i = 0; i < scene.map.span_count; i++)
		cr_expect_eq(scene.map.groups[scene.map.spans[i].group].key,
			     scene.map.spans[i].pool->size_class);
	end_scene(&scene);
}
