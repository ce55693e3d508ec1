/* SPDX-License-Identifier: MIT */
/* failure.c: see failure.h. */
#include "text/failure.h"

#include "text/complain.h"

#include <stdarg.h>
#include <stdio.h>

bool fail(struct failure *why, enum failure_kind kind, const char *format, ...)
{
	va_list arguments;

	why->kind = kind;
	va_start(arguments, format);
	vsnprintf(why->text, sizeof why->text, format, arguments);
	va_end(arguments);
	return false;
}

static int exit_code_of(enum failure_kind kind)
{
	switch (kind) {
	case FAILURE_NONE: return 0;
	case FAILURE_USAGE: return 2;
	case FAILURE_UNREADABLE: return 3;
	default: return 1;
	}
}

int failure_report(const struct failure *why)
{
	if (why->kind != FAILURE_NONE && why->kind != FAILURE_CLOSED)
		complain("poolmem", why->text);
	return exit_code_of(why->kind);
}
