/* SPDX-License-Identifier: MIT */
/* wrapper.c: see wrapper.h. */
#include "study/wrapper.h"

#include "study/query.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

/* poolmem-sites(1) has these lists, too. */
static const char *const names[] = {
	"malloc",    "calloc",         "realloc",  "reallocarray", "aligned_alloc",
	"memalign",  "posix_memalign", "strdup",   "strndup",      "asprintf",
	"vasprintf", "xmalloc",        "xcalloc",  "xrealloc",     "xstrdup",
	"zmalloc",   "zcalloc",        "zrealloc", "ngx_alloc",    "CRYPTO_malloc",
};
static const char *const prefixes[] = {
	"operator new",    "std::",
	"__gnu_cxx::",     "g_malloc",
	"g_realloc",       "g_try_malloc",
	"g_slice_alloc",   "g_strdup",
	"PyMem_",          "_PyMem_",
	"PyObject_Malloc", "_PyObject_Malloc",
	"PyObject_Calloc", "PyObject_Realloc",
	"alloc::",         "__rust_",
	"__rdl_",          "<alloc::",
};
static const char *const modules[] = {"libstdc++.so", "libc++.so", "libc.so", "libpoolmem.so"};

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool is_wrapper_name(const char *name)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (begins(name, prefixes[i]))
			return true;
	return false;
}

/* Behind the type that a template returns: "void std::vector<int>::push_back(int)". */
static const char *name_in(const char *function)
{
	const char *name = function;
	int depth = 0;

	for (const char *at = function; *at && !(*at == '(' && !depth); at++) {
		depth += (*at == '<') - (*at == '>');
		if (*at == ' ' && !depth && !begins(name, "operator"))
			name = at + 1;
	}
	return name;
}

bool wrappers_add(struct wrappers *wrappers, const char *expression, struct failure *why)
{
	regex_t compiled;

	if (!query_compile(&compiled, expression, "--skip", expression, why))
		return false;
	wrappers->list = allocate_more(wrappers->list, wrappers->count, &wrappers->room,
				       sizeof *wrappers->list);
	wrappers->list[wrappers->count++] = compiled;
	return true;
}

void wrappers_free(struct wrappers *wrappers)
{
	for (size_t i = 0; i < wrappers->count; i++)
		regfree(&wrappers->list[i]);
	free(wrappers->list);
	*wrappers = (struct wrappers){.count = 0};
}

static bool is_given(const struct wrappers *given, const char *function)
{
	for (size_t i = 0; i < given->count; i++)
		if (regexec(&given->list[i], function, 0, NULL, 0) == 0)
			return true;
	return false;
}

bool is_wrapper(const struct wrappers *given, const char *function, const char *module)
{
	if (function)
		return is_wrapper_name(name_in(function)) || is_given(given, function);
	for (size_t i = 0; module && i < sizeof modules / sizeof *modules; i++)
		if (begins(module, modules[i]))
			return true;
	return false;
}
