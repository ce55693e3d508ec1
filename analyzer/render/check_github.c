/* SPDX-License-Identifier: MIT */
/*
 * check_github.c: what a check found, for GitHub Actions: commands that its runner reads in a step's output, and the job
 * summary, a file that the steps of a job share.
 *
 * The runner shows ten errors of a step and drops the rest without a word; and a summary of more than 1 MiB as a whole.
 */
#define _GNU_SOURCE 1

#include "render/check.h"

#include "text/escape.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ANNOTATIONS_MOST = 10, SUMMARY_BYTES_MOST = 1 << 20 };

static const char workspace[] = "GITHUB_WORKSPACE", summary_file[] = "GITHUB_STEP_SUMMARY";

/* --- commands -------------------------------------------------------------------------------------------- */

/* As its toolkit escapes: the message; a property, which a colon or a comma would end. */
static void put_escaped(const char *text, bool is_property, struct sink *sink)
{
	for (; *text; text++) {
		bool is_mark = *text == '%' || *text == '\r' || *text == '\n' ||
			       (is_property && (*text == ':' || *text == ','));
		if (is_mark)
			sink_print(sink, "%%%02X", (unsigned)*text);
		else
			sink_bytes(sink, text, 1);
	}
}

static void put_property(const char *name, const char *text, struct sink *sink)
{
	char *shown = escape_text(text);

	sink_print(sink, "%s=", name);
	put_escaped(shown, true, sink);
	free(shown);
}

static void put_spot(const struct check_problem *problem, struct sink *sink)
{
	struct check_spot spot = check_problem_spot(problem, workspace);

	if (*spot.path) {
		put_property("file", spot.path, sink);
		if (spot.line)
			sink_print(sink, ",line=%u", spot.line);
		sink_print(sink, ",");
	}
	free(spot.path);
}

static void put_problem(const struct check_problem *problem, struct sink *sink)
{
	char *title = check_problem_title(problem), *text = check_problem_text(problem);

	sink_print(sink, "::error ");
	put_spot(problem, sink);
	put_property("title", title, sink);
	sink_print(sink, "::");
	put_escaped(text, false, sink);
	sink_print(sink, "\n");
	free(title);
	free(text);
}

/* What else to know, as notices. */
static void put_notes(const struct check *check, struct sink *sink)
{
	size_t walk = 0, count = 0;

	for (char *note; (note = check_note_next(check, &walk)); free(note)) {
		if (count++ >= ANNOTATIONS_MOST - 1)
			continue;
		char *text = escape_text(note);
		sink_print(sink, "::notice title=poolmem check::");
		put_escaped(text, false, sink);
		sink_print(sink, "\n");
		free(text);
	}
}

static void put_commands(const struct check *check, struct sink *sink)
{
	struct check_walk walk = {.test = 0};
	struct check_problem problem;
	size_t count = 0;

	while (check_walk_next(&walk, check, &problem))
		if (count++ < ANNOTATIONS_MOST)
			put_problem(&problem, sink);
	if (count > ANNOTATIONS_MOST)
		sink_print(sink,
			   "::notice title=poolmem check::%s more of %s: the job summary has all\n",
			   number_count(count - ANNOTATIONS_MOST).text,
			   number_of(count, "problem").text);
}

/* --- the job summary ------------------------------------------------------------------------------------- */

static size_t count_of(const char *text, size_t bytes, const char *word)
{
	size_t count = 0, length = strlen(word);

	for (const char *at = text; (at = memmem(at, bytes - (size_t)(at - text), word, length));
	     at += length)
		count++;
	return count;
}

static const char cut_note[] = "\n\nThe summary is cut here: GitHub shows 1 MiB of a step. `poolmem check --report "
			       "markdown=FILE` has all.\n";
static const char close_details[] = "\n</details>\n";

/* So much of it, up to the end of a line, as leaves room for what is to follow. */
static size_t cut(const char *text, size_t bytes, size_t room)
{
	size_t tail = strlen(cut_note) + strlen(close_details);

	if (bytes <= room)
		return bytes;
	for (size_t kept = room > tail ? room - tail : 0; kept; kept--)
		if (text[kept - 1] == '\n')
			return kept;
	return 0;
}

static void put_summary(const struct buffer *markdown, size_t room, struct sink *sink)
{
	size_t kept = cut(markdown->data, markdown->bytes, room);

	if (!kept)
		return;
	sink_bytes(sink, markdown->data, kept);
	if (kept == markdown->bytes)
		return;
	/* At most one is open: they do not nest. */
	if (count_of(markdown->data, kept, "<details>") >
	    count_of(markdown->data, kept, "</details>"))
		sink_bytes(sink, close_details, strlen(close_details));
	sink_bytes(sink, cut_note, strlen(cut_note));
}

/* What other commands of the step have put there counts, too. */
static size_t room_left(const struct sink *sink)
{
	struct stat status;
	size_t used = fstat(sink->fd, &status) == 0 ? (size_t)status.st_size : 0;

	return used < SUMMARY_BYTES_MOST ? SUMMARY_BYTES_MOST - used : 0;
}

static bool append_summary(const struct check *check, const char *path, struct failure *why)
{
	struct buffer markdown = {.data = NULL};
	struct sink sink;

	sink_open_memory(&sink, &markdown);
	check_markdown(check, &sink, why);
	sink_bytes(&sink, "\n", 1);
	sink_close(&sink, why);
	bool is_done = sink_open_append(&sink, path, why);
	if (is_done) {
		put_summary(&markdown, room_left(&sink), &sink);
		is_done = sink_close(&sink, why);
	}
	buffer_free(&markdown);
	return is_done;
}

bool check_github(const struct check *check, struct sink *sink, struct failure *why)
{
	const char *path = getenv(summary_file);

	put_commands(check, sink);
	put_notes(check, sink);
	return !path || !*path || append_summary(check, path, why);
}
