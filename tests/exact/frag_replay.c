/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * Does again what a real program asked of malloc, and keeps its own account.   usage: frag_replay FILE SLOTS
 *
 * FILE: struct step each, by frag_replay.py from what libstream.so wrote down.  Each site of the recording is a function here.  At the
 * end a line "ADDRESS USABLE FUNCTION" for each block that lives.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct step {
	uint32_t slot, bytes;
	uint8_t is_free, site, reserved[2];
};

/* clang-format off */
#define SITES(X) \
	X(00) X(01) X(02) X(03) X(04) X(05) X(06) X(07) \
	X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) \
	X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) \
	X(30) X(31) X(32) X(33) X(34) X(35) X(36) X(37) \
	X(40) X(41) X(42) X(43) X(44) X(45) X(46) X(47) \
	X(50) X(51) X(52) X(53) X(54) X(55) X(56) X(57) \
	X(60) X(61) X(62) X(63) X(64) X(65) X(66) X(67) \
	X(70) X(71) X(72) X(73) X(74) X(75) X(76) X(77)
/* clang-format on */

/* Each byte is written to: pages of blocks that live are resident. */
#define DEFINE_SITE(number)                                                                        \
	__attribute__((noinline, noclone)) static char *new_##number(char *old, size_t bytes)      \
	{                                                                                          \
		(void)old;                                                                         \
		char *block = malloc(bytes);                                                       \
		return memset(block, 0x##number, bytes);                                           \
	}                                                                                          \
	__attribute__((noinline, noclone)) static char *more_##number(char *old, size_t bytes)     \
	{                                                                                          \
		char *block = realloc(old, bytes);                                                 \
		return memset(block, 0x##number, bytes);                                           \
	}
SITES(DEFINE_SITE)

struct site {
	const char *name;
	char *(*get)(char *old, size_t bytes);
};

#define NEW_OF(number) {"new_" #number, new_##number},
#define MORE_OF(number) {"more_" #number, more_##number},
static const struct site sites[2][64] = {{SITES(NEW_OF)}, {SITES(MORE_OF)}};

struct slot {
	char *block;
	const struct site *site;
};

/* A block that is not moved stays what it is. */
static void get(struct slot *slot, const struct step *step)
{
	const struct site *site = &sites[slot->block != NULL][step->site];
	char *block = site->get(slot->block, step->bytes);

	if (block != slot->block)
		*slot = (struct slot){block, site};
}

static void perform(struct slot *slots, const struct step *step)
{
	struct slot *slot = &slots[step->slot];

	if (!step->is_free) {
		get(slot, step);
	} else {
		free(slot->block);
		*slot = (struct slot){0};
	}
}

int main(int argc, char **argv)
{
	static char stream[1 << 16];
	struct stat status;
	int fd = argc == 3 ? open(argv[1], O_RDONLY) : -1;

	setvbuf(stdout, stream, _IOFBF, sizeof stream);
	if (fd < 0 || fstat(fd, &status))
		return 2;
	size_t slot_count = strtoul(argv[2], NULL, 10),
	       count = (size_t)status.st_size / sizeof(struct step);
	struct step *steps = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	struct slot *slots = mmap(NULL, slot_count * sizeof *slots, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (steps == MAP_FAILED || slots == MAP_FAILED)
		return 2;
	for (size_t i = 0; i < count; i++)
		perform(slots, &steps[i]);
	for (size_t i = 0; i < slot_count; i++)
		if (slots[i].block)
			printf("%lx %zu %s\n", (unsigned long)(uintptr_t)slots[i].block,
			       malloc_usable_size(slots[i].block), slots[i].site->name);
	return 0;
}
