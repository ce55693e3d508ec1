/* SPDX-License-Identifier: MIT */
/* Sums: what a study says of a synthetic segment is what was put into it. */
#define _GNU_SOURCE 1

#include "study/summary.h"
#include "unit/recording_helper.h"
#include "unit/segment_builder.h"

#include <criterion/criterion.h>

static struct recording read_or_die(const void *data, size_t byte_count)
{
	struct recording recording;
	struct failure why = {FAILURE_NONE, ""};
	cr_assert(read_bytes(data, byte_count, &recording, &why), "%s", why.text);
	return recording;
}

static void study_of(const struct recording *recording, const char *filter, const char *order,
		     struct study *ret)
{
	struct failure why;
	struct query query;
	cr_assert(query_open(&query, filter, order, &why), "%s", why.text);
	study_make(recording, &query, ret);
	query_close(&query);
}

static const struct class_row *class_named(const struct class_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	cr_assert_fail("no class %s", name);
	return NULL;
}

static const struct note *note_named(const struct notes *notes, const char *key)
{
	for (size_t i = 0; i < notes->count; i++)
		if (strcmp(notes->notes[i].key, key) == 0)
			return &notes->notes[i];
	return NULL;
}

#define METRIC(study, name) metric(&(study).total.metrics, METRIC_##name)

Test(model, one_process)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, false);
	struct recording recording = read_or_die(b.file.data, b.file.count);
	struct study study;

	study_of(&recording, NULL, NULL, &study);
	cr_assert_eq(study.process_count, 1);
	cr_expect_eq(METRIC(study, ALLOC_COUNT), 3 + 10120 + 700 + 500 + 4);
	cr_expect_eq(METRIC(study, FREE_COUNT), 8000 + 1500 + 100 + 400 + 50 + 3);
	cr_expect_eq(METRIC(study, ALLOC_BYTES), 3 * 16 + 10620 * 48 + 700 * 64 + (4 << 20));
	cr_expect_eq(METRIC(study, FREE_BYTES), 9900 * 48 + 150 * 64 + (3 << 20));
	cr_expect_eq(METRIC(study, LIVE_BLOCKS), 11327 - 10053);
	cr_expect_eq(METRIC(study, LIVE_BYTES),
		     METRIC(study, ALLOC_BYTES) - METRIC(study, FREE_BYTES));
	cr_expect_eq(METRIC(study, REALLOC_COUNT), 42);
	cr_expect_eq(METRIC(study, REALLOC_MOVED), 17);
	cr_expect_eq(METRIC(study, FREE_REMOTE), 450);
	cr_expect_eq(METRIC(study, PROCESS_THREADS), 4);
	cr_expect_eq(METRIC(study, PROCESS_ELAPSED), 1240000000);
	cr_expect_eq(METRIC(study, POOL_COUNT), 3);
	cr_expect_eq(METRIC(study, ARENA_COUNT), 2);
	cr_expect_eq(METRIC(study, HEAP_TELEMETRY), b.file.count);
	cr_expect_eq(study.processes[0].process->state, STATE_EXITED);
	cr_expect_not(study.total.metrics.value[METRIC_RSS_NOW].is_known);
	study_free(&study);
	recording_free(&recording);
	builder_free(&b);
}

static void expect_flow(const struct flow *flow, const uint64_t expected[4][GENERATION_COUNT])
{
	for (int g = 0; g < GENERATION_COUNT; g++) {
		cr_expect_eq(flow->entered[g], expected[0][g], "entered %d", g);
		cr_expect_eq(flow->survived[g], expected[1][g], "survived %d", g);
		cr_expect_eq(flow->died[g], expected[2][g], "died %d", g);
		cr_expect_eq(flow->live[g], expected[3][g], "live %d", g);
	}
}

struct example {
	struct builder b;
	struct recording recording;
	struct study study;
};

static void example_begin(bool swept, struct example *ret)
{
	ret->b = builder_example(1000, PM_STATE_EXITED, true);
	if (swept)
		builder_example_swept(&ret->b);
	ret->recording = read_or_die(ret->b.file.data, ret->b.file.count);
	study_of(&ret->recording, NULL, NULL, &ret->study);
}

static void example_end(struct example *example)
{
	study_free(&example->study);
	recording_free(&example->recording);
	builder_free(&example->b);
}

