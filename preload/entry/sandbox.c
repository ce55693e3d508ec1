/* SPDX-License-Identifier: MIT */
/* sandbox.c: prctl(), passed on as it is: a program that forbids itself system calls is not to die of one of ours. */
#include "entry/entry.h"
#include "heap/host.h"

#include <stdarg.h>
#include <sys/prctl.h>

EXPORT int prctl(int option, ...)
{
	long argument[4];
	va_list arguments;
	va_start(arguments, option);
	for (unsigned i = 0; i < 4; i++)
		argument[i] = va_arg(arguments, long);
	va_end(arguments);
	long result = host_prctl(option, argument);
	if (result >= 0)
		return (int)result;
	errno = (int)-result;
	return -1;
}
