/* SPDX-License-Identifier: MIT */
/* trial.c: see trial.h. */
#define _GNU_SOURCE
#include "launch/trial.h"

#include "launch/child.h"
#include "launch/environment.h"
#include "launch/library.h"
#include "launch/rundir.h"
#include "source/image.h"
#include "source/life.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIAL_PROGRAM "/bin/true"
#define LEASE_NAME "lease"
enum { TRIAL_RUN_ID = 1 };

/* A file that is mapped for writing must not grant a lease, and must once it is unmapped. */
static bool lease_tells(int fd, size_t page_bytes)
{
	int writer = openat(fd, LEASE_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct failure ignored;
	struct input input;

	if (writer < 0 || ftruncate(writer, (off_t)page_bytes) != 0)
		return false;
	void *page = mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0);

	close(writer);
	if (page == MAP_FAILED || !input_open(fd, LEASE_NAME, &input, &ignored))
		return false;
	bool tells = life_of_file(&input) == LIFE_RUNNING;

	munmap(page, page_bytes);
	tells = tells && life_of_file(&input) == LIFE_ENDED;
	input_close(&input);
	return tells;
}

static void check_lease(struct checks *checks, const struct rundir *rundir)
{
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN); /* `ulimit -f 0` (F39) */
	bool tells = lease_tells(rundir->fd, (size_t)sysconf(_SC_PAGESIZE));

	signal(SIGXFSZ, before);
	unlinkat(rundir->fd, LEASE_NAME, 0);
	if (tells)
		checks_add(checks, "leases", CHECK_GOOD, NULL,
			   "tell segments of running programs from finished ones");
	else
		checks_add(checks, "leases", CHECK_NOTE, "put the segments on a tmpfs",
			   "are not granted in %s: finished segments are kept until `poolmem clean`",
			   rundir->parent);
}

/* Runs the program and waits.  0, or what went wrong. */
static int run_trial(const char *library, const struct rundir *rundir, int *ret_status)
{
	char *const argv[] = {TRIAL_PROGRAM, NULL};
	struct environment_plan extended = {library, rundir->path, TRIAL_RUN_ID, rundir->max_bytes};
	char **environment = environment_make(&extended);
	struct sigaction standard = {.sa_handler = SIG_DFL};
	struct failure ignored;
	struct child child;
	sigset_t mask;
	struct child_plan plan = {TRIAL_PROGRAM, argv, environment, &mask, &standard};

	sigprocmask(SIG_BLOCK, NULL, &mask);
	bool forked = child_fork(&plan, &child, &ignored);

	environment_free(environment);
	if (!forked)
		return EAGAIN;
	int error = child_release(&child);

	if (error)
		return error;
	return waitpid(child.pid, ret_status, 0) == child.pid ? 0 : errno;
}

static bool is_readable(const struct rundir *rundir, const char *name, struct failure *why)
{
	struct input input;
	struct image image;

	if (!input_open(rundir->fd, name, &input, why))
		return false;
	struct image_place place = {.input = &input, .bytes = input.bytes};
	bool loaded = image_load(&place, &image, why);

	if (loaded)
		image_free(&image);
	input_close(&input);
	return loaded;
}

static void check_segment(struct checks *checks, const struct rundir *rundir)
{
	struct failure why;
	size_t count;
	char **names = rundir_names(rundir, &count);

	if (count == 0)
		checks_add(checks, "segment", CHECK_FAIL,
			   "see that the library's own messages say nothing: run LD_PRELOAD by hand",
			   TRIAL_PROGRAM " under the library left no segment in %s", rundir->path);
	else if (!is_readable(rundir, names[0], &why))
		checks_add(checks, "segment", CHECK_FAIL,
			   "use the libpoolmem.so that came with this poolmem", "%s", why.text);
	else
		checks_add(checks, "segment", CHECK_GOOD, NULL,
			   TRIAL_PROGRAM " under the library left one, and it is sound");
	for (size_t i = 0; i < count; i++) {
		unlinkat(rundir->fd, names[i], 0);
		free(names[i]);
	}
	free(names);
}

static void check_library(struct checks *checks, const char *given, const struct rundir *rundir)
{
	char library[PATH_MAX];
	struct failure why;
	int status = 0;

	if (!library_find(given, library, &why)) {
		checks_add(checks, "library", CHECK_FAIL, "install poolmem, or give --lib PATH",
			   "%s", why.text);
		return;
	}
	int error = run_trial(library, rundir, &status);

	if (error || status != 0) {
		checks_add(checks, "library", CHECK_FAIL, "use a library built for this machine",
			   TRIAL_PROGRAM " does not run with %s: %s", library,
			   error ? strerror(error) : "it failed");
		return;
	}
	checks_add(checks, "library", CHECK_GOOD, NULL, "%s", library);
	if (!environment_is_off())
		check_segment(checks, rundir);
}

void trial_check(struct checks *checks, const char *library)
{
	struct rundir rundir;
	struct failure why;

	if (!rundir_make(&rundir, &why)) {
		checks_add(checks, "directory", CHECK_FAIL,
			   "remove it, or set POOLMEM=dir=PATH to one of your own", "%s", why.text);
		return;
	}
	checks_add(checks, "directory", CHECK_GOOD, NULL, "%s is yours alone", rundir.parent);
	check_lease(checks, &rundir);
	check_library(checks, library, &rundir);
	rundir_hand_back(&rundir);
}