Test(model, what_sweeps_did)
{
	static const uint64_t blocks[4][GENERATION_COUNT] = {
		{11327, 2753, 1151}, {2854, 1050, 0}, {8453, 1500, 100}, {20, 203, 1051}};
	struct example example;
	example_begin(true, &example);
	const struct survival *survival = &example.study.total.generations.survival;
	cr_expect(survival_is_known(survival));
	expect_flow(&survival->blocks, blocks);
	cr_expect_eq(survival->bytes.live[0], 20 * 48);
	cr_expect_eq(survival->bytes.live[2], 500 * 48 + 550 * 64 + (1 << 20));
	cr_expect_eq(survival->bytes.live[0] + survival->bytes.live[1] + survival->bytes.live[2],
		     METRIC(example.study, LIVE_BYTES));
	example_end(&example);
}

/* Old segments have no record, and of a program that has turned epochs nothing is made up. */
Test(model, sweeps_that_nobody_recorded)
{
	struct example example;
	example_begin(false, &example);
	cr_expect_not(survival_is_known(&example.study.total.generations.survival));
	example_end(&example);
}

Test(model, tables)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, false);
	struct recording recording = read_or_die(b.file.data, b.file.count);
	struct study study;

	study_of(&recording, NULL, NULL, &study);
	const struct class_row *row = class_named(&study.total.classes, "48");
	cr_expect_eq(row->allocated, 10620);
	cr_expect_eq(row->freed, 9900);
	cr_expect_eq(row->died_young, 8000);
	cr_expect_eq(class_net_blocks(row), 720);
	row = class_named(&study.total.classes, "large");
	cr_expect_eq(class_net_blocks(row), 1);
	cr_expect_eq(class_net_bytes(row), 1 << 20);
	cr_expect_eq(class_named(&study.total.classes, "0")->allocated, 3);
	cr_assert_eq(study.total.pools.count, 2);
	cr_expect_eq(study.total.pools.rows[0].pools, 2);
	cr_expect_eq(study.total.pools.rows[0].capacity, 2 * 1365);
	cr_expect_eq(study.total.pools.rows[0].live, 720);
	cr_expect_eq(study.total.pools.arenas.mapped_bytes, 72 * 65536);
	cr_expect_eq(study.total.pools.arenas.free_bytes, 2 * 65536);
	cr_expect_eq(study.total.pools.arenas.dirty_bytes, 65536);
	cr_expect_eq(study.total.pools.arenas.huge_bytes, 4 << 20);
	cr_expect_eq(study.total.pools.arenas.large_bytes, 40 * 4096);
	cr_expect_eq(study.total.generations.died_in_all, 10053);
	cr_expect_eq(study.total.generations.died_young, 8003);
	cr_expect_eq(study.total.generations.died[1], 1500);
	cr_expect_eq(study.total.generations.died[2], 100);
	study_free(&study);
	recording_free(&recording);
	builder_free(&b);
}

static struct pm_arena *huge_arena(struct builder *b)
{
	uint32_t number = 1;

	while (((struct pm_chunk *)builder_chunk(b, number))->kind != PM_CHUNK_MAP)
		number++;
	return &((struct pm_map *)builder_chunk(b, number))->arena[1];
}

/* What the library keeps of a freed block that spanned arenas lives no more. */
Test(model, a_kept_huge_block_is_free)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, false);
	huge_arena(&b)->pool[0] = (struct pm_pool){.state = PM_POOL_NONE};
	struct recording recording = read_or_die(b.file.data, b.file.count);
	struct study study;

	study_of(&recording, NULL, NULL, &study);
	const struct arena_figures *arenas = &study.total.pools.arenas;
	cr_expect_eq(arenas->huge_blocks, 0);
	cr_expect_eq(arenas->huge_bytes, 0);
	cr_expect_eq(arenas->mapped_bytes, 72 * 65536);
	cr_expect_eq(arenas->free_bytes, 66 * 65536);
	cr_expect_eq(arenas->dirty_bytes, 65 * 65536);
	study_free(&study);
	recording_free(&recording);
	builder_free(&b);
}

Test(model, facts)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	struct recording recording = read_or_die(b.file.data, b.file.count);
	const struct process *process = &recording.processes[0];

	cr_expect_str_eq(process->exe, "/usr/bin/example");
	cr_assert_eq(process->argv_count, 3);
	cr_expect_str_eq(process->argv[2], "input.txt");
	cr_expect_str_eq(process->options, "sites=off,gen.threshold=1000:10:10");
	cr_assert_eq(process->parent_count, 2);
	cr_expect_eq(process->parents[0], 999);
	cr_assert_eq(process->module_count, 2);
	cr_expect_str_eq(process->modules[1].path, "/usr/lib/x86_64-linux-gnu/libc.so.6");
	cr_expect_str_eq(process->modules[1].build_id, "0714212e3b4855626f7c8996a3b0bdcad7e4f1fe");
	cr_expect_not(process->facts_cut);
	recording_free(&recording);
	builder_free(&b);
}

