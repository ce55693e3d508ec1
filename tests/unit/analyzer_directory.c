/* SPDX-License-Identifier: MIT */
/* Where segments lie, what their names say, who is alive, and what follows an exec. */
#define _GNU_SOURCE 1

#include "launch/roster.h"
#include "model/listing.h"
#include "source/operand.h"
#include "unit/recording_helper.h"
#include "unit/segment_builder.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char directory[64];

static void make_directory(void)
{
	char setting[128];
	strcpy(directory, "/tmp/poolmem-dir.XXXXXX");
	cr_assert(mkdtemp(directory));
	snprintf(setting, sizeof setting, "sites=off,dir=/wrong,dir=%s", directory);
	setenv("POOLMEM", setting, 1);
}

static void remove_directory(void)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(directory, .init = make_directory, .fini = remove_directory);

static const char *path_of(uint64_t created_ns, uint32_t pid)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%016llx-%u-0123abcd.pms", directory,
		 (unsigned long long)created_ns, pid);
	return path;
}

static void write_segment(struct builder *b, uint32_t pid)
{
	cr_assert(bytes_write(&b->file, path_of(builder_header(b)->created_ns, pid)));
	builder_free(b);
}

Test(directory, names)
{
	struct segment_name name;
	static const char *const wrong[] = {
		"",
		"last",
		"17a0000000000000-12-0123abcd",
		"17a000000000000-12-0123abcd.pms",
		"17a0000000000000-0-0123abcd.pms",
		"17a0000000000000--1-0123abcd.pms",
		"17a0000000000000-99999999999-0123abcd.pms",
		"17a0000000000000-12-0123abc.pms",
		"17A0000000000000-12-0123abcd.pms",
		"17a0000000000000-12-0123abcd.pms.tmp",
		"17a0000000000000-12-0123abcd.pms012345678901234567890123456789"};

	cr_assert(segment_name_parse("17a0000000000001-1234-0123abcd.pms", &name));
	cr_expect_eq(name.created_ns, 0x17a0000000000001);
	cr_expect_eq(name.pid, 1234);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_expect_not(segment_name_parse(wrong[i], &name), "%s", wrong[i]);
}

Test(directory, newest_first_and_by_pid)
{
	struct failure why;
	struct directory opened;

	for (uint32_t pid = 10; pid < 40; pid++) {
		struct builder b = builder_example(pid, PM_STATE_EXITED, true);
		builder_process(&b, pid + 1000, pid, b.leader, PM_STATE_EXITED);
		write_segment(&b, pid);
	}
	cr_assert(directory_open(&opened, &why), "%s", why.text);
	cr_expect_eq(opened.name_count, 30);
	cr_expect_eq(opened.names[0].pid, 39);
	cr_expect_eq(directory_find_pid(&opened, 17)->pid, 17);
	cr_expect_eq(directory_find_pid(&opened, 1017)->pid, 17);
	cr_expect_null(directory_find_pid(&opened, 5));
	directory_close(&opened);
}

/* A segment that is in use comes first, though it is older. */
Test(directory, running_first)
{
	struct failure why;
	struct directory opened;
	struct builder old = builder_example(50, PM_STATE_RUNNING, true);
	struct builder new = builder_example(50, PM_STATE_EXITED, true);
	uint64_t created_ns = builder_header(&old)->created_ns;

	builder_header(&new)->created_ns += 1000;
	write_segment(&old, 50);
	write_segment(&new, 50);
	cr_assert(directory_open(&opened, &why));
	cr_expect_eq(directory_find_pid(&opened, 50)->created_ns, created_ns + 1000);
	int writer = open(path_of(created_ns, 50), O_RDWR);
	cr_expect_eq(directory_find_pid(&opened, 50)->created_ns, created_ns);
	close(writer);
	directory_close(&opened);
}

Test(directory, listing_and_exec)
{
	struct failure why;
	struct listing listing;
	struct builder first = builder_example(60, PM_STATE_RUNNING, true);
	struct builder second = builder_example(60, PM_STATE_EXITED, true);
	struct builder bad = builder_example(61, PM_STATE_EXITED, true);

	builder_header(&second)->created_ns += 5000000;
	builder_header(&bad)->created_ns += 9000000;
	builder_header(&bad)->chunk_bytes = 1;
	write_segment(&first, 60);
	write_segment(&second, 60);
	write_segment(&bad, 61);
	cr_assert(listing_open(true, &listing, &why));
	cr_assert_eq(listing.count, 3);
	cr_expect_not(listing.rows[0].is_readable);
	cr_expect(strstr(listing.rows[0].why.text, "chunk_bytes 1"));
	cr_expect_eq(listing.rows[1].state, STATE_EXITED);
	cr_expect_eq(listing.rows[2].state, STATE_REPLACED);
	cr_expect_eq(listing.rows[2].life, LIFE_ENDED);
	cr_expect_eq(listing.rows[1].allocations, 11327);
	cr_expect_str_eq(listing.rows[1].exe, "/usr/bin/example");
	listing_close(&listing);
	cr_assert(listing_open(false, &listing, &why));
	cr_expect_eq(listing.count, 3);
	listing_close(&listing);
}

