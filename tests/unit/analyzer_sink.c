/* SPDX-License-Identifier: MIT */
/* F37: a report is there whole or not at all, and each failed write is said. */
#include "text/colour.h"
#include "text/sink.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void put_much(struct sink *sink)
{
	for (int i = 0; i < 20000; i++)
		sink_print(sink, "line %d\n", i);
}

Test(sink, full_device)
{
	struct failure why = {FAILURE_NONE, ""};
	struct sink sink;

	cr_assert(sink_open(&sink, "/dev/full", &why));
	put_much(&sink);
	cr_expect(!sink_close(&sink, &why));
	cr_expect_eq(why.kind, FAILURE_WRITE);
	cr_expect(strstr(why.text, "/dev/full"));
}

Test(sink, closed_pipe_is_quiet)
{
	struct failure why = {FAILURE_NONE, ""};
	struct sink sink;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	close(ends[0]);
	cr_assert(sink_open(&sink, NULL, &why));
	sink.fd = ends[1];
	put_much(&sink);
	cr_expect(!sink_close(&sink, &why));
	cr_expect_eq(why.kind, FAILURE_CLOSED);
	cr_expect_eq(failure_report(&why), 1);
}

Test(sink, closed_descriptor)
{
	struct failure why = {FAILURE_NONE, ""};
	struct sink sink;

	cr_assert(sink_open(&sink, NULL, &why));
	sink.fd = -1;
	put_much(&sink);
	cr_expect(!sink_close(&sink, &why));
	cr_expect_eq(why.kind, FAILURE_WRITE);
}

Test(sink, file_appears_when_whole)
{
	char directory[] = "/tmp/poolmem-sink.XXXXXX", path[64];
	struct failure why = {FAILURE_NONE, ""};
	struct stat status;
	struct sink sink;

	cr_assert(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/out", directory);
	umask(027);
	cr_assert(sink_open(&sink, path, &why));
	put_much(&sink);
	cr_expect_neq(stat(path, &status), 0, "not there before it is whole");
	cr_assert(sink_close(&sink, &why));
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0640);
	cr_expect_gt(status.st_size, 100000);
	unlink(path);
	cr_expect_eq(rmdir(directory), 0, "nothing else is left");
}

Test(sink, failed_file_leaves_nothing)
{
	char directory[] = "/tmp/poolmem-sink.XXXXXX", path[64];
	struct failure why = {FAILURE_NONE, ""};
	struct rlimit small = {4096, 4096};
	struct sink sink;

	cr_assert(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/out", directory);
	cr_assert(sink_open(&sink, path, &why));
	setrlimit(RLIMIT_FSIZE, &small);
	put_much(&sink);
	cr_expect(!sink_close(&sink, &why));
	cr_expect_eq(failure_report(&why), 1);
	cr_expect_eq(rmdir(directory), 0, "no file, no temporary");
}

Test(sink, directory_that_is_not_there)
{
	struct failure why = {FAILURE_NONE, ""};
	struct sink sink;
	cr_expect(!sink_open(&sink, "/nonexistent/out", &why));
	cr_expect_eq(why.kind, FAILURE_WRITE);
}

Test(colour, choices)
{
	struct failure why;
	bool wanted = true;

	cr_expect(colour_wanted("never", 1, &wanted, &why) && !wanted);
	cr_expect(colour_wanted("always", 1, &wanted, &why) && wanted);
	cr_expect(colour_wanted("auto", -1, &wanted, &why) && !wanted);
	cr_expect(colour_wanted(NULL, -1, &wanted, &why) && !wanted);
	cr_expect(!colour_wanted("often", 1, &wanted, &why));
	cr_expect_eq(why.kind, FAILURE_USAGE);
}

Test(failure, exit_codes)
{
	struct failure why = {FAILURE_NONE, ""};
	cr_expect_eq(failure_report(&why), 0);
	cr_expect(!fail(&why, FAILURE_USAGE, "%d", 1));
	cr_expect_eq(failure_report(&why), 2);
	fail(&why, FAILURE_UNREADABLE, "bad");
	cr_expect_eq(failure_report(&why), 3);
	fail(&why, FAILURE_NOTHING, "none");
	cr_expect_eq(failure_report(&why), 1);
}