/* A stream over several chunks, with a record across each boundary; then a chunk is missing. */
Test(model, facts_over_chunks)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	char path[300];

	for (int i = 0; i < 60; i++) {
		snprintf(path, sizeof path, "/usr/lib/%0*d.so", 100 + i % 60, i);
		builder_module(&b, b.leader, path, 0x1000);
	}
	struct recording recording = read_or_die(b.file.data, b.file.count);
	cr_expect_eq(recording.processes[0].module_count, 62);
	cr_expect_str_eq(recording.processes[0].modules[61].path, path);
	recording_free(&recording);

	((struct pm_chunk *)builder_chunk(&b, builder_header(&b)->chunks - 2))->kind = PM_CHUNK_EMPTY;
	recording = read_or_die(b.file.data, b.file.count);
	cr_expect(recording.processes[0].facts_cut);
	cr_expect_lt(recording.processes[0].module_count, 62);
	recording_free(&recording);
	builder_free(&b);
}

/* live = inherited + allocated - freed; the parent's figures do not know of the child. */
Test(model, forked_child)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t child = builder_process(&b, 1005, 1000, b.leader, PM_STATE_RUNNING);
	struct study study;

	builder_record(&b, child)->inherited_blocks = 1200;
	builder_record(&b, child)->inherited_bytes = 60000;
	builder_allocated(&b, child, 3, 10);
	builder_freed(&b, child, 3, 12, 200);
	struct recording recording = read_or_die(b.file.data, b.file.count);
	study_of(&recording, NULL, NULL, &study);
	cr_assert_eq(study.process_count, 2);
	const struct metrics *parent = &study.processes[0].figures.metrics;
	const struct metrics *forked = &study.processes[1].figures.metrics;
	cr_expect_eq(metric(parent, METRIC_ALLOC_COUNT), 11327);
	cr_expect_eq(metric(forked, METRIC_LIVE_BLOCKS), 1010);
	cr_expect_eq(metric(forked, METRIC_LIVE_BYTES), 60000 - 190 * 48);
	cr_expect_eq(METRIC(study, LIVE_BLOCKS), 1274, "what was inherited counts once");
	cr_expect_eq(study.total.metrics.bound[METRIC_LIVE_BLOCKS].at_most, 1274 + 1010);
	cr_expect_eq(METRIC(study, LEAK_BLOCKS), 1274, "the child freed more than it allocated");
	cr_expect_eq(study.total.metrics.bound[METRIC_LEAK_BLOCKS].at_most, 1274 + 10);
	cr_expect_eq(METRIC(study, ALLOC_COUNT), 11337);
	cr_expect(study.total.classes.has_inherited);
	cr_expect_not(study.processes[0].figures.classes.has_inherited);
	cr_expect_eq(study.processes[1].process->state, STATE_ENDED);
	cr_expect_str_eq(facts_of(&recording, study.processes[1].process)->exe, "/usr/bin/example");
	cr_expect_eq(METRIC(study, HEAP_TELEMETRY), b.file.count, "each chunk is somebody's, once");
	study_free(&study);
	recording_free(&recording);
	builder_free(&b);
}

static uint32_t forked(struct builder *b, uint32_t pid, uint32_t parent, uint64_t committed)
{
	uint32_t child = builder_process(b, pid, builder_record(b, parent)->pid, parent,
					 PM_STATE_EXITED);
	builder_record(b, child)->committed_bytes = committed;
	return child;
}

/* What a child can have from its parent, at most what the parent ever had, is not counted again. */
Test(model, inherited_heap_counts_once)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t child = forked(&b, 1005, b.leader, 7 << 20);
	struct study study;

	forked(&b, 1006, child, 10 << 20);
	forked(&b, 1007, b.leader, 2 << 20);
	struct recording recording = read_or_die(b.file.data, b.file.count);
	study_of(&recording, NULL, NULL, &study);
	cr_assert_eq(study.process_count, 4);
	cr_expect_eq(METRIC(study, HEAP_COMMITTED), (4 + 1 + 3 + 0) << 20, "the parent's peak is 6");
	cr_expect_eq(study.total.metrics.bound[METRIC_HEAP_COMMITTED].at_most, (4 + 7 + 10 + 2)
										       << 20);
	cr_expect_eq(metric(&study.processes[1].figures.metrics, METRIC_HEAP_COMMITTED), 7 << 20);
	study_free(&study);
	recording_free(&recording);
	builder_free(&b);
}

