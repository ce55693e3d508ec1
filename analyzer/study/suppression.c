/* SPDX-License-Identifier: MIT */
/* suppression.c: see suppression.h. */
#define _GNU_SOURCE 1

#include "study/suppression.h"

#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

static const char libc[] = "libc.so", loader[] = "ld-", libstdcxx[] = "libstdc++.so";

/*
 * What programs were seen to leave at their end.  Names that libc exports stand beside those that only its debug
 * symbols tell.  A function of the program may be called the same: so each rule holds in its module alone.  What a
 * program was handed, such as a FILE or a locale_t, is its own: of that only what libc keeps for it is here.
 */
static const struct {
	const char *module, *pattern;
	bool is_of_first;
	const char *why;
} known[] = {
	{loader, "*", true, "loader"},
	{libc, "^_dl_*", true, "loader"},
	{libc, "^_IO_file_doallocate$", true, "stdio buffers"},
	{libc, "^_IO_wfile_doallocate$", true, "stdio buffers"},
	{libc, "^setlocale$", false, "locales"},
	{libc, "^_nl_*", false, "locales"},
	{libc, "*textdomain*", false, "translations"},
	{libc, "^*gettext$", false, "translations"},
	{libc, "^__gconv_find_*", false, "character sets"},
	{libc, "^__gconv_lookup_cache$", false, "character sets"},
	{libc, "^__gconv_load_*", false, "character sets"},
	{libc, "^__wcsmbs_*", false, "character sets"},
	{libc, "^mb*towc*", false, "character sets"},
	{libc, "^btowc$", false, "character sets"},
	{libc, "^wc*tomb*", false, "character sets"},
	{libc, "^fwide$", false, "character sets"},
	{libc, "^fnmatch$", false, "character sets"},
	{libc, "^wprintf$", false, "character sets"},
	{libc, "^fwprintf$", false, "character sets"},
	{libc, "^tzset*", false, "time zones"},
	{libc, "^__tz*", false, "time zones"},
	{libc, "^mktime$", false, "time zones"},
	{libc, "^strftime*", false, "time zones"},
	{libc, "^setenv$", false, "environment"},
	{libc, "^putenv$", false, "environment"},
	{libc, "^__add_to_environ$", false, "environment"},
	{libc, "^getpw*", false, "users and hosts"},
	{libc, "^getgr*", false, "users and hosts"},
	{libc, "^getsp*", false, "users and hosts"},
	{libc, "^gethostby*", false, "users and hosts"},
	{libc, "^getserv*", false, "users and hosts"},
	{libc, "^getproto*", false, "users and hosts"},
	{libc, "^getnetby*", false, "users and hosts"},
	{libc, "^getlogin*", false, "users and hosts"},
	{libc, "^initgroups$", false, "users and hosts"},
	{libc, "^__nss_*", false, "users and hosts"},
	{libc, "^nss_*", false, "users and hosts"},
	{libc, "^__resolv_*", false, "users and hosts"},
	{libc, "^__res_*", false, "users and hosts"},
	{libc, "^__check_pf$", true, "users and hosts"},
	{libc, "^__new_exitfn$", true, "exit handlers"},
	{libc, "^__cxa_atexit$", true, "exit handlers"},
	{libc, "^__cxa_thread_atexit_impl$", true, "exit handlers"},
	{libc, "^*pthread_setspecific$", true, "thread values"},
	{libc, "^strerror*", false, "error texts"},
	{libc, "^strsignal$", false, "error texts"},
	{libc, "^dlerror$", false, "error texts"},
	{libc, "^_dlerror_run$", true, "error texts"},
	{libstdcxx, "*eh_alloc*", false, "exception pool"},
	{libstdcxx, "*pool::pool*", false, "exception pool"},
	{libstdcxx, "^std::ios_base::Init::Init*", false, "standard streams"},
	{libstdcxx, "^std::ios_base::sync_with_stdio*", false, "standard streams"},
	{libstdcxx, "^std::__*punct_cache<", false, "locales"},
	{libstdcxx, "^std::locale::locale(", false, "locales"},
	{libstdcxx, "std::num_put<", false, "locales"},
	{libstdcxx, "std::num_get<", false, "locales"},
	{libstdcxx, "^std::locale::global(", false, "locales"},
};

/* --- patterns -------------------------------------------------------------------------------------------- */

bool suppression_matches(const char *pattern, const char *name)
{
	bool is_bound = *pattern == '^', is_open = false;

	if (!name || !*name)
		return false;
	for (const char *at = pattern + is_bound; *at;) {
		if (*at == '*') {
			at++;
			is_bound = false;
			is_open = true;
			continue;
		}
		if (*at == '$')
			return !*name || is_open;
		size_t bytes = strcspn(at, "*$");
		const char *found = memmem(name, strlen(name), at, bytes);
		if (!found || (is_bound && found != name))
			return false;
		name = found + bytes;
		at += bytes;
		is_bound = is_open = false;
	}
	return true;
}

