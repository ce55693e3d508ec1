/* SPDX-License-Identifier: MIT */
/* inspect_refused.c: why a process cannot be looked at, and what to do.  See inspected.h. */
#include "launch/family.h"
#include "launch/inspected.h"
#include "source/life.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

bool lacks(struct inspected *target, const char *what)
{
	target->error = errno;
	target->lacking = what;
	return false;
}

/* A number behind a word of a file; `otherwise` where there is none. */
static long number_in(const char *path, const char *format, long otherwise)
{
	FILE *file = fopen(path, "re");
	char line[256];
	long number = otherwise;

	while (file && fgets(line, sizeof line, file) && sscanf(line, format, &number) != 1)
		;
	if (file)
		fclose(file);
	return number;
}

/* What EPERM and EACCES mean here. */
static const char *remedy(const struct inspected *target)
{
	enum { FILTERED = 2, NOBODY = 3 };
	long scope = number_in("/proc/sys/kernel/yama/ptrace_scope", "%ld", 0);

	if (number_in("/proc/self/status", "Seccomp: %ld", 0) == FILTERED)
		return "poolmem runs under a seccomp filter, as containers have one: allow "
		       "process_vm_readv there (--cap-add=SYS_PTRACE), or run poolmem outside";
	if (scope >= NOBODY)
		return "kernel.yama.ptrace_scope forbids it to everyone until the next boot";
	if (geteuid() == 0)
		return "root needs the capability SYS_PTRACE for it here";
	if (target->process->record.uid != geteuid())
		return "be its user or root";
	return scope > 0 ? "kernel.yama.ptrace_scope lets root alone: be root"
			 : "it forbids that to its own user, as programs do that change theirs: be "
			   "root";
}

static bool has_ended(const struct inspected *target)
{
	char state = family_state_of(target->pid);
	return !state || state == 'Z' || state == 'X';
}

void inspect_refused(const struct inspected *target, struct failure *why)
{
	int error = target->error;

	if (has_ended(target))
		fail(why, FAILURE_NOTHING, "it ended while it was read");
	else if (target->is_false)
		fail(why, FAILURE_NOTHING, "its memory does not have what its libpoolmem.so says");
	else if (error == EPERM || error == EACCES)
		fail(why, FAILURE_NOTHING, "%s cannot be read: %s; %s", target->lacking,
		     strerror(error), remedy(target));
	else if (error == ENOSYS)
		fail(why, FAILURE_NOTHING,
		     "%s cannot be read: this kernel, or a filter that poolmem runs under, has no "
		     "process_vm_readv; run poolmem outside of the container",
		     target->lacking);
	else
		fail(why, FAILURE_NOTHING, "%s cannot be read: %s", target->lacking,
		     strerror(error));
}

bool inside_is_known(const struct inspected *target, struct failure *why)
{
	const struct process *process = target->process;

	if (process->header &&
	    (!life_same_kernel(process->header) || process->record.foreign & PM_FOREIGN_PIDS))
		return fail(why, FAILURE_NOTHING,
			    "its pid is not known here: it runs in another PID namespace or on "
			    "another machine; run poolmem there");
	if (target->page_bytes != (uint64_t)sysconf(_SC_PAGESIZE))
		return fail(why, FAILURE_NOTHING,
			    "its pages are of %u bytes, those of this kernel of %ld: an emulator "
			    "runs it",
			    target->page_bytes, sysconf(_SC_PAGESIZE));
	if (target->unit_bytes > BLOCKS_MAX * (uint64_t)SMALLEST_BLOCK)
		return fail(why, FAILURE_NOTHING,
			    "its libpoolmem.so was built with pools of other lengths: its pools are "
			    "as published last");
	if (!target->in)
		return fail(why, FAILURE_NOTHING, "%s",
			    process->facts_cut
				    ? "its segment had no room to say where its memory has what "
				      "(segment.max)"
				    : "its libpoolmem.so is older and does not say where its memory "
				      "has what: start it with the one of this poolmem");
	return inside_is_sane(target->in, target->arena_units) ||
	       fail(why, FAILURE_NOTHING,
		    "its libpoolmem.so and this poolmem are of different versions, or its segment "
		    "is damaged: where its memory has what makes no sense");
}