/* The parent's area is another's by now, or the file makes two children each other's parent. */
Test(model, lost_parents)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t orphan = forked(&b, 1005, b.leader, 7 << 20);
	uint32_t first = forked(&b, 1006, b.leader, 7 << 20),
		 second = forked(&b, 1007, first, 7 << 20);
	struct study study;

	builder_record(&b, orphan)->ppid = 77;
	builder_record(&b, first)->parent = second;
	builder_record(&b, first)->ppid = 1007;
	builder_record(&b, second)->parent = first;
	struct recording recording = read_or_die(b.file.data, b.file.count);
	cr_expect_null(parent_of(&recording, &recording.processes[0]));
	cr_expect_null(parent_of(&recording, &recording.processes[1]));
	cr_expect_null(parent_of(&recording, &recording.processes[2]), "the older of the two");
	cr_expect_eq(parent_of(&recording, &recording.processes[3]), &recording.processes[2]);
	study_of(&recording, NULL, NULL, &study);
	cr_expect_eq(METRIC(study, HEAP_COMMITTED), 4 << 20, "all of it may be inherited");
	study_free(&study);
	recording_free(&recording);
	builder_free(&b);
}

/* Dead children whose areas were used again stand beside the parent, not in it. */
Test(model, departed_children)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t departed = builder_slot(&b, b.leader, 3, PM_SLOT_DEPARTED, 0);
	struct study study;

	builder_record(&b, b.leader)->recycled_children = 9;
	builder_allocated(&b, departed, 3, 90);
	builder_freed(&b, departed, 3, 0, 500);
	struct recording recording = read_or_die(b.file.data, b.file.count);
	study_of(&recording, NULL, NULL, &study);
	cr_assert_eq(study.process_count, 2);
	cr_expect_eq(metric(&study.processes[0].figures.metrics, METRIC_ALLOC_COUNT), 11327);
	cr_expect_eq(study.processes[1].process->kind, PROCESS_DEPARTED);
	cr_expect_eq(metric(&study.processes[1].figures.metrics, METRIC_FREE_COUNT), 500);
	cr_expect_not(study.processes[1].figures.metrics.value[METRIC_LIVE_BLOCKS].is_known);
	cr_expect_eq(METRIC(study, ALLOC_COUNT), 11417);
	cr_expect_eq(METRIC(study, LIVE_BLOCKS), 1274);
	cr_expect_eq(note_named(&study.total.notes, "children_recycled")->count, 9);
	study_free(&study);
	recording_free(&recording);
	builder_free(&b);
}

static struct bytes tree_capture(const char *run)
{
	struct bytes capture = capture_begin();
	struct builder shell = builder_example(1000, PM_STATE_EXITED, true);
	uint32_t child = builder_process(&shell, 1001, 1000, shell.leader, PM_STATE_RUNNING);
	struct builder program = builder_example(1001, PM_STATE_RUNNING, true);

	builder_record(&shell, child)->began_real_ns = builder_header(&program)->created_ns - 10;
	builder_record(&program, program.leader)->ppid = 1000;
	capture_segment(&capture, &shell);
	capture_segment(&capture, &program);
	if (run)
		capture_run(&capture, run);
	capture_end(&capture);
	builder_free(&shell);
	builder_free(&program);
	return capture;
}

Test(model, exec_replaces_a_forked_child)
{
	struct bytes capture = tree_capture(NULL);
	struct recording recording = read_or_die(capture.data, capture.count);

	cr_assert_eq(recording.process_count, 3);
	cr_expect_eq(recording.processes[0].state, STATE_EXITED);
	cr_expect_eq(recording.processes[1].state, STATE_REPLACED);
	cr_expect_eq(recording.processes[2].state, STATE_ENDED);
	recording_free(&recording);
	bytes_free(&capture);
}

