/* SPDX-License-Identifier: MIT */
/* Survival: flow with frozen blocks, curve, phases and what-if of synthetic segments. */
#define _GNU_SOURCE 1

#include "study/schedule.h"
#include "unit/recording_helper.h"
#include "unit/segment_builder.h"

#include <criterion/criterion.h>

/* A segment with one process, read when it is complete. */
struct scene {
	struct builder b;
	struct recording recording;
	struct study study;
};

static void read_scene(struct scene *scene)
{
	struct failure why = {FAILURE_NONE, ""};
	struct query query;

	cr_assert(read_bytes(scene->b.file.data, scene->b.file.count, &scene->recording, &why),
		  "%s", why.text);
	cr_assert(query_open(&query, NULL, "old", &why));
	study_make(&scene->recording, &query, &scene->study);
	query_close(&query);
}

static void end_scene(struct scene *scene)
{
	study_free(&scene->study);
	recording_free(&scene->recording);
	builder_free(&scene->b);
}

/* builder_example(), swept, with marks and frozen blocks. */
static void marked_scene(struct scene *scene)
{
	scene->b = builder_example(1000, PM_STATE_EXITED, true);
	builder_example_swept(&scene->b);
	builder_example_marked(&scene->b);
	read_scene(scene);
}

static struct pm_survival *survival_of(struct builder *b)
{
	for (uint32_t n = 1; n < builder_header(b)->chunks; n++)
		if (((struct pm_chunk *)builder_chunk(b, n))->kind == PM_CHUNK_SURVIVAL)
			return builder_chunk(b, n);
	return NULL;
}

Test(survival, frozen_blocks_are_taken_out_of_generation_2)
{
	struct scene scene;
	marked_scene(&scene);
	const struct survival *survival = &scene.study.total.generations.survival;
	const struct flow *blocks = &survival->blocks;

	cr_expect_eq(blocks->frozen_now, 200);
	cr_expect_eq(blocks->frozen_died, 30);
	cr_expect_eq(blocks->entered[2], 1151);
	cr_expect_eq(blocks->died[2], 100 - 30);
	cr_expect_eq(blocks->live[2], 1051 - 200);
	cr_expect_eq(blocks->entered[2], blocks->died[2] + blocks->live[2] + flow_frozen(blocks));
	cr_expect_eq(survival->bytes.live[2], 500 * 48 + 350 * 64 + (1 << 20));
	cr_expect_eq(flow_frozen(&survival->bytes), 230 * 64);
	cr_expect_eq(survival->uncertain, 12);
	cr_expect_eq(metric(&scene.study.total.metrics, METRIC_GEN_2_LIVE), 851);
	cr_expect_eq(metric(&scene.study.total.metrics, METRIC_GEN_2_DIED_BYTES), 70 * 64);
	cr_expect_eq(metric(&scene.study.total.metrics, METRIC_GEN_1_SWEEPS), 1);
	end_scene(&scene);
}

Test(survival, frozen_figures_that_cannot_be_are_bounded)
{
	struct scene scene;
	scene.b = builder_example(1000, PM_STATE_EXITED, true);
	builder_example_swept(&scene.b);
	builder_frozen(survival_of(&scene.b), 4, (struct pm_frozen){INT64_MAX, 1000});
	builder_frozen(survival_of(&scene.b), 3, (struct pm_frozen){UINT64_MAX, UINT64_MAX});
	read_scene(&scene);
	const struct flow *blocks = &scene.study.total.generations.survival.blocks;

	cr_expect_eq(blocks->frozen_died, 100, "no more than died");
	cr_expect_eq(blocks->died[2], 0);
	cr_expect_leq(blocks->live[2], 1051);
	end_scene(&scene);
}

