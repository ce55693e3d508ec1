/* SPDX-License-Identifier: MIT */
/* f21_memory.c: takes memory until the kernel stops it: a list that only grows, beside a cache that does not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CACHED = 1000, STEP = 20000 };

struct node {
	struct node *next;
	char text[100];
};

__attribute__((noinline)) static struct node *append_to_list(struct node *list)
{
	struct node *node = malloc(sizeof *node);
	memset(node, 1, sizeof *node);
	node->next = list;
	return node;
}

__attribute__((noinline)) static char *renew_in_cache(char *old)
{
	free(old);
	char *fresh = malloc(300);
	memset(fresh, 1, 300);
	return fresh;
}

int main(void)
{
	static char *cache[CACHED];
	struct node *list = NULL;

	for (size_t i = 0;; i++) {
		list = append_to_list(list);
		cache[i % CACHED] = renew_in_cache(cache[i % CACHED]);
		if (i % STEP == 0) /* `run` looks now and then */
			usleep(50000);
	}
}