Test(model, exec_keeps_pid_and_start)
{
	struct bytes capture = capture_begin();
	struct builder first = builder_example(1000, PM_STATE_RUNNING, true);
	struct builder second = builder_example(1000, PM_STATE_EXITED, true);
	struct builder other = builder_example(1000, PM_STATE_EXITED, true);

	builder_header(&second)->created_ns += 5000000;
	builder_header(&other)->created_ns += 9000000;
	builder_record(&other, other.leader)->start_ticks += 7;
	builder_record(&other, other.leader)->state = PM_STATE_RUNNING;
	capture_segment(&capture, &first);
	capture_segment(&capture, &second);
	capture_segment(&capture, &other);
	struct recording recording = read_or_die(capture.data, capture.count);
	cr_expect_eq(recording.processes[0].state, STATE_REPLACED);
	cr_expect_eq(recording.processes[1].state, STATE_EXITED);
	cr_expect_eq(recording.processes[2].state, STATE_ENDED, "another start: another process");
	cr_expect(recording.is_cut_short);
	recording_free(&recording);
	bytes_free(&capture);
	builder_free(&first);
	builder_free(&second);
	builder_free(&other);
}

/* F29 */
Test(model, pid_used_again_is_no_exec)
{
	struct bytes capture = capture_begin();
	struct builder first = builder_example(1000, PM_STATE_RUNNING, true);
	struct builder other = builder_example(1000, PM_STATE_EXITED, true);
	struct builder elsewhere = builder_example(1000, PM_STATE_EXITED, true);

	builder_header(&other)->created_ns += 9000000;
	builder_record(&other, other.leader)->start_ticks += 7;
	builder_header(&elsewhere)->created_ns += 9000000;
	builder_header(&elsewhere)->pid_namespace = 77;
	capture_segment(&capture, &first);
	capture_segment(&capture, &other);
	capture_segment(&capture, &elsewhere);
	struct recording recording = read_or_die(capture.data, capture.count);
	cr_expect_eq(recording.processes[0].state, STATE_ENDED);
	recording_free(&recording);
	bytes_free(&capture);
	builder_free(&first);
	builder_free(&other);
	builder_free(&elsewhere);
}

Test(model, run_tells_the_true_end)
{
	struct bytes capture = tree_capture(
		"{\"command\":[\"sh\",\"-c\",\"x\"],\"elapsed_ns\":2000000000,\"exit\":0,\"signal\":0,"
		"\"rss_peak\":9000000,\"processes\":[{\"pid\":1000,\"exit\":0,\"signal\":0,"
		"\"rss_peak\":5000000},{\"pid\":1001,\"start_ticks\":5001,\"exit\":-1,\"signal\":11,"
		"\"elapsed_ns\":77,\"rss_peak\":6000000,\"rss_now\":1}]}");
	struct recording recording = read_or_die(capture.data, capture.count);
	struct study study;

	study_of(&recording, NULL, NULL, &study);
	cr_expect_eq(recording.processes[2].state, STATE_KILLED);
	cr_expect_eq(recording.processes[2].signal, 11);
	cr_expect_eq(recording.processes[2].elapsed_ns, 77);
	cr_expect_eq(recording.processes[2].rss_peak.value, 6000000);
	cr_expect_not(recording.processes[1].rss_peak.is_known, "the exec'ed one has the figure");
	cr_expect_eq(METRIC(study, RSS_PEAK), 9000000);
	cr_expect_eq(METRIC(study, PROCESS_ELAPSED), 2000000000);
	cr_expect_eq(METRIC(study, PROCESS_EXIT), 0);
	report_all(&recording);
	study_free(&study);
	recording_free(&recording);
	bytes_free(&capture);
}

/* The library's clock may be a tick behind that of run: no process is older than the run. */
Test(model, run_tells_how_long_a_killed_program_lasted)
{
	static const struct {
		const char *run;
		uint64_t elapsed_ns;
	} cases[] = {
		{"{\"processes\":[{\"pid\":1000,\"signal\":9,\"ended_ns\":5700001000}]}", 700000000},
		{"{\"elapsed_ns\":699000000,\"processes\":[{\"pid\":1000,\"signal\":9,"
		 "\"ended_ns\":5700001000}]}",
		 699000000},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes capture = capture_begin();
		struct builder b = builder_example(1000, PM_STATE_RUNNING, true);
		capture_segment(&capture, &b);
		capture_run(&capture, cases[i].run);
		struct recording recording = read_or_die(capture.data, capture.count);
		cr_expect_eq(recording.processes[0].state, STATE_KILLED);
		cr_expect_eq(recording.processes[0].elapsed_ns, cases[i].elapsed_ns);
		cr_expect_not(recording.processes[0].elapsed_is_bound);
		recording_free(&recording);
		bytes_free(&capture);
		builder_free(&b);
	}
}

