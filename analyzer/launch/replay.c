/* SPDX-License-Identifier: MIT */
/* replay.c: see replay.h. */
#define _GNU_SOURCE
#include "launch/replay.h"

#include "launch/library.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPLAYER_NAME "poolmem-replay"

/* Where Debian's packages put them; glibc is what a program has without any. */
static const struct known {
	const char *name, *file;
} known[] = {
	{"poolmem", NULL},
	{"glibc", ""},
	{"jemalloc", "libjemalloc.so.2"},
	{"mimalloc", "libmimalloc.so.2.0"},
	{"tcmalloc", "libtcmalloc_minimal.so.4"},
};
enum { KNOWN_COUNT = sizeof known / sizeof *known };

static bool find_file(const struct known *item, char ret_path[PATH_MAX])
{
	static const char *const places[] = {"/usr/local/lib", "/usr/lib/x86_64-linux-gnu",
					     "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"};

	ret_path[0] = 0;
	for (size_t i = 0; *item->file && i < sizeof places / sizeof *places; i++) {
		snprintf(ret_path, PATH_MAX, "%s/%s", places[i], item->file);
		if (access(ret_path, R_OK) == 0)
			return true;
	}
	return !*item->file;
}

static bool is_wanted(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (strncmp(at, name, length) == 0 && (at[length] == ',' || !at[length]))
			return true;
	return !list;
}

static bool check_names(const char *list, struct failure *why)
{
	for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		size_t length = strcspn(at, ","), i = 0;

		while (i < KNOWN_COUNT &&
		       (strlen(known[i].name) != length || strncmp(at, known[i].name, length) != 0))
			i++;
		if (i == KNOWN_COUNT)
			return fail(why, FAILURE_USAGE, "no allocator is known as '%.*s'",
				    (int)length, at);
	}
	return true;
}

bool replay_find(const char *list, const char *library, struct replay_allocator *ret,
		 size_t *ret_count, struct failure *why)
{
	*ret_count = 0;
	if (!check_names(list, why))
		return false;
	for (size_t i = 0; i < KNOWN_COUNT; i++) {
		struct replay_allocator *next = &ret[*ret_count];

		if (!is_wanted(list, known[i].name))
			continue;
		next->name = known[i].name;
		if (!known[i].file && !library_find(library, next->library, why))
			return false;
		if (known[i].file && !find_file(&known[i], next->library)) {
			if (list)
				return fail(why, FAILURE_NOTHING, "%s is not on this machine",
					    known[i].file);
			continue;
		}
		++*ret_count;
	}
	return true;
}

/* Beside this program, or in ../libexec/poolmem. */
static bool find_replayer(char ret_path[PATH_MAX], struct failure *why)
{
	char own[PATH_MAX];
	ssize_t bytes = readlink("/proc/self/exe", own, sizeof own - 1);

	own[bytes > 0 ? bytes : 0] = 0;
	char *slash = strrchr(own, '/');

	if (slash)
		slash[1] = 0;
	static const char *const places[] = {"", "../libexec/poolmem/"};

	for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++)
		if (snprintf(ret_path, PATH_MAX, "%s%s" REPLAYER_NAME, own, places[i]) < PATH_MAX &&
		    access(ret_path, X_OK) == 0)
			return true;
	return fail(why, FAILURE_NOTHING,
		    REPLAYER_NAME " is neither beside poolmem nor in ../libexec/poolmem");
}

/* In the child. */
static _Noreturn void become(const struct replay_allocator *allocator, const char *replayer,
			     const char *script, bool touches, int result)
{
	const char *const argv[] = {REPLAYER_NAME, touches ? "touch" : "speed", script, NULL};

	if (dup2(result, SCRIPT_RESULT_FD) < 0)
		_exit(126);
	if (allocator->library[0])
		setenv("LD_PRELOAD", allocator->library, 1);
	else
		unsetenv("LD_PRELOAD");
	execv(replayer, (char *const *)argv);
	_exit(127);
}

static bool take_result(int fd, pid_t pid, struct script_result *ret)
{
	ssize_t got;
	int status;

	do
		got = read(fd, ret, sizeof *ret);
	while (got < 0 && errno == EINTR);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return got == sizeof *ret && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool replay_run(const struct replay_allocator *allocator, const char *script, bool touches,
		struct script_result *ret, struct failure *why)
{
	char replayer[PATH_MAX];
	int ends[2];

	if (!find_replayer(replayer, why))
		return false;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(why, FAILURE_NOTHING, "pipe: %s", strerror(errno));
	pid_t pid = fork();

	if (pid == 0)
		become(allocator, replayer, script, touches, ends[1]);
	close(ends[1]);
	bool done = pid > 0 && take_result(ends[0], pid, ret);

	close(ends[0]);
	return done || fail(why, FAILURE_NOTHING, "the replay under %s did not come to its end",
			    allocator->name);
}
