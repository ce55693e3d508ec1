/* SPDX-License-Identifier: MIT */
/* trial.c: see trial.h. */
#define _GNU_SOURCE
#include "launch/trial.h"

#include "launch/child.h"
#include "launch/environment.h"
#include "launch/library.h"
#include "launch/roster.h"
#include "launch/segdir.h"
#include "source/image.h"
#include "source/life.h"
#include "text/number.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIAL_PROGRAM "/bin/true"
enum { ROOM_BYTES_MIN = 64 << 20 };

/* Where the program's segment goes, and what marks it. */
struct trial {
	struct segdir segdir;
	uint64_t run_id;
};

/* A file that is mapped for writing must not grant a lease, and must once it is unmapped. */
static bool lease_tells(int fd, const char *name, size_t page_bytes)
{
	int writer = openat(fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct failure ignored;
	struct input input;

	if (writer < 0 || ftruncate(writer, (off_t)page_bytes) != 0)
		return false;
	void *page = mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0);

	close(writer);
	if (page == MAP_FAILED || !input_open(fd, name, &input, &ignored))
		return false;
	bool tells = life_of_file(&input) == LIFE_RUNNING;

	munmap(page, page_bytes);
	tells = tells && life_of_file(&input) == LIFE_ENDED;
	input_close(&input);
	return tells;
}

static void check_lease(struct checks *checks, const struct trial *trial)
{
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN); /* `ulimit -f 0` (F39) */
	char name[32];

	snprintf(name, sizeof(name), ".lease-%016" PRIx64, trial->run_id);
	bool tells = lease_tells(trial->segdir.fd, name, (size_t)sysconf(_SC_PAGESIZE));

	signal(SIGXFSZ, before);
	unlinkat(trial->segdir.fd, name, 0);
	if (tells)
		checks_add(checks, "leases", CHECK_GOOD, NULL,
			   "tell segments of running programs from finished ones");
	else
		checks_add(checks, "leases", CHECK_NOTE, "put the segments on a tmpfs",
			   "are not granted in %s: finished segments are kept until `poolmem clean`",
			   trial->segdir.path);
}

/* Runs the program and waits.  0, or what went wrong. */
static int run_trial(const char *library, const struct trial *trial, int *ret_status)
{
	char *const argv[] = {TRIAL_PROGRAM, NULL};
	struct environment_plan extended = {
		library, trial->segdir.path, trial->run_id, trial->segdir.max_bytes, false, NULL};
	char **environment = environment_make(&extended);
	struct sigaction standard = {.sa_handler = SIG_DFL};
	struct failure ignored;
	struct child child;
	sigset_t mask;
	struct child_plan plan = {.path = TRIAL_PROGRAM,
				  .argv = argv,
				  .environment = environment,
				  .mask = &mask,
				  .chld = &standard};

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

static bool is_readable(int directory_fd, const char *name, struct failure *why)
{
	struct input input;
	struct image image;

	if (!input_open(directory_fd, name, &input, why))
		return false;
	struct image_place place = {.input = &input, .bytes = input.bytes};
	bool loaded = image_load(&place, &image, why);

	if (loaded)
		image_free(&image);
	input_close(&input);
	return loaded;
}

/* NULL: there is none.  The program has ended, so its segment is finished where leases are granted. */
static const struct roster_entry *find_segment(const struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		if (roster->entries[i].state == ROSTER_FINISHED ||
		    roster->entries[i].state == ROSTER_RUNNING)
			return &roster->entries[i];
	return NULL;
}

static void check_segment(struct checks *checks, const struct trial *trial)
{
	int fd = trial->segdir.fd;
	struct failure why;
	struct roster roster;

	roster_open(fd, trial->run_id, &roster);
	roster_look(&roster, true);
	const struct roster_entry *found = find_segment(&roster);

	if (!found)
		checks_add(checks, "segment", CHECK_FAIL,
			   "see that the library's own messages say nothing: run LD_PRELOAD by hand",
			   TRIAL_PROGRAM " under the library left no segment in %s",
			   trial->segdir.path);
	else if (!is_readable(fd, found->name.text, &why))
		checks_add(checks, "segment", CHECK_FAIL,
			   "use the libpoolmem.so that came with this poolmem", "%s", why.text);
	else
		checks_add(checks, "segment", CHECK_GOOD, NULL,
			   TRIAL_PROGRAM " under the library left one, and it is sound");
	if (found)
		unlinkat(fd, found->name.text, 0);
	roster_close(&roster);
}

static void check_library(struct checks *checks, const char *given, const struct trial *trial)
{
	char library[PATH_MAX];
	struct failure why;
	int status = 0;

	if (!library_find(given, library, &why)) {
		checks_add(checks, "library", CHECK_FAIL, "install poolmem, or give --lib PATH",
			   "%s", why.text);
		return;
	}
	int error = run_trial(library, trial, &status);

	if (error || status != 0) {
		checks_add(checks, "library", CHECK_FAIL, "use a library built for this machine",
			   TRIAL_PROGRAM " does not run with %s: %s", library,
			   error ? strerror(error) : "it failed");
		return;
	}
	checks_add(checks, "library", CHECK_GOOD, NULL, "%s", library);
	check_segment(checks, trial);
}

static void check_room(struct checks *checks, const struct segdir *segdir)
{
	struct statvfs disk = {0};

	statvfs(segdir->path, &disk);
	uint64_t left = (uint64_t)disk.f_bavail * disk.f_frsize;

	if (disk.f_blocks && left < ROOM_BYTES_MIN)
		checks_add(checks, "directory", CHECK_NOTE, "set POOLMEM=dir=PATH to one with room",
			   "%s is yours alone, with %s free: large programs will not fit",
			   segdir->path, number_bytes(left).text);
	else
		checks_add(checks, "directory", CHECK_GOOD, NULL, "%s is yours alone", segdir->path);
}

void trial_check(struct checks *checks, const char *library)
{
	struct trial trial = {.run_id = environment_run_id()};
	struct failure why;

	if (!segdir_open(&trial.segdir, &why)) {
		checks_add(checks, "directory", CHECK_FAIL,
			   "remove it, or set POOLMEM=dir=PATH to one of your own", "%s", why.text);
		return;
	}
	check_room(checks, &trial.segdir);
	check_lease(checks, &trial);
	check_library(checks, library, &trial);
	segdir_close(&trial.segdir);
}
