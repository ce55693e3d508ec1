/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-ipa-icf */
/*
 * lifespans.c: sites whose blocks live for as many epochs as was drawn, and epochs that it turns itself.
 *
 *     lifespans SEED
 *
 * Prints a line for each block: the site, the epoch of its birth, that of its death or "-"; then the
 * epoch at the end.
 */
#include <poolmem/poolmem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { EPOCHS = 300, PER_EPOCH = 20, SITES = 6, BLOCKS = EPOCHS * PER_EPOCH * SITES };
enum { FOR_EVER = 1000000 };

static struct block {
	void *at;
	int site, birth, death, due;
} blocks[BLOCKS];
static int block_count;
static uint32_t random_state;

static int below(int end)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return (int)(random_state % (uint32_t)end);
}

#define SITE __attribute__((noinline, noclone)) void *

/* So that the call is none in last place: the function stands in the stack. */
static void *kept(void *block)
{
	__asm__ volatile("" : "+r"(block));
	return block;
}

SITE span_young(void)
{
	return kept(malloc(40));
}

SITE span_middle(void)
{
	return kept(malloc(100));
}

SITE span_ever(void)
{
	return kept(malloc(200));
}

SITE span_mixed(void)
{
	return kept(malloc(300));
}

/* Of the size of span_ever's: which of them are young, the class does not tell. */
SITE span_late(void)
{
	return kept(malloc(200));
}

SITE span_few(void)
{
	return kept(malloc(500));
}

/* How many epochs a block lives. */
static int life_of_young(void)
{
	return below(50) ? 0 : below(100);
}

static int life_of_middle(void)
{
	return 1 + below(below(8) ? 30 : 90);
}

static int life_of_ever(void)
{
	return below(30) ? FOR_EVER : below(200);
}

static int life_of_mixed(void)
{
	return below(3) ? below(200) : FOR_EVER;
}

static const struct {
	const char *name;
	void *(*allocate)(void);
	int (*life)(void);
	int first_epoch, one_in; /* a block each so many times */
} sites[SITES] = {
	{"span_young", span_young, life_of_young, 0, 1},
	{"span_middle", span_middle, life_of_middle, 0, 2},
	{"span_ever", span_ever, life_of_ever, 0, 4},
	{"span_mixed", span_mixed, life_of_mixed, 0, 1},
	{"span_late", span_late, life_of_mixed, EPOCHS - 3, 1},
	{"span_few", span_few, life_of_young, 0, 600},
};

static void give_birth(int epoch)
{
	for (int i = 0; i < PER_EPOCH * SITES; i++) {
		int site = i % SITES;
		if (epoch < sites[site].first_epoch || below(sites[site].one_in))
			continue;
		blocks[block_count++] = (struct block){.at = sites[site].allocate(),
						       .site = site,
						       .birth = epoch,
						       .death = -1,
						       .due = epoch + sites[site].life()};
	}
}

static void let_die(int epoch)
{
	for (int i = 0; i < block_count; i++) {
		if (!blocks[i].at || blocks[i].due > epoch)
			continue;
		free(blocks[i].at);
		blocks[i].at = NULL;
		blocks[i].death = epoch;
	}
}

int main(int argc, char **argv)
{
	static char buffer[BUFSIZ];
	random_state = argc > 1 ? (uint32_t)atoi(argv[1]) : 1;
	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	for (int epoch = 0; epoch < EPOCHS; epoch++) {
		give_birth(epoch);
		let_die(epoch);
		if (epoch + 1 < EPOCHS && poolmem_collect(epoch % 12 == 11) < 0)
			return 1;
	}
	for (int i = 0; i < block_count; i++) {
		printf("%s %d ", sites[blocks[i].site].name, blocks[i].birth);
		if (blocks[i].death < 0)
			puts("-");
		else
			printf("%d\n", blocks[i].death);
	}
	printf("end %d\n", EPOCHS - 1);
	return 0;
}
