/* SPDX-License-Identifier: MIT */
/* network.c: see network.h.  The library is opened when it is needed: few need it, and it brings a dozen others. */
#include "symbol/network.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static const char LIBRARY[] = "libdebuginfod.so.1";

/* Of the library's interface, version ELFUTILS_0.178. */
struct servers {
	void *library;
	void *(*begin)(void);
	int (*find_debuginfo)(void *client, const unsigned char *id, int id_bytes, char **ret_path);
	void (*end)(void *client);
};

static void *symbol_of(const struct servers *servers, const char *name)
{
	return dlsym(servers->library, name);
}

static bool servers_open(struct servers *ret)
{
	struct servers servers = {.library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL)};

	if (!servers.library)
		return false;
	*(void **)&servers.begin = symbol_of(&servers, "debuginfod_begin");
	*(void **)&servers.find_debuginfo = symbol_of(&servers, "debuginfod_find_debuginfo");
	*(void **)&servers.end = symbol_of(&servers, "debuginfod_end");
	*ret = servers;
	if (servers.begin && servers.find_debuginfo && servers.end)
		return true;
	dlclose(servers.library);
	return false;
}

bool network_can_ask(struct failure *why)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	struct servers servers;

	if (!urls || !*urls)
		return fail(
			why, FAILURE_USAGE,
			"--debuginfod asks the servers that DEBUGINFOD_URLS names: it is not set");
	if (!servers_open(&servers))
		return fail(why, FAILURE_USAGE,
			    "--debuginfod needs %s (on Debian: install libdebuginfod1)", LIBRARY);
	dlclose(servers.library);
	return true;
}

static char *ask(const struct servers *servers, struct build_id id)
{
	void *client = servers->begin();
	char *path = NULL;

	if (!client)
		return NULL;
	int fd = servers->find_debuginfo(client, id.bytes, (int)id.byte_count, &path);
	if (fd >= 0)
		close(fd);
	servers->end(client);
	return fd >= 0 ? path : NULL;
}

char *network_debug(struct build_id id)
{
	struct servers servers;

	if (!id.byte_count || id.byte_count > 64 || !servers_open(&servers))
		return NULL;
	char *path = ask(&servers, id);
	dlclose(servers.library);
	return path;
}