/* A record whose sweeps take all the room has no frozen blocks behind them. */
Test(survival, older_records_have_no_room_for_frozen_blocks)
{
	struct scene scene;
	scene.b = builder_example(1000, PM_STATE_EXITED, true);
	builder_example_swept(&scene.b);
	struct pm_survival *survival = survival_of(&scene.b);
	builder_frozen(survival, 4, (struct pm_frozen){200, 30});
	size_t used = __builtin_offsetof(struct pm_survival, table) +
		      2 * (16 + survival->class_room * sizeof(struct pm_survivors)) +
		      survival->class_room * 24;
	survival->sweep_room = (uint32_t)((scene.b.chunk_bytes - used) / sizeof(struct pm_sweep));
	read_scene(&scene);
	cr_expect_eq(scene.study.total.generations.survival.blocks.live[2], 1051);
	end_scene(&scene);
}

/* Deaths at 0, 1, 2 to 3, 1 to 3 in generation 1: of these ages only 0 and 3 are told apart. */
Test(survival, the_curve_has_points_where_no_range_straddles)
{
	struct scene scene;
	scene.b = builder_example(1000, PM_STATE_EXITED, true);
	builder_example_swept(&scene.b);
	read_scene(&scene);
	const struct curve *curve = &scene.study.total.curve;

	cr_expect_eq(curve->born, 11327);
	cr_assert_eq(curve->count, 4);
	cr_expect_eq(curve->points[0].age, 0);
	cr_expect_eq(curve->points[0].blocks, 11327 - 8003);
	cr_expect_eq(curve->points[0].bytes, curve->born_bytes - 8000 * 48 - (3 << 20));
	cr_expect_eq(curve->points[1].age, 3);
	cr_expect_eq(curve->points[1].blocks, 11327 - 8003 - 400 - 50 - 1500);
	cr_expect_eq(curve->points[3].age, 9, "the epochs are 11, no block is older");
	end_scene(&scene);
}

Test(survival, the_curve_of_hand_made_rows)
{
	static const struct age_row rows[] = {
		{.generation = 0, .age_min = 0, .age_max = 0, .died = 10, .lost = 4},
		{.generation = 1, .age_min = 1, .age_max = 7, .died = 0},
		{.generation = 2, .age_min = 1, .age_max = 3, .died = 5},
		{.generation = 2, .age_min = 4, .age_max = 15, .died = 1},
		{.generation = 2, .age_min = 16, .age_max = UINT32_MAX, .died = 2},
	};
	const struct curve_point born = {0, 20, 0};
	struct curve curve;

	curve_make(rows, 5, &born, 1000, &curve);
	cr_assert_eq(curve.count, 3);
	cr_expect_eq(curve.points[0].blocks, 20 - 6, "those of departed children left out");
	cr_expect_eq(curve.points[1].age, 3);
	cr_expect_eq(curve.points[1].blocks, 20 - 6 - 5);
	cr_expect_eq(curve.points[2].age, 15, "7 lies within 4 to 15");
	cr_expect_eq(curve.points[2].blocks, 20 - 6 - 5 - 1);
	curve_free(&curve);
	curve_make(rows, 5, &born, 3, &curve);
	cr_expect_eq(curve.count, 1);
	curve_free(&curve);
}

Test(survival, phases_lie_between_marks)
{
	struct scene scene;
	marked_scene(&scene);
	const struct phases *phases = &scene.study.total.phases;

	cr_expect_eq(scene.study.marked_count, 1);
	cr_assert_eq(phases->count, 4);
	const struct phase *first = &phases->list[0], *load = &phases->list[1];
	const struct phase *last = &phases->list[3];
	cr_expect_null(first->name);
	cr_expect_eq(first->allocated, 2000);
	cr_expect_eq(first->live, 1500);
	cr_expect_str_eq(load->name, "load");
	cr_expect_eq(load->allocated, 5000);
	cr_expect_eq(load->died, 4000 + 100 + 20 + 600);
	cr_expect_eq(load->died_young, 4000);
	cr_expect_eq(load->elapsed_ns, 400000000);
	cr_expect_eq(load->sweeps[0], 4);
	cr_expect_eq(load->live_bytes, 1400000 - 1200000 - 4800 - 1280 - 28800);
	cr_expect_eq(phases->list[2].sweeps[1], 1);
	cr_expect_eq(strlen(last->name), PM_MARK_NAME - 1, "a name ends, whatever the file says");
	cr_expect_eq(last->allocated, 327);
	cr_expect_eq(last->live, 1274);
	cr_expect_eq(last->epochs, 1);
	end_scene(&scene);
}

