/* SPDX-License-Identifier: MIT */
/* progress.c: see progress.h. */
#define _GNU_SOURCE 1

#include "text/progress.h"

#include "text/clock.h"
#include "text/escape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint64_t FIRST_NS = 500000000, AGAIN_NS = 100000000;
enum { BAR_COLUMNS = 30, NOTE_COLUMNS = 34 };

/* A dumb terminal cannot take a line back. */
static bool can_show(void)
{
	const char *terminal = getenv("TERM");

	return isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

struct progress progress_begin(const char *what)
{
	return (struct progress){.what = what, .began_ns = monotonic_ns(), .is_wanted = can_show()};
}

/* ESC [ K: the rest of the line is cleared. */
static void show(struct progress *progress, const char *note)
{
	char bar[BAR_COLUMNS + 1] = "";
	uint64_t done = progress->done, total = progress->total;
	uint64_t filled = total ? done * BAR_COLUMNS / total : 0;

	memset(bar, '#', filled < BAR_COLUMNS ? filled : BAR_COLUMNS);
	fprintf(stderr, "\r%s [%-*s] %3llu %%", progress->what, BAR_COLUMNS, bar,
		(unsigned long long)(total ? done * 100 / total : 0));
	if (note) {
		char *shown = escape_text(note);
		text_cut(shown, NOTE_COLUMNS);
		fprintf(stderr, "  %s\033[K", shown);
		free(shown);
	}
	fflush(stderr);
	progress->is_shown = true;
}

static void show_in_time(struct progress *progress, const char *note)
{
	uint64_t now = monotonic_ns();

	if (now - progress->began_ns < FIRST_NS || now - progress->shown_ns < AGAIN_NS)
		return;
	progress->shown_ns = now;
	show(progress, note);
}

void progress_step(struct progress *progress, uint64_t done, uint64_t total)
{
	if (!progress || !progress->is_wanted)
		return;
	progress->done = done;
	progress->total = total;
	show_in_time(progress, NULL);
}

void progress_note(struct progress *progress, const char *note)
{
	if (progress && progress->is_wanted)
		show_in_time(progress, note);
}

void progress_end(struct progress *progress)
{
	if (progress && progress->is_shown)
		fprintf(stderr, "\r\033[K");
	if (progress)
		progress->is_shown = false;
}
