/* link: -lutil */
/* SPDX-License-Identifier: MIT */
/* A bar for long work: on a terminal, from half a second on, gone when the work is done. */
#define _GNU_SOURCE 1

#include "text/progress.h"

#include <criterion/criterion.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void work(unsigned milliseconds, const char *note)
{
	struct progress progress = progress_begin("names of code");
	struct timespec pause = {.tv_nsec = milliseconds * 1000000L};

	progress_step(&progress, 0, 4);
	nanosleep(&pause, NULL);
	if (note)
		progress_note(&progress, note);
	progress_step(&progress, 1, 4);
	progress_step(&progress, 2, 4);
	progress_end(&progress);
	progress_end(&progress);
}

/* What the work writes to a terminal of that kind; NULL: to none. */
static const char *noted(const char *terminal, unsigned milliseconds, const char *note)
{
	static char text[4096];
	size_t count = 0;
	ssize_t got;
	int master, slave, pipes[2];

	cr_assert_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	cr_assert_eq(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0) {
		setenv("TERM", terminal ? terminal : "xterm", 1);
		dup2(terminal ? slave : pipes[1], STDERR_FILENO);
		work(milliseconds, note);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	write(terminal ? slave : pipes[1], "end", 3);
	int from = terminal ? master : pipes[0];
	while ((got = read(from, text + count, sizeof text - 1 - count)) > 0) {
		count += (size_t)got;
		text[count] = '\0';
		if (count >= 3 && strcmp(text + count - 3, "end") == 0)
			break;
	}
	close(master);
	close(slave);
	close(pipes[0]);
	close(pipes[1]);
	return text;
}

static const char *written(const char *terminal, unsigned milliseconds)
{
	return noted(terminal, milliseconds, NULL);
}

Test(progress, is_shown_on_a_terminal_after_half_a_second)
{
	const char *text = written("xterm", 600);

	cr_expect_str_eq(text, "\rnames of code [#######                       ]  25 %\r\033[Kend");
}

/* A note stands behind the bar as it was, within 80 columns, and steers no terminal. */
Test(progress, tells_what_is_waited_for)
{
	const char *text = noted("xterm", 600, "je\033malloc: --ready");

	cr_expect_str_eq(text,
			 "\rnames of code [                              ]   0 %  je\\x1bmalloc: "
			 "--ready\033[K\r\033[Kend");
	text = noted("xterm", 600, "1234567890 1234567890 1234567890 1234567890");
	cr_expect_not_null(strstr(text, "0 %  1234567890 1234567890 123456789...\033[K"));
}

Test(progress, is_not_shown_otherwise)
{
	cr_expect_str_eq(noted(NULL, 600, "what"), "end");
	progress_note(NULL, "what");
	cr_expect_str_eq(written("xterm", 100), "end");
	cr_expect_str_eq(written("dumb", 600), "end");
	cr_expect_str_eq(written(NULL, 600), "end");
	progress_step(NULL, 1, 2);
	progress_end(NULL);
}