/* A number is another thread's later; of a thread the last name counts; what makes no sense is left out. */
Test(model, run_tells_the_names_of_threads)
{
	static const struct {
		const char *threads, *names[2];
	} cases[] = {
		{"[[1000,1000,\"example\",5,9],[1000,1001,\"one\",110,120],[1000,1001,\"two\",130,140]]",
		 {"example", "two"}},
		{"[[1000,1001,\"two\",130,140],[1000,1001,\"one\",110,120]]", {"", "two"}},
		{"[[1000,1001,\"before\",50,99],[1000,1001,\"after\",201,300]]", {"", ""}},
		{"[[1000,1001,\"at the edges\",90,100],[1000,1001,\"of it\",200,300]]",
		 {"", "of it"}},
		{"[[77,1001,\"another's\",110,120],[1000,1002,\"stranger\",110,120]]", {"", ""}},
		{"[[1000,1001,5,110,120],[1000,1001],7,null,[1000,1001,\"x\",\"y\",3]]", {"", ""}},
		{"{\"1000\":1}", {"", ""}},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes capture = capture_begin();
		struct builder b = builder_example(1000, PM_STATE_EXITED, true);
		char run[400];
		struct pm_slot *second = builder_slot_at(&b, b.leader + 1);
		cr_assert_eq(second->tid, 1001);
		second->began_ns = 100;
		second->ended_ns = 200;
		snprintf(run, sizeof run, "{\"threads\":%s}", cases[i].threads);
		capture_segment(&capture, &b);
		capture_run(&capture, run);
		struct recording recording = read_or_die(capture.data, capture.count);
		for (size_t slot = 0; slot < 2; slot++)
			cr_expect_str_eq(recording.processes[0].slots[slot].name,
					 cases[i].names[slot], "%zu", i);
		report_all(&recording);
		recording_free(&recording);
		bytes_free(&capture);
		builder_free(&b);
	}
}

