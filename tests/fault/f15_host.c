/* link: -ldl */
/* SPDX-License-Identifier: MIT */
/* Opens a plugin by bare name, found by its own RUNPATH; the plugin opens another by its own.
   usage: f15_host PLUGIN */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	const char *(*name)(void);
	(void)argc;
	void *plugin = dlopen(argv[1], RTLD_NOW);
	if (!plugin) {
		printf("no plugin\n");
		return 1;
	}
	void *symbol = dlsym(plugin, "plugin_name");
	memcpy(&name, &symbol, sizeof name);
	printf("%s\n", name());
	return dlclose(plugin);
}
