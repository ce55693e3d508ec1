/* SPDX-License-Identifier: MIT */
/* cflags: -g -O0 */
/*
 * budgeted.c: what a test of `poolmem check` uses, to the block.  Arguments, in this order:
 *
 *   blocks N      N blocks of 16 to 515 bytes, each freed at once        held N      N bytes that live to the end, then are freed
 *   leak N        a block of N bytes, never freed                        leaks N     N of them, of 100 bytes
 *   exit N        ends with N     abort      hang      echo TEXT
 *   behind        ends, and leaves a child that goes on for 2 s
 *   pause         300 ms          spike      blocks that come and go between others, see check.bats
 *   is NAME VALUE whether the environment has it; else exits with 9
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile kept;
static void *held[64];
static int held_count;

static void blocks(long count)
{
	for (long i = 0; i < count; i++) {
		kept = malloc(16 + (size_t)(i % 500));
		free(kept);
	}
}

static void hold(long bytes)
{
	held[held_count++] = malloc((size_t)bytes);
}

static void leak(long bytes)
{
	kept = malloc((size_t)bytes);
	kept = NULL;
}

static void leaks(long count)
{
	for (long i = 0; i < count; i++)
		kept = malloc(100);
	kept = NULL;
}

static void behind(void)
{
	if (fork() == 0) {
		close(0);
		close(1);
		close(2);
		sleep(2);
		_exit(0);
	}
}

/* 1,500 blocks of 48 bytes that stay, and in between 7 of 3,072 that do not. */
static void spike(void)
{
	static void *small[1500];
	void *large[7];

	for (int i = 0; i < 1500; i++) {
		small[i] = malloc(48);
		for (int k = 0; i % 300 == 299 && k < 7; k++)
			large[k] = malloc(3072);
		for (int k = 0; i % 300 == 299 && k < 7; k++)
			free(large[k]);
	}
	for (int i = 0; i < 1500; i++)
		free(small[i]);
}

static void is(const char *name, const char *value)
{
	const char *has = getenv(name);

	if (strcmp(has ? has : "", value) != 0)
		_exit(9);
}

/* Returns how many words it took. */
static int act(char **words)
{
	long number = words[1] ? strtol(words[1], NULL, 10) : 0;

	if (strcmp(words[0], "blocks") == 0)
		blocks(number);
	else if (strcmp(words[0], "held") == 0)
		hold(number);
	else if (strcmp(words[0], "leak") == 0)
		leak(number);
	else if (strcmp(words[0], "leaks") == 0)
		leaks(number);
	else if (strcmp(words[0], "exit") == 0)
		exit((int)number);
	else if (strcmp(words[0], "echo") == 0)
		puts(words[1]);
	else
		goto without;
	return 2;
without:
	if (strcmp(words[0], "abort") == 0)
		abort();
	else if (strcmp(words[0], "hang") == 0)
		for (;;)
			pause();
	else if (strcmp(words[0], "behind") == 0)
		behind();
	else if (strcmp(words[0], "pause") == 0)
		usleep(300000);
	else if (strcmp(words[0], "spike") == 0)
		spike();
	else if (strcmp(words[0], "is") == 0)
		is(words[1], words[2]);
	else
		_exit(8);
	return strcmp(words[0], "is") == 0 ? 3 : 1;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc;)
		i += act(argv + i);
	while (held_count)
		free(held[--held_count]);
	return 0;
}