Test(model, what_was_asked_for_stands_for_what_it_was_started_with)
{
	static const struct {
		uint64_t period, since_ns;
		const char *options;
	} cases[] = {
		{1, 0, "sites=off,gen.threshold=1000:10:10"},
		{1, 7, "sites=all,gen.threshold=1000:10:10"},
		{65536, 7, "sites=sample,gen.threshold=1000:10:10"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct builder b = builder_example(1000, PM_STATE_EXITED, true);
		struct pm_process *record = builder_record(&b, b.leader);
		struct study study;
		record->site_period = cases[i].period;
		record->site_since_ns = cases[i].since_ns ? record->began_ns + 3000000000 : 0;
		struct recording recording = read_or_die(b.file.data, b.file.count);
		const struct process *process = &recording.processes[0];
		cr_expect_str_eq(process->options, cases[i].options);
		cr_expect_eq(process->switched_real_ns,
			     cases[i].since_ns ? record->began_real_ns + 3000000000 : 0);
		study_of(&recording, NULL, NULL, &study);
		cr_expect_eq(note_named(&study.total.notes, "sites_switched") != NULL,
			     cases[i].since_ns != 0);
		study_free(&study);
		recording_free(&recording);
		builder_free(&b);
	}
}

Test(model, no_time_is_less_than_a_tick)
{
	struct builder b = builder_begin(1000, true);
	struct study study;

	builder_process(&b, 1000, 1, 0, PM_STATE_EXITED);
	builder_record(&b, b.leader)->ended_ns = builder_record(&b, b.leader)->began_ns;
	struct recording recording = read_or_die(b.file.data, b.file.count);
	study_of(&recording, NULL, NULL, &study);
	const struct metrics *metrics[] = {&study.total.metrics,
					   &study.processes[0].figures.metrics};
	for (size_t i = 0; i < 2; i++) {
		const struct metric_bound *bound = &metrics[i]->bound[METRIC_PROCESS_ELAPSED];
		cr_expect_eq(metric(metrics[i], METRIC_PROCESS_ELAPSED), 0);
		cr_expect(bound->is_known && bound->at_least == 0 && bound->at_most == 10000000);
	}
	cr_expect(metrics[0]->value[METRIC_HEAP_COMMITTED].is_known, "nothing was mapped");
	report_all(&recording);
	study_free(&study);
	recording_free(&recording);
	builder_free(&b);
}

/* What `poolmem run` says at the end agrees with the report. */
Test(model, summary_agrees_with_study)
{
	char path[] = "/tmp/poolmem-summary.XXXXXX";
	struct bytes capture = tree_capture("{\"exit\":3,\"elapsed_ns\":5,\"rss_peak\":77}");
	struct recording recording = read_or_die(capture.data, capture.count);
	struct failure why = {FAILURE_NONE, ""};
	struct summary summary;
	struct study study;

	close(mkstemp(path));
	cr_assert(bytes_write(&capture, path));
	study_of(&recording, NULL, NULL, &study);
	cr_assert(summary_read(path, &summary, &why), "%s", why.text);
	cr_expect_eq(summary.exec_count, study.exec_count);
	cr_expect_eq(summary.fork_count, study.fork_count);
	cr_expect_eq(metric(&summary.total, METRIC_ALLOC_COUNT), METRIC(study, ALLOC_COUNT));
	cr_expect_eq(metric(&summary.total, METRIC_FREE_BYTES), METRIC(study, FREE_BYTES));
	cr_expect_eq(metric(&summary.total, METRIC_LEAK_BLOCKS), 2 * 1274);
	for (enum metric m = 0; m < METRIC_COUNT; m++)
		if (m < METRIC_PROCESS_PID || m > METRIC_PROCESS_THREADS)
			cr_expect_eq(metric(&summary.total, m), metric(&study.total.metrics, m),
				     "%s", metric_keys[m]);
	unlink(path);
	cr_expect_not(summary_read(path, &summary, &why));
	cr_expect_not(summary_read("/etc/passwd", &summary, &why));
	study_free(&study);
	recording_free(&recording);
	bytes_free(&capture);
}

Test(model, filters)
{
	struct bytes capture = tree_capture(NULL);
	struct recording recording = read_or_die(capture.data, capture.count);
	struct failure why;
	struct query query;
	struct study study;

	study_of(&recording, "fast$", NULL, &study);
	cr_expect_eq(study.process_count, 3);
	study_free(&study);
	study_of(&recording, "exe:^/bin/nothing", NULL, &study);
	cr_expect_eq(study.process_count, 0);
	cr_expect_eq(study.skipped_count, 3);
	study_free(&study);
	study_of(&recording, "class:^48$", "bytes", &study);
	cr_assert_eq(study.total.classes.count, 1);
	cr_expect_eq(study.total.classes.rows[0].allocated, 2 * 10620);
	cr_expect_eq(study.total.classes.all.allocated, 2 * 11327, "a share is of the whole");
	cr_expect_eq(study.total.classes.used_count, 4);
	cr_expect_eq(study.total.pools.count, 1);
	cr_expect_eq(study.total.pools.all.live, 2 * 1270);
	study_free(&study);
	cr_expect_not(query_open(&query, "(", NULL, &why));
	cr_expect_eq(why.kind, FAILURE_USAGE);
	cr_expect_not(query_open(&query, "class:[", NULL, &why));
	cr_expect_not(query_open(&query, NULL, "colour", &why));
	recording_free(&recording);
	bytes_free(&capture);
}

Test(model, orders)
{
	static const char *const first[][2] = {{"allocations", "48"},
					       {"frees", "48"},
					       {"live", "48"},
					       {"bytes", "large"},
					       {"size", "0"}};
	struct builder b = builder_example(1000, PM_STATE_EXITED, false);
	struct recording recording = read_or_die(b.file.data, b.file.count);
	struct study study;

	for (int i = 0; i < 5; i++) {
		study_of(&recording, NULL, first[i][0], &study);
		cr_expect_str_eq(study.total.classes.rows[0].name, first[i][1]);
		study_free(&study);
	}
	recording_free(&recording);
	builder_free(&b);
}

Test(model, notes)
{
	struct builder b = builder_example(1000, PM_STATE_RUNNING, true);
	struct pm_process *record = builder_record(&b, b.leader);
	struct study study;

	record->notes = 1 << PM_NOTE_TRUNCATED | 1 << PM_NOTE_PASSIVE | UINT64_C(1) << 60;
	record->slots_unseen = 3;
	record->arenas_unseen = 2;
	record->misuse_kind = PM_MISUSE_DOUBLE_FREE;
	record->misuse_count = 1;
	record->misuse_address = 0x7f00deadbee0;
	((struct pm_map *)builder_chunk(&b, 4))->arena[0].pool[0].live = 60000;
	struct recording recording = read_or_die(b.file.data, b.file.count);
	study_of(&recording, NULL, NULL, &study);
	const struct notes *notes = &study.total.notes;
	cr_expect(note_named(notes, "truncated"));
	cr_expect(note_named(notes, "passive"));
	cr_expect(note_named(notes, "unknown_note"));
	cr_expect_eq(note_named(notes, "threads_unseen")->count, 3);
	cr_expect_eq(note_named(notes, "arenas_unseen")->count, 2);
	cr_expect_eq(note_named(notes, "pools_torn")->count, 1);
	cr_expect(strstr(note_named(notes, "misuse")->detail, "double free of 0x7f00deadbee0"));
	cr_expect(note_named(notes, "pools_age"));
	cr_expect_eq(METRIC(study, TRUNCATED), 1);
	cr_expect_eq(METRIC(study, PROCESS_THREADS), 7);
	report_all(&recording);
	study_free(&study);
	recording_free(&recording);
	builder_free(&b);
}

/* Counts that no program can reach stop at the top instead of going round. */
Test(model, saturation)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	struct study study;

	for (uint32_t c = 0; c < b.class_count; c++) {
		struct pm_tally *tally = builder_tally(&b, b.leader, c);
		tally->limit[0] = tally->limit[1] = INT64_MAX;
		tally->left = INT64_MIN;
		memset(tally->freed, 0xff, sizeof tally->freed);
	}
	struct recording recording = read_or_die(b.file.data, b.file.count);
	study_of(&recording, NULL, NULL, &study);
	cr_expect_eq(METRIC(study, FREE_COUNT), INT64_MAX);
	report_all(&recording);
	study_free(&study);
	recording_free(&recording);
	builder_free(&b);
}

