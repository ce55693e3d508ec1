/* SPDX-License-Identifier: MIT */
/* link: -lz */
/*
 * make_captures.c: writes tests/golden/NAME/capture.pm: synthetic captures, the same bytes each
 * time.
 *
 *     make_captures DIRECTORY
 */
#include "unit/names_builder.h"
#include "unit/segment_builder.h"
#include "unit/survey_builder.h"

#include <sys/stat.h>

static const char *directory;

static void keep(const char *name, struct bytes capture)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	mkdir(path, 0777);
	snprintf(path, sizeof path, "%s/%s/capture.pm", directory, name);
	if (!bytes_write(&capture, path)) {
		perror(path);
		exit(1);
	}
	bytes_free(&capture);
}

static struct bytes whole(struct builder b, const char *run)
{
	struct bytes capture = capture_begin();
	capture_segment(&capture, &b);
	if (run)
		capture_run(&capture, run);
	capture_end(&capture);
	builder_free(&b);
	return capture;
}

static void make_exited(void)
{
	struct builder b = builder_example(1234, PM_STATE_EXITED, false);
	builder_example_swept(&b);
	keep("exited", whole(b, NULL));
}

/* Two arenas at addresses of the parent, and one beyond. */
static void make_map_of_fork(struct builder *shell, uint32_t fork)
{
	uint32_t map = builder_add(shell, PM_CHUNK_MAP, fork, 0);
	struct pm_arena *inherited = builder_arena(shell, map, 0, 0x7f0000000000, 8);

	builder_pool(inherited, 0, 0, 3, 48, 590);
	builder_pool(inherited, 2, 0, 4, 64, 50);
	builder_arena(shell, map, 1, 0x7f0000400000, 64)->kind = PM_ARENA_HUGE;
	map = builder_add(shell, PM_CHUNK_MAP, fork, 1);
	builder_pool(builder_arena(shell, map, 0, 0x7f0000800000, 4), 0, fork, 3, 48, 10);
}

/* A shell, a child that execs, one that only forks, dead ones added up; and what `run` saw. */
static void make_tree(void)
{
	static const char script[] = "-c\0for step in one two three; do\n\t./step \"$step\" || exit 1\n"
				     "done # it's a longer script than a line of a report has room for";
	struct bytes capture = capture_begin();
	struct builder shell = builder_example(2000, PM_STATE_EXITED, true);
	struct builder program = builder_example(2001, PM_STATE_RUNNING, true);
	uint32_t execs = builder_process(&shell, 2001, 2000, shell.leader, PM_STATE_RUNNING);
	uint32_t forks = builder_process(&shell, 2002, 2000, shell.leader, PM_STATE_EXITED);
	uint32_t departed = builder_slot(&shell, shell.leader, 3, PM_SLOT_DEPARTED, 0);

	builder_record(&shell, execs)->began_real_ns = builder_header(&program)->created_ns - 10;
	builder_record(&program, program.leader)->ppid = 2000;
	builder_fact(&shell, shell.leader, PM_FACT_ARGV, script, sizeof script);
	builder_record(&shell, forks)->inherited_blocks = 1200;
	builder_record(&shell, forks)->inherited_bytes = 1100000;
	builder_record(&shell, forks)->exit_status = 3;
	builder_record(&shell, forks)->committed_bytes = 7 << 20;
	builder_record(&shell, forks)->meta_bytes = 131072;
	builder_record(&shell, forks)->epoch = builder_record(&shell, forks)->published_epoch = 13;
	builder_record(&shell, forks)->sweeps[0] = 12;
	builder_record(&shell, forks)->sweeps[1] = 1;
	make_map_of_fork(&shell, forks);
	builder_allocated(&shell, forks, 3, 40);
	builder_freed(&shell, forks, 3, 0, 30);
	builder_freed(&shell, forks, 4, 12, 500);
	builder_record(&shell, shell.leader)->recycled_children = 7;
	builder_allocated(&shell, departed, 3, 70);
	builder_freed(&shell, departed, 3, 0, 90);
	capture_segment(&capture, &shell);
	capture_segment(&capture, &program);
	capture_run(
		&capture,
		"{\"schema\":1,\"command\":[\"sh\",\"-c\",\"./a &&\\n\\t./b 'x'\"],\"run_id\":\"7\","
		"\"began_real_ns\":1700000000000000000,\"elapsed_ns\":2500000000,\"exit\":0,"
		"\"signal\":0,\"rss_peak\":12582912,\"rss\":[[0,1048576],[100,12582912]],"
		"\"processes\":[{\"pid\":2000,\"start_ticks\":6000,\"exit\":0,\"signal\":0,"
		"\"rss_peak\":4194304},{\"pid\":2001,\"exit\":-1,\"signal\":11,"
		"\"rss_peak\":8388608,\"elapsed_ns\":900000000}]}");
	capture_end(&capture);
	builder_free(&shell);
	builder_free(&program);
	keep("tree", capture);
}

