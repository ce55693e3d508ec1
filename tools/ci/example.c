/* SPDX-License-Identifier: MIT */
/* example.c: reads numbers and keeps them: what the examples beside it measure.  example [COUNT [leak]] */
#include <stdio.h>
#include <stdlib.h>

struct list {
	struct list *next;
	int number;
};

static struct list *prepend(struct list *list, int number)
{
	struct list *first = malloc(sizeof *first);

	if (!first)
		exit(1);
	*first = (struct list){list, number};
	return first;
}

static void release(struct list *list)
{
	while (list) {
		struct list *next = list->next;
		free(list);
		list = next;
	}
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1000;
	struct list *list = NULL;
	long sum = 0;

	for (int i = 0; i < count; i++)
		list = prepend(list, i);
	for (struct list *at = list; at; at = at->next)
		sum += at->number;
	printf("%ld\n", sum);
	if (argc < 3)
		release(list);
	return 0;
}
