/* link: -ldl */
/* SPDX-License-Identifier: MIT */
/* A plugin that is found by $ORIGIN, and by $ORIGIN finds the library it names its work by. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

const char *plugin_name(void);

const char *plugin_name(void)
{
	static char text[100];
	void *inner = dlopen("libinner.so", RTLD_NOW);
	char *block = malloc(1000);
	snprintf(text, sizeof text, "plugin, inner %s",
		 inner && dlsym(inner, "inner") ? "found" : "missing");
	free(block);
	return text;
}
