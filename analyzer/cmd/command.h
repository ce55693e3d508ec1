/* SPDX-License-Identifier: MIT */
/*
 * command.h: what a command is.  A command NAME lives in cmd/NAME.c and exports two things:
 *
 *   int cmd_NAME(int argc, char **argv);          argv[0] is NAME; returns the exit code
 *   const struct command_help help_NAME;          what `poolmem NAME --help` shows
 *
 * main.c answers `--help` before it calls the command, so a command never sees it unless a `--` or
 * the program to run stands before it.  The table of commands is COMMANDS below and nowhere else.
 */
#ifndef POOLMEM_CMD_COMMAND_H
#define POOLMEM_CMD_COMMAND_H

#include "text/failure.h"

#include <stdbool.h>
#include <stddef.h>

/* X(name, "one line for the list of commands") in the order in which help shows them. */
#define COMMANDS(X)                                                                                \
	X(run, "run a program under poolmem and keep a capture")                                   \
	X(report, "say what a program did with its memory")                                        \
	X(survival, "who dies young and who never dies, by generation and age")                    \
	X(sites, "who allocates: call stacks with what became of their blocks")                    \
	X(leaks, "who never freed: call stacks of what was live at the end")                       \
	X(frag, "where each resident byte is, and whose blocks pin free memory")                   \
	X(map, "a picture of the heap: how full each pool of each arena is")                       \
	X(diff, "what changed between two recordings, by call site")                               \
	X(compare, "run a program under each allocator: memory, time, which to pick")              \
	X(check, "hold a program to a memory budget, for tests and CI")                            \
	X(flamegraph, "draw the call stacks as a picture that can be searched")                    \
	X(export, "write call sites for other programs: pprof, DHAT, SQLite ...")                  \
	X(ctl, "tell a program that runs which call sites to record")                              \
	X(replay, "make a program's calls again under each allocator")                             \
	X(pack, "make a capture that is read on any machine, names and all")                       \
	X(list, "show the segments of this user")                                                  \
	X(clean, "remove segments of finished programs")                                           \
	X(doctor, "check that poolmem works here and for a program")

/* Exit codes of commands other than `run`, which passes the child's on and fails with 125. */
enum {
	EXIT_DONE = 0,
	EXIT_NOTHING = 1,    /* nothing to show, or a failed write */
	EXIT_USAGE = 2,      /* the command line was wrong */
	EXIT_UNREADABLE = 3, /* damaged, or made by a newer poolmem */
};

enum { COMMAND_EXAMPLE_COUNT = 3 };

struct command_option {
	const char *name; /* "-n ROWS" or "--sort KEY": printed as it stands */
	const char *help; /* a sentence; broken where the terminal ends */
};

struct command_example {
	const char *line; /* "poolmem report last" */
	const char *help; /* what it is good for */
};

struct command_help {
	const char *usage;   /* "report [options] [FILE|PID|last]"; to 80 columns */
	const char *purpose; /* a sentence or two; '\n' counts as a blank */
	const struct command_option *options; /* ends with a NULL name */
	struct command_example examples[COMMAND_EXAMPLE_COUNT];
	bool stops_at_operand; /* `--help` behind the first operand belongs to the program to run */
};

#define DECLARE_COMMAND(name, help)                                                                \
	int cmd_##name(int argc, char **argv);                                                     \
	extern const struct command_help help_##name;
COMMANDS(DECLARE_COMMAND)
#undef DECLARE_COMMAND

/*
 * The same after getopt_long() has said '?'.  words: the long options that the command has, without
 * dashes.
 */
int command_unknown_option(const char *name, char *const *argv, const char *const *words,
			   size_t word_count);

/* Says on stderr "poolmem NAME: " and the message, then how to get help.  Returns EXIT_USAGE. */
int command_usage_error(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same of a failure that is of the command line; says on stderr what any other is.  Returns the exit code; of none EXIT_DONE. */
int command_failed(const char *name, const struct failure *why);

#endif