static struct suppression *find_name(const struct suppressions *suppressions, const char *name)
{
	for (size_t i = 0; i < suppressions->count; i++) {
		struct suppression *suppression = &suppressions->list[i];
		if (!suppression->module && suppression_matches(suppression->pattern, name))
			return suppression;
	}
	return NULL;
}

/* LeakSanitizer asks for the module of a frame first, then for its functions and files, inlined ones before. */
static struct suppression *find_given(const struct suppressions *suppressions,
				      struct stacks *stacks, uint32_t place)
{
	const struct module *module = stacks->modules[stacks->places[place].module];
	struct suppression *found = module ? find_name(suppressions, module->path) : NULL;
	size_t count;
	const struct named_call *calls = stacks_calls(stacks, place, &count);

	for (size_t i = 0; !found && i < count; i++) {
		found = find_name(suppressions, calls[i].call.function);
		if (!found)
			found = find_name(suppressions, calls[i].call.file);
	}
	return found;
}

static bool knows(const struct suppression *suppression, const char *function)
{
	bool is_any = strcmp(suppression->pattern, "*") == 0; /* of functions without a name, too */

	return is_any || suppression_matches(suppression->pattern, function);
}

static bool begins_with(const char *name, const char *beginning)
{
	return name && strncmp(name, beginning, strlen(beginning)) == 0;
}

/* Rules of one module stand together: few have to look at its name. */
static struct suppression *find_known_at(const struct suppressions *suppressions,
					 const char *module, const char *function, bool is_first)
{
	const char *asked = NULL;
	bool is_its = false;

	for (size_t i = 0; i < suppressions->count; i++) {
		struct suppression *suppression = &suppressions->list[i];
		if (suppression->module != asked) {
			asked = suppression->module;
			is_its = asked && begins_with(module, asked);
		}
		if (is_its && (is_first || !suppression->is_of_first) && knows(suppression, function))
			return suppression;
	}
	return NULL;
}

static struct suppression *find_known(const struct suppressions *suppressions,
				      struct stacks *stacks, uint32_t place, struct walk first)
{
	for (struct walk at = {place, 0}; at.place;) {
		bool is_first = at.place == first.place && at.call == first.call;
		const char *module = stacks_module(stacks, at.place);
		const struct named_call *call = walk_next(stacks, &at);
		struct suppression *found = find_known_at(suppressions, module, call->call.function,
							  is_first);
		if (found)
			return found;
	}
	return NULL;
}

struct suppression *suppression_of(const struct suppressions *suppressions, struct sites *sites,
				   const struct site *site)
{
	struct stacks *stacks = &sites->stacks;
	bool has_given = suppressions->count && !suppressions->list[0].module;

	for (uint32_t at = has_given ? site->place : 0; at; at = stacks->places[at].caller) {
		struct suppression *found = find_given(suppressions, stacks, at);
		if (found)
			return found;
	}
	return find_known(suppressions, stacks, site->place, site_origin(sites, site));
}

/* --- lists ----------------------------------------------------------------------------------------------- */

static struct suppression *add(struct suppressions *suppressions, const char *pattern,
			       size_t byte_count)
{
	suppressions->list = allocate_more(suppressions->list, suppressions->count,
					   &suppressions->room, sizeof *suppressions->list);
	struct suppression *added = &suppressions->list[suppressions->count++];
	*added = (struct suppression){.pattern = allocate_text(pattern, byte_count)};
	return added;
}

bool suppressions_parse(struct suppressions *suppressions, const char *text, const char *name,
			struct failure *why)
{
	static const char kind[] = "leak:", blank[] = " \t\r\v\f";

	for (unsigned number = 1; *text; number++) {
		size_t bytes = strcspn(text, "\n");
		const char *next = text + bytes + (text[bytes] != 0);
		size_t indent = strspn(text, blank);
		const char *line = text + (indent < bytes ? indent : bytes);
		size_t left = bytes - (size_t)(line - text);
		while (left && strchr(blank, line[left - 1]))
			left--;
		text = next;
		if (!left || *line == '#')
			continue;
		if (left <= strlen(kind) || strncmp(line, kind, strlen(kind)) != 0)
			return fail(why, FAILURE_USAGE,
				    "%s, line %u: '%.*s' is no suppression: they are leak:PATTERN",
				    name, number, left < 80 ? (int)left : 80, line);
		add(suppressions, line + strlen(kind), left - strlen(kind));
	}
	return true;
}

void suppressions_add_known(struct suppressions *suppressions)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		struct suppression *added = add(suppressions, known[i].pattern,
						strlen(known[i].pattern));
		added->module = known[i].module;
		added->why = known[i].why;
		added->is_of_first = known[i].is_of_first;
	}
}

void suppressions_free(struct suppressions *suppressions)
{
	for (size_t i = 0; i < suppressions->count; i++)
		free(suppressions->list[i].pattern);
	free(suppressions->list);
}