static uint64_t count_of_note(const struct study *study, const char *key)
{
	for (size_t i = 0; i < study->total.notes.count; i++)
		if (strcmp(study->total.notes.notes[i].key, key) == 0)
			return study->total.notes.notes[i].count;
	return 0;
}

Test(survival, marks_without_room_are_counted)
{
	struct scene scene;
	scene.b = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t number = builder_marks(&scene.b, scene.b.leader, 0);
	uint32_t room = ((struct pm_marks *)builder_chunk(&scene.b, number))->room;
	for (uint32_t i = 0; i < room + 3; i++)
		builder_mark(&scene.b, number, "again", (struct pm_mark){.allocated = i * 10});
	read_scene(&scene);
	cr_expect_eq(scene.study.total.phases.count, room + 1);
	cr_expect_eq(count_of_note(&scene.study, "marks_dropped"), 3);
	end_scene(&scene);
}

Test(survival, phases_of_several_processes_are_each_ones_own)
{
	struct scene scene;
	scene.b = builder_example(1000, PM_STATE_EXITED, true);
	builder_example_marked(&scene.b);
	uint32_t child = builder_process(&scene.b, 1005, 1000, scene.b.leader, PM_STATE_EXITED);
	builder_mark(&scene.b, builder_marks(&scene.b, child, 0), "child", (struct pm_mark){0});
	read_scene(&scene);
	cr_expect_eq(scene.study.marked_count, 2);
	cr_expect_eq(scene.study.total.phases.count, 0);
	cr_expect_eq(scene.study.processes[0].figures.phases.count, 4);
	cr_expect_eq(scene.study.processes[1].figures.phases.count, 2);
	end_scene(&scene);
}

/* What lives in no process whose sweeps were not recorded passes for the whole. */
Test(survival, metrics_of_all_or_none)
{
	struct scene scene;
	scene.b = builder_example(1000, PM_STATE_EXITED, true);
	builder_example_swept(&scene.b);
	builder_slot(&scene.b, scene.b.leader, 3, PM_SLOT_DEPARTED, 0);
	builder_record(&scene.b, scene.b.leader)->recycled_children = 9;
	read_scene(&scene);
	const struct metrics *total = &scene.study.total.metrics;
	cr_expect_not(total->value[METRIC_GEN_0_ENTERED].is_known);
	cr_expect_not(total->value[METRIC_GEN_2_LIVE_BYTES].is_known);
	cr_expect(total->value[METRIC_GEN_0_SWEEPS].is_known);
	cr_expect_eq(metric(&scene.study.processes[0].figures.metrics, METRIC_GEN_0_ENTERED), 11327);
	cr_expect_eq(scene.study.total.classes.flows_unknown, 1);
	cr_expect_eq(count_of_note(&scene.study, "sweeps_unknown"), 9);
	end_scene(&scene);
}

static uint64_t youngest_of(const struct class_table *classes)
{
	uint64_t most = 0;
	for (size_t i = 0; i < classes->count; i++)
		most = classes->rows[i].died_young > most ? classes->rows[i].died_young : most;
	return most;
}

Test(survival, classes_have_their_generations)
{
	struct scene scene;
	marked_scene(&scene);
	const struct class_table *classes = &scene.study.total.classes;

	cr_expect_str_eq(classes->rows[0].name, "64", "most came to generation 2");
	cr_expect_eq(classes->rows[0].flow.entered[2], 650);
	cr_expect_eq(classes->rows[0].flow.live[2], 350);
	cr_expect_str_eq(classes->oldest.name, "64");
	cr_expect_gt(classes->youngest.died_young, 0);
	cr_expect_eq(classes->youngest.died_young, youngest_of(classes), "most blocks died young");
	cr_assert_eq(classes->lasting_count, 3);
	cr_expect_str_eq(classes->lasting[0].name, "large");
	cr_expect_eq(classes->lasting[0].flow_bytes.live[2], 1 << 20);
	cr_expect_str_eq(classes->lasting[1].name, "48");
	end_scene(&scene);
}

