/* SPDX-License-Identifier: MIT */
/*
 * sandbox.c: seccomp filters, under which nothing more is opened.
 *
 * One that the program installs cannot be asked for later: a call that asks may be the one that kills.  So prctl() is passed on
 * by us.  Who has no privilege comes there for any filter, if not with it: PR_SET_NO_NEW_PRIVS goes before.
 */
#include "heap/host.h"
#include "life/life.h"
#include "sys/raw.h"

#include <sys/prctl.h>

enum { STATUS_ROOM = 4096 };

static bool possible; /* atomic */

/* "Seccomp:\t0" is a line of it.  Not strstr(): to bind it costs each start more than all that this file does. */
static bool says_none(const char *status)
{
	static const char line[] = "\nSeccomp:\t0\n";
	while (*status && __builtin_strncmp(status, line, sizeof line - 1) != 0)
		status++;
	return *status;
}

void sandbox_init(void)
{
	char status[STATUS_ROOM];
	raw_read_text("/proc/self/status", status, sizeof status);
	if (!says_none(status))
		__atomic_store_n(&possible, true, __ATOMIC_RELAXED);
}

bool sandbox_may_be(void)
{
	return __atomic_load_n(&possible, __ATOMIC_RELAXED);
}

long host_prctl(int option, const long argument[4])
{
	if (option == PR_SET_NO_NEW_PRIVS || option == PR_SET_SECCOMP)
		__atomic_store_n(&possible, true, __ATOMIC_RELAXED);
	return raw_call(SYS_prctl, option, argument[0], argument[1], argument[2], argument[3], 0);
}