/* For `--filter class:`: shares are of the whole, and the report says so. */
static void make_filtered(void)
{
	keep("filtered", whole(builder_example(8000, PM_STATE_EXITED, true), NULL));
}

/* Killed, with each reason why a figure may be missing. */
static void make_killed(void)
{
	struct builder b = builder_example(3000, PM_STATE_RUNNING, true);
	struct pm_process *record = builder_record(&b, b.leader);

	record->notes = (1 << PM_NOTE_COUNT) - 1;
	record->slots_unseen = 2;
	record->children_unseen = 5;
	record->arenas_unseen = 1;
	record->misuse_kind = PM_MISUSE_DOUBLE_FREE;
	record->misuse_count = 1;
	record->misuse_address = 0x7f0000000030;
	record->published_epoch = 9;
	builder_slot_at(&b, b.leader)->counter[PM_COUNTER_ALLOC_FAILED] = 6;
	builder_slot_at(&b, b.leader)->counter[PM_COUNTER_FOREIGN_FREE] = 8;
	builder_slot_at(&b, b.leader)->counter[PM_COUNTER_NESTED] = 4;
	((struct pm_map *)builder_chunk(&b, 4))->arena[0].pool[1].live = 60000;
	keep("killed", whole(b, "{\"command\":[\"./example\"],\"exit\":-1,\"signal\":9,"
				"\"processes\":[{\"pid\":3000,\"exit\":-1,\"signal\":9,"
				"\"rss_now\":0,\"rss_peak\":5242880,\"elapsed_ns\":1500000000}]}"));
}

/* F35: names that would drive a terminal, or are no UTF-8. */
static void make_hostile(void)
{
	struct builder b = builder_begin(4000, true);

	builder_process(&b, 4000, 1, 0, PM_STATE_EXITED);
	builder_allocated(&b, b.leader, 2, 1);
	builder_text_fact(&b, b.leader, PM_FACT_EXE,
			  "/tmp/\033]52;c;ZXZpbA==\007\xc2\x9b"
			  "31m");
	builder_fact(&b, b.leader, PM_FACT_ARGV,
		     "a\033[2J\nb\0\xff\xfe\x7f\0\xe2\x80\xae"
		     "txt.exe",
		     21);
	builder_module(&b, b.leader, "/lib/</script><img src=x onerror=alert(1)>\xc3\r", 0x1000);
	keep("hostile", whole(b, "{\"command\":[\"\\u001b[31m\",\"\\u202e\"]}"));
}

static void add_clock(struct bytes *capture, uint32_t pid, uint32_t kind, uint32_t first,
		      uint64_t length)
{
	struct builder b = builder_example(pid, PM_STATE_EXITED, true);
	struct pm_process *record = builder_record(&b, b.leader);

	record->clock_kind = kind;
	record->threshold[0] = first;
	record->epoch_length = length;
	capture_segment(capture, &b);
	builder_free(&b);
}

/* Epochs of other units, of several clocks, and of one that only a newer poolmem knows. */
static void make_clocks(void)
{
	struct bytes capture = capture_begin();

	add_clock(&capture, 9000, PM_CLOCK_BYTES, 65536, 262144);
	add_clock(&capture, 9001, PM_CLOCK_NET, 700, 700);
	add_clock(&capture, 9002, PM_CLOCK_MS, 10, 10 << 16);
	add_clock(&capture, 9003, PM_CLOCK_COUNT, 7, 14);
	capture_end(&capture);
	keep("clocks", capture);
}

/* Marks as phases, longer ones than this poolmem knows, and frozen blocks. */
static void make_phases(void)
{
	struct builder b = builder_example(1300, PM_STATE_EXITED, false);
	builder_example_swept(&b);
	builder_example_marked(&b);
	keep("phases", whole(b, NULL));
}