/* --- what if ---------------------------------------------------------------------------------------------- */

enum { EPOCHS = 120 };

/*
 * 120 epochs of 1,000, thresholds 1000:2:100: 90 young and 30 middle sweeps.  1,000 blocks died at age 0, 400 at
 * age 1, 800 at 2 to 3, the latter in generation 1; 100 live that came to generation 2.
 */
static void simple_scene(struct scene *scene)
{
	scene->b = builder_begin(1000, true);
	struct builder *b = &scene->b;
	uint32_t leader = builder_process(b, 1000, 1, 0, PM_STATE_EXITED);
	struct pm_process *record = builder_record(b, leader);
	struct pm_age *ages = (void *)(b->file.data + builder_header(b)->ages.offset);

	ages[1].generation = ages[2].generation = 1;
	record->epoch = EPOCHS;
	record->clock = EPOCHS * 1000;
	record->threshold[1] = 2;
	record->threshold[2] = 100;
	record->sweeps[0] = 90;
	record->sweeps[1] = 30;
	builder_allocated(b, leader, 3, 2300);
	builder_freed(b, leader, 3, 0, 1000);
	builder_freed(b, leader, 3, 1, 400);
	builder_freed(b, leader, 3, 2, 800);
	builder_survivors(builder_survival(b, leader), 0, EPOCHS, 3,
			  (struct pm_survivors){1300, 100, 0});
	read_scene(scene);
}

static struct what_if ask(uint32_t a, uint32_t b, uint32_t c)
{
	const uint32_t threshold[] = {a, b, c};
	struct what_if what_if;
	struct scene scene;

	simple_scene(&scene);
	what_if_of(&scene.study, threshold, &what_if);
	end_scene(&scene);
	return what_if;
}

static void expect_range(struct what_if_range range, uint64_t low, uint64_t high)
{
	cr_expect(range.low == low && range.high == high, "%llu to %llu, not %llu to %llu",
		  (unsigned long long)range.low, (unsigned long long)range.high,
		  (unsigned long long)low, (unsigned long long)high);
}

Test(what_if, same_thresholds)
{
	struct what_if what_if = ask(1000, 2, 100);
	expect_range(what_if.blocks.survived[0], 1300, 1300);
	expect_range(what_if.blocks.entered[2], 100, 100);
	expect_range(what_if.sweeps[1], 30, 30);
}

/* Each 8th sweep is a middle one: who outlived d ends met one with probability d / 8, in 15 sweeps of such a kind. */
Test(what_if, other_middle_sweeps)
{
	struct what_if what_if = ask(1000, 6, 100);
	double met_low = 400 / 8.0 + 800 * 2 / 8.0, met_high = 400 / 8.0 + 800 * 3 / 8.0;

	expect_range(what_if.blocks.entered[0], 2300, 2300);
	expect_range(what_if.blocks.survived[0], 1300, 1300);
	expect_range(what_if.blocks.died[0], 1000, 1000);
	expect_range(what_if.sweeps[0], 105, 105);
	expect_range(what_if.sweeps[1], 15, 15);
	expect_range(what_if.sweeps[2], 0, 0);
	/* Not narrower than what the ranges of ages say, nor wider than two thirds more or less. */
	cr_expect_leq(what_if.blocks.died[2].low, met_low);
	cr_expect_geq(what_if.blocks.died[2].low, met_low / 3);
	cr_expect_geq(what_if.blocks.died[2].high, met_high);
	cr_expect_leq(what_if.blocks.died[2].high, met_high * 5 / 3);
	/* 15 of 120 sweeps move straight to generation 2. */
	cr_expect_leq(what_if.blocks.entered[1].low, 1300 * 105 / 120);
	cr_expect_geq(what_if.blocks.entered[1].high, 1300 * 105 / 120);
}