Test(model, orphans)
{
	struct builder b = builder_example(1000, PM_STATE_EXITED, true);
	builder_slot(&b, 7, 0, PM_SLOT_THREAD, 1);
	struct recording recording = read_or_die(b.file.data, b.file.count);

	cr_expect_eq(recording.orphans, 1);
	cr_expect_eq(recording.process_count, 1);
	recording_free(&recording);
	builder_free(&b);
}

Test(model, nothing_recorded)
{
	struct bytes capture = capture_begin();
	struct failure why;

	cr_expect_not(digest(capture.data, capture.count, &why));
	cr_expect_eq(why.kind, FAILURE_NOTHING);
	capture_run(&capture, "{\"command\":[\"./static\"]}");
	capture_end(&capture);
	cr_expect(digest(capture.data, capture.count, &why), "%s", why.text);
	bytes_free(&capture);
}

Test(findings, idle_and_busy)
{
	struct metrics metrics = {.value[METRIC_ALLOC_COUNT] = {true, 0}};
	struct class_table classes = {.count = 0};
	struct pool_table pools = {.count = 0};
	struct generations generations = {.died_in_all = 1000, .died_young = 100, .epoch_max = 10};
	struct evidence evidence = {&metrics, &classes, &pools, &generations, false};
	struct findings findings;

	findings_make(&findings, &evidence);
	cr_expect_eq(findings.list[0].kind, FINDING_IDLE);
	metrics.value[METRIC_ALLOC_COUNT].value = 1000;
	metrics.value[METRIC_LEAK_BLOCKS] = (struct known){true, 900};
	metrics.value[METRIC_REALLOC_COUNT] = (struct known){true, 300};
	metrics.value[METRIC_REALLOC_MOVED] = (struct known){true, 200};
	findings_make(&findings, &evidence);
	cr_assert_eq(findings.count, 3);
	cr_expect_eq(findings.list[0].kind, FINDING_LIVED_LONG);
	cr_expect_eq(findings.list[1].kind, FINDING_GROWS);
	cr_expect_eq(findings.list[2].kind, FINDING_REALLOC_MOVES);
	pools.all.touched_bytes = 10 << 20;
	pools.all.live_bytes = 9 << 20;
	findings_make(&findings, &evidence);
	cr_expect_eq(findings.list[0].kind, FINDING_HEAP_FULL);
	pools.all.live_bytes = 1 << 20;
	findings_make(&findings, &evidence);
	cr_expect_eq(findings.list[0].kind, FINDING_HEAP_EMPTY);
	evidence.is_over = true;
	findings_make(&findings, &evidence);
	cr_expect_neq(findings.list[0].kind, FINDING_HEAP_EMPTY, "who frees at the end does well");
	generations.epoch_max = 9;
	findings_make(&findings, &evidence);
	cr_expect_eq(findings.list[0].kind, FINDING_GROWS, "too few epochs to die late");
}