/* What was live when: a ramp, a peak between two looks from outside, a plateau; and marks. */
static void make_timeline(void)
{
	static const char run[] =
		"{\"command\":[\"./example\"],\"exit\":0,\"began_ns\":5000001500,"
		"\"processes\":[{\"pid\":1500,\"exit\":0,\"rss_peak\":7340032,\"elapsed_ns\":1240000000}],"
		"\"rss\":[[1,1048576],[101,2621440],[201,4194304],[301,5242880],[401,6291456],[501,6815744],"
		"[601,7340032],[701,6029312],[901,6029312],[1101,6291456],[1201,6291456]]}";
	struct builder b = builder_example(1500, PM_STATE_EXITED, false);
	builder_example_marked(&b);
	uint64_t began = builder_record(&b, b.leader)->began_ns;
	uint32_t number = builder_timeline(&b, b.leader, 0);

	for (uint64_t i = 1; i <= 120; i++) {
		uint64_t live = i <= 40 ? i * 30000 : i == 55 ? 2 << 20 : 1000000 + i * 1000;
		uint64_t used = i <= 55 ? live + live / 5 : 2400000;
		builder_moment(&b, number,
			       (struct pm_moment){began + i * 10000000, i * 94, live, used,
						  i > 55 ? 1 << 20 : 0, i < 30 ? 3 << 20 : 6 << 20});
	}
	keep("timeline", whole(b, run));
}

/* Each block by its stack. */
static void make_sites(void)
{
	struct builder b = builder_example(1400, PM_STATE_EXITED, false);
	builder_example_sited(&b);
	keep("sites", whole(b, NULL));
}

/* The same, packed: names of all but one plugin. */
static void make_packed(void)
{
	struct builder b = builder_example(1400, PM_STATE_EXITED, false);
	struct bytes capture = capture_begin();
	struct names_builder names = names_of_example(8);

	builder_example_sited(&b);
	capture_segment(&capture, &b);
	capture_names(&capture, &names);
	capture_end(&capture);
	builder_free(&b);
	keep("packed", capture);
}

/* What a sample holds of a program that calls its library, and of the same program loaded elsewhere. */
static void add_sampled(struct bytes *capture, uint32_t pid, uint64_t exe, uint64_t library)
{
	const uint64_t period = 512 << 10;
	struct builder b = builder_example(pid, PM_STATE_EXITED, false);
	uint32_t frames = builder_frames(&b, b.leader, 0);
	uint32_t rows = builder_sites(&b, b.leader, 0, 0);
	uint32_t start = builder_frame(&b, frames, 1021, exe + 0x1010, 0, 0);
	uint32_t work = builder_frame(&b, frames, 20, exe + 0x2020, start, 0);
	uint32_t grow = builder_frame(&b, frames, 7, library + 0x30, work, 0);

	builder_allocated(&b, b.leader, 70, 2000);
	builder_freed(&b, b.leader, 70, 0, 1200);
	builder_allocated(&b, b.leader, 105, 35);
	builder_freed(&b, b.leader, 105, 0, 32);
	builder_allocated(&b, b.leader, 106, 49 << 20);
	builder_freed(&b, b.leader, 106, 0, 46 << 20);
	builder_module_of(&b, b.leader, "/nonexistent/bin/sampled", exe, 40);
	builder_module_of(&b, b.leader, "/nonexistent/lib/libgrow.so.1", library, 41);
	builder_record(&b, b.leader)->site_period = period;
	builder_site(&b, rows,
		     (struct pm_site){.frame = grow,
				      .slot = b.leader,
				      .size_class = 70,
				      .period = period,
				      .allocated = 6 + pid % 2,
				      .allocated_bytes = (6 + pid % 2) * 1792,
				      .requested = (6 + pid % 2) * 1700,
				      .freed = 4,
				      .freed_bytes = 4 * 1792,
				      .freed_requested = 4 * 1700,
				      .died = {4}});
	builder_site(&b, rows,
		     (struct pm_site){.frame = grow,
				      .slot = b.leader,
				      .size_class = 3,
				      .period = period,
				      .allocated = 1,
				      .allocated_bytes = 48,
				      .requested = 48});
	builder_site(&b, rows,
		     (struct pm_site){.frame = work,
				      .slot = b.leader,
				      .size_class = 105,
				      .large_log2 = 20,
				      .period = period,
				      .allocated = 30,
				      .allocated_bytes = 42 << 20,
				      .requested = 41 << 20,
				      .freed = 30,
				      .freed_bytes = 42 << 20,
				      .freed_requested = 41 << 20,
				      .peak_live = 4,
				      .peak_bytes = 5 << 20,
				      .temporary = 11,
				      .died = {20, 0, 5, [12] = 5}});
	builder_site(&b, rows,
		     (struct pm_site){.frame = work, .size_class = 3, .period = 0, .freed = 7});
	capture_segment(capture, &b);
	builder_free(&b);
}