/* Who outlived one end outlives one of the longer epochs' in a quarter of the cases; two to three, in half to three. */
Test(what_if, epochs_four_times_as_long)
{
	struct what_if what_if = ask(4000, 2, 100);
	double low = 400 / 4.0 + 800 * 2 / 4.0, high = 400 / 4.0 + 800 * 3 / 4.0 + 100;

	cr_expect_leq(what_if.blocks.survived[0].low, low);
	cr_expect_geq(what_if.blocks.survived[0].low, low / 2);
	cr_expect_geq(what_if.blocks.survived[0].high, high);
	cr_expect_leq(what_if.blocks.survived[0].high, 1300);
	cr_expect_leq(what_if.sweeps[0].low + what_if.sweeps[1].low, 30);
	cr_expect_eq(what_if.sweeps[0].high + what_if.sweeps[1].high, 30);
	cr_expect_geq(what_if.blocks.died[0].high, 2200 - low);
}

/* No middle sweep comes in 120: nothing grows old. */
Test(what_if, sweeps_that_never_come)
{
	struct what_if what_if = ask(60000, 2, 2);
	expect_range(what_if.blocks.entered[2], 0, 0);
	expect_range(what_if.sweeps[1], 0, 0);
	cr_expect_leq(what_if.sweeps[0].high, 2);
	what_if = ask(200000, 0, 0);
	expect_range(what_if.blocks.survived[0], 0, 0);
	expect_range(what_if.blocks.died[0], 2200, 2200);
}

/* After each second middle sweep a full one comes at once. */
Test(what_if, full_sweeps_come_at_once)
{
	struct what_if what_if = ask(1000, 1, 1);
	expect_range(what_if.sweeps[2], 120 / 7, 120 / 7);
	expect_range(what_if.sweeps[1], 120 / 7 * 2, 120 / 7 * 2);
	expect_range(what_if.sweeps[0], 120 - 17 * 3, 120 - 17 * 3);
}

/* Captures of before have no word for it, and had 1,024 of each length. */
Test(what_if, epochs_become_longer)
{
	struct pm_process record = {.epoch = 2048, .threshold = {1000}};
	struct scene scene;
	struct what_if what_if = ask(1000, 2, 100);

	cr_expect_eq(epochs_per_doubling(&record), 1024);
	record.doubling = 256;
	cr_expect_eq(epochs_per_doubling(&record), 256);
	cr_expect_eq(epochs_in(32000 + 64000 + 24000, 4000, 8), 8 + 8 + 1);
	cr_expect_eq(what_if.doubling, 0);
	simple_scene(&scene);
	scene.recording.processes[0].record.doubling = 8;
	what_if_of(&scene.study, (uint32_t[]){4000, 2, 100}, &what_if);
	cr_expect_eq(what_if.doubling, 8);
	cr_expect_eq(what_if.sweeps[0].high + what_if.sweeps[1].high, 17);
	end_scene(&scene);
}

Test(what_if, what_cannot_be_known)
{
	struct what_if what_if = ask(500, 2, 100);
	cr_expect_eq(what_if.processes, 0);
	cr_expect_eq(what_if.left_out[WHAT_IF_SHORTER], 1);
	what_if = ask(2500, 2, 100);
	cr_expect_eq(what_if.left_out[WHAT_IF_SHORTER], 1);
}

Test(what_if, text_of_thresholds)
{
	uint32_t threshold[GENERATION_COUNT] = {0, 0, 0};
	struct failure why;

	cr_expect(what_if_parse("4000:100:4294967295", threshold, &why));
	cr_expect_eq(threshold[0], 4000);
	cr_expect_eq(threshold[1], 100);
	cr_expect_eq(threshold[2], UINT32_MAX);
	cr_expect_not(what_if_parse("1:101:1", threshold, &why));
	cr_expect_not(what_if_parse("1:1:1 ", threshold, &why));
	cr_expect_not(what_if_parse("+1:1:1", threshold, &why));
	cr_expect_eq(threshold[0], 4000, "untouched");
}
