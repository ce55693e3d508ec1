/* SPDX-License-Identifier: MIT */
/* gap.c: see gap.h. */
#include "symbol/gap.h"

const char *symbol_lack_what(enum symbol_lack lack)
{
	static const char *const text[] = {
#define X(name, what, help) what,
		SYMBOL_LACKS(X)
#undef X
	};
	return text[lack];
}

const char *symbol_lack_help(enum symbol_lack lack)
{
	static const char *const text[] = {
#define X(name, what, help) help,
		SYMBOL_LACKS(X)
#undef X
	};
	return text[lack];
}