static void make_sampled(void)
{
	struct bytes capture = capture_begin();
	add_sampled(&capture, 1500, 0x555555600000, 0x7ffff5000000);
	add_sampled(&capture, 1501, 0x400000, 0x7fff00000000);
	capture_end(&capture);
	keep("sampled", capture);
}

/* F34, F35: modules with names that would drive a browser or a terminal; frames that go in circles. */
static void make_sites_hostile(void)
{
	static const char *const paths[] = {
		"/nonexistent/<img src=x onerror=alert(1)>",
		"/nonexistent/a</script><script>alert(1)",
		"/nonexistent/\033]52;c;ZXZpbA==\007\xff\xe2\x80\xa8&\"'"};
	struct builder b = builder_begin(1600, true);
	uint32_t caller = 0;

	builder_process(&b, 1600, 1, 0, PM_STATE_EXITED);
	uint32_t frames = builder_frames(&b, b.leader, 0), rows = builder_sites(&b, b.leader, 0, 0);
	for (uint32_t i = 0; i < 3; i++) {
		builder_module_of(&b, b.leader, paths[i], 0x10000 + 0x100000 * i, 50 + i);
		caller = builder_frame(&b, frames, i, 0x11000 + 0x100000 * i, caller, 0);
		builder_site(&b, rows,
			     (struct pm_site){.frame = caller,
					      .slot = b.leader,
					      .size_class = 2,
					      .period = 1,
					      .allocated = 10 + i,
					      .allocated_bytes = (10 + i) * 32,
					      .requested = 1});
	}
	builder_frame(&b, frames, 4, 0x900, frames * PM_FRAME_IDS + 5, 0);
	uint32_t circle = builder_frame(&b, frames, 5, 0x901, frames * PM_FRAME_IDS + 4, 0);
	builder_site(&b, rows,
		     (struct pm_site){.frame = circle,
				      .size_class = 2,
				      .period = 1,
				      .allocated = 1,
				      .allocated_bytes = 32});
	builder_site(&b, rows,
		     (struct pm_site){.frame = UINT32_MAX,
				      .size_class = 2,
				      .period = 1,
				      .allocated = 1,
				      .allocated_bytes = 32});
	builder_allocated(&b, b.leader, 2, 35);
	keep("sites_hostile", whole(b, NULL));
}

enum { FILLED = 6 }; /* arenas */

/* Pools of many classes, fuller from arena to arena, between large blocks and what is free; one in ten is empty. */
static void fill_arena(struct builder *b, struct pm_arena *arena, uint32_t index)
{
	for (uint32_t unit = 0; unit < 64; unit++) {
		uint32_t size_class = 1 + (unit * 7 + index) % 24,
			 capacity = PM_UNIT_BYTES / (size_class * 16);
		uint32_t live = unit % 10 ? capacity * (index * 64 + unit) / (FILLED * 64) : 0;
		if (unit % 16 == 13) {
			arena->pool[unit] = (struct pm_pool){.state = PM_POOL_LARGE, .pages = 30};
			unit++; /* it has two units */
		} else if (unit % 16 == 8) {
			arena->free_units |= UINT64_C(1) << unit;
			arena->dirty_units |= (uint64_t)(index + unit == 8) << unit;
		} else {
			builder_pool(arena, unit, b->leader + (index * 5 + unit / 16) % 12,
				     size_class, size_class * 16, live);
		}
	}
}

