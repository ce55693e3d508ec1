/* SPDX-License-Identifier: MIT */
/* misuse.c: the program broke malloc's contract. */
#include "life/life.h"
#include "life/say.h"

#include <stdlib.h>

#define MISUSE_TEXT(name, key, help) key,
static const char *const texts[] = {PM_MISUSES(MISUSE_TEXT)};

static void say(enum pm_misuse kind, const void *address, size_t block_bytes)
{
	struct line line = {0};
	line_text(&line, "poolmem: ");
	line_text(&line, texts[kind]);
	line_text(&line, ": ");
	line_address(&line, address);
	if (block_bytes && kind != PM_MISUSE_INVALID_FREE) {
		line_text(&line, " (block of ");
		line_number(&line, block_bytes);
		line_text(&line, " bytes)");
	}
	line_say(&line);
}

void host_misuse(enum pm_misuse kind, const void *address, unsigned size_class, size_t block_bytes)
{
	struct pm_process *process = life_process();
	process->misuse_kind = kind;
	process->misuse_class = size_class;
	process->misuse_address = (uint64_t)(uintptr_t)address;
	__atomic_add_fetch(&process->misuse_count, 1, __ATOMIC_RELAXED);
	say(kind, address, block_bytes);
	if (life.settings.on_error.index == 0)
		abort();
}