Test(directory, trust)
{
	struct failure why;
	struct directory opened;

	cr_assert_eq(chmod(directory, 0770), 0);
	cr_expect_not(directory_open(&opened, &why));
	cr_expect_eq(why.kind, FAILURE_UNREADABLE);
	setenv("POOLMEM", "dir=/nonexistent", 1);
	cr_expect_not(directory_open(&opened, &why));
	cr_expect_eq(why.kind, FAILURE_NOTHING);
	setenv("POOLMEM", "dir=/etc/passwd", 1);
	cr_expect_not(directory_open(&opened, &why));
	cr_expect_eq(why.kind, FAILURE_UNREADABLE);
}

Test(directory, operands)
{
	struct failure why;
	char *path = operand_path("./123", &why);

	cr_expect_str_eq(path, "./123");
	free(path);
	cr_expect_null(operand_path("last", &why));
	cr_expect_eq(why.kind, FAILURE_NOTHING);
	cr_expect_null(operand_path("12", &why));
}

/* The process of this test writes to a segment: running; it ends; it is another boot. */
Test(directory, life)
{
	struct failure why;
	struct input input;
	struct builder b = builder_example(70, PM_STATE_RUNNING, true);
	struct pm_header header = *builder_header(&b);
	const char *path;

	memset(header.boot_id, 0, 16);
	write_segment(&b, 70);
	path = path_of(header.created_ns, 70);
	int ends[2];
	cr_assert_eq(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		int fd = open(path, O_RDWR);
		char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
		if (write(ends[1], "x", 1) == 1)
			pause();
		_exit(map[0]);
	}
	char byte;
	cr_assert_eq(read(ends[0], &byte, 1), 1);
	cr_assert(input_open(AT_FDCWD, path, &input, &why));
	cr_expect_eq(life_of_file(&input), LIFE_RUNNING);
	cr_expect_eq(life_of_process(&input, &header, (uint32_t)child, 0), LIFE_RUNNING);
	cr_expect_eq(life_of_process(&input, &header, (uint32_t)getpid(), 0), LIFE_ENDED,
		     "not mapped");
	header.pid_namespace = 1;
	cr_expect_eq(life_of_process(&input, &header, (uint32_t)child, 0), LIFE_UNKNOWN);
	header.pid_namespace = 0;
	header.boot_id[3] = 7;
	cr_expect_eq(life_of_process(&input, &header, (uint32_t)child, 0), LIFE_ENDED);
	memset(header.boot_id, 0, 16);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	cr_expect_eq(life_of_file(&input), LIFE_ENDED);
	cr_expect_eq(life_of_process(&input, &header, (uint32_t)child, 0), LIFE_ENDED);
	input_close(&input);
}

/* A process that maps its segment: its state and the kernel's figures. */
Test(directory, running_process_has_resident_figures)
{
	struct failure why;
	struct recording recording;
	struct builder b = builder_example((uint32_t)getpid(), PM_STATE_RUNNING, true);
	uint64_t created_ns = builder_header(&b)->created_ns;

	memset(builder_header(&b)->boot_id, 0, 16);
	builder_process(&b, (uint32_t)getppid(), 0, b.leader, PM_STATE_RUNNING);
	write_segment(&b, (uint32_t)getpid());
	const char *path = path_of(created_ns, (uint32_t)getpid());
	int fd = open(path, O_RDWR);
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	cr_assert(recording_read(path, &recording, &why), "%s", why.text);
	const struct process *process = &recording.processes[0];
	cr_expect_eq(process->state, STATE_RUNNING);
	cr_expect(process->rss_now.is_known && process->rss_now.value > 100000);
	cr_expect_geq(process->rss_peak.value, process->rss_now.value);
	cr_expect_eq(recording.processes[1].state, STATE_ENDED, "the parent does not map it");
	report_all(&recording);
	recording_free(&recording);
	munmap(map, 4096);
	cr_assert(recording_read(path, &recording, &why));
	cr_expect_eq(recording.processes[0].state, STATE_ENDED);
	recording_free(&recording);
}

/* Its maker may have the name and not yet the descriptor: nobody writes, and yet it will be one. */
Test(directory, a_file_that_is_filled_after_a_look_belongs_to_the_run)
{
	enum { RUN = 77 };
	struct roster roster;
	int fd = open(directory, O_RDONLY | O_DIRECTORY);
	struct builder b = builder_example(1234, PM_STATE_EXITED, true);

	builder_header(&b)->run_id = RUN;
	close(open(path_of(builder_header(&b)->created_ns, 1234), O_CREAT | O_WRONLY, 0600));
	roster_open(fd, RUN, &roster);
	roster_look(&roster, false);
	cr_assert_eq(roster.finished_count, 0);
	write_segment(&b, 1234);
	roster_look(&roster, true);
	cr_assert_eq(roster.finished_count, 1);
	cr_assert_eq(roster.lost_count, 0);
	roster_close(&roster);
	close(fd);
}