/* A heap larger than a picture has rows for.  F34: its threads have names that would drive a browser. */
static void make_heap(void)
{
	static const char argv[] = "./<svg onload=alert(1)>\0&\033[2J\"";
	struct builder b = builder_begin(1700, false);
	uint32_t process = builder_process(&b, 1700, 1, 0, PM_STATE_RUNNING), map = 0;

	for (uint32_t thread = 1; thread < 12; thread++)
		builder_slot(&b, process, thread, PM_SLOT_THREAD, 1700 + thread);
	builder_allocated(&b, process, 3, 1000);
	builder_allocated(&b, process, 105, 49);
	builder_fact(&b, process, PM_FACT_ARGV, argv, sizeof argv);
	builder_record(&b, process)->epoch = 40;
	builder_record(&b, process)->published_epoch = 38;
	for (uint32_t index = 0; index < FILLED + 25; index++) {
		if (index % PM_MAP_ARENAS == 0)
			map = builder_add(&b, PM_CHUNK_MAP, process, index / PM_MAP_ARENAS);
		uint64_t base = 0x7f0000000000 + (uint64_t)index * 0x400000;
		struct pm_arena *arena = builder_arena(&b, map, index % PM_MAP_ARENAS, base, 64);
		if (index < FILLED)
			fill_arena(&b, arena, index);
		else if (index == FILLED)
			builder_arena(&b, map, index % PM_MAP_ARENAS, base, 1)->free_units = 1;
		else
			arena->kind = PM_ARENA_HUGE;
		if (index == 21)
			arena->huge_bytes = (UINT64_C(60) << 22) - 8192;
	}
	struct pm_arena *huge = &((struct pm_map *)builder_chunk(&b, map - 1))
					 ->arena[21 % PM_MAP_ARENAS];
	huge->pool[0] = (struct pm_pool){.state = PM_POOL_LARGE, .pages = 24 * 1024 - 2};
	keep("heap", whole(b, "{\"command\":[\"./<svg onload=alert(1)>\"],\"exit\":-1,\"signal\":9,"
			      "\"threads\":[[1700,1700,\"</title><script>\",0,9000000000],"
			      "[1700,1701,\"\\u001b]52;c;x\\u0007\",0,9000000000],"
			      "[1700,1703,\"a&b\\u202e\\\"\",0,9000000000]],"
			      "\"processes\":[{\"pid\":1700,\"exit\":-1,\"signal\":9}]}"));
}

static void make_nothing(void)
{
	struct bytes capture = capture_begin();
	capture_run(&capture,
		    "{\"command\":[\"./static\"],\"exit\":0,\"signal\":0,\"rss_peak\":1048576,"
		    "\"elapsed_ns\":1000000,\"processes\":[]}");
	capture_end(&capture);
	keep("nothing", capture);
}

static void make_cut(void)
{
	struct builder b = builder_example(5000, PM_STATE_EXITED, true);
	struct bytes capture = whole(b, NULL);
	struct builder again = builder_example(5001, PM_STATE_EXITED, true);

	capture.count -= sizeof(struct pm_section);
	capture_segment(&capture, &again);
	capture.count -= 1000;
	builder_free(&again);
	keep("cut", capture);
}

/* F38 */
static void make_newer(void)
{
	struct builder b = builder_example(6000, PM_STATE_EXITED, true);
	builder_header(&b)->version = PM_FORMAT_VERSION + 1;
	keep("newer", whole(b, NULL));
}

static void make_damaged(void)
{
	struct bytes capture = whole(builder_example(7000, PM_STATE_EXITED, true), NULL);
	capture.data[20000] ^= 1;
	keep("damaged", capture);
}

/* Where each block and page was; of what cannot be written, too. */
static void make_surveyed(void)
{
	struct builder b = builder_example(1234, PM_STATE_EXITED, false);
	builder_example_sited(&b);
	builder_example_surveyed(&b, "/usr/lib/libc.so.6");
	keep("surveyed", whole(b, NULL));

	b = builder_example(1234, PM_STATE_EXITED, false);
	builder_text_fact(&b, b.leader, PM_FACT_EXE, "/tmp/\033]52;c;x\a<b>&\"'\x9b\xff");
	builder_example_surveyed(
		&b, "/tmp/</script><img onerror=alert(1)>\033]0;x\a\xe2\x80\xa8\xff\xc2\x9b");
	keep("surveyed_hostile", whole(b, NULL));
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	directory = argv[1];
	make_exited();
	make_tree();
	make_filtered();
	make_killed();
	make_hostile();
	make_clocks();
	make_phases();
	make_timeline();
	make_sites();
	make_packed();
	make_sampled();
	make_sites_hostile();
	make_heap();
	make_nothing();
	make_cut();
	make_newer();
	make_damaged();
	make_surveyed();
	return 0;
}
