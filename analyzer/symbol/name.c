/* SPDX-License-Identifier: MIT */
/* name.c: see name.h. */
#include "symbol/name.h"

#include "text/allocate.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Longer names are cut.  Longer mangled ones are not tried: what takes so much room is no name. */
enum { SHOWN_MAX = 4096, MANGLED_MAX = 16384, FIRST_ROOM = 1024 };

struct name {
	char *linkage; /* NULL: a free slot */
	char *shown;
};

struct writing {
	jmp_buf full;
	size_t used;
	char text[SHOWN_MAX + 1];
};

/*
 * A name of a hundred characters can stand for one of 2^50: where enough is written, the demangler is left.  It
 * keeps all but a few bytes on its stack.
 */
static void take(const char *text, size_t byte_count, void *into)
{
	struct writing *writing = into;
	size_t fits = SHOWN_MAX - writing->used;

	memcpy(writing->text + writing->used, text, byte_count < fits ? byte_count : fits);
	writing->used += byte_count < fits ? byte_count : fits;
	if (byte_count >= fits)
		longjmp(writing->full, 1);
}

static char *cut(const char *text, size_t length)
{
	if (length < SHOWN_MAX)
		return allocate_text(text, length);
	char *shown = allocate_text(text, SHOWN_MAX);
	for (size_t i = SHOWN_MAX - 3; i < SHOWN_MAX; i++)
		shown[i] = '.';
	return shown;
}

bool name_is_mangled(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
}

/* Rust's former names look like C++ with a hash behind: the demangler of Rust tells, and drops the hash. */
static char *demangle(struct writing *writing, const char *linkage)
{
	const int options = DMGL_PARAMS | DMGL_ANSI;

	if (setjmp(writing->full))
		return cut(writing->text, SHOWN_MAX);
	if (rust_demangle_callback(linkage, options, take, writing))
		return cut(writing->text, writing->used);
	writing->used = 0;
	if (cplus_demangle_v3_callback(linkage, options, take, writing))
		return cut(writing->text, writing->used);
	return NULL;
}

static char *shown_for(const char *linkage)
{
	size_t length = strlen(linkage);
	char *shown = NULL;

	if (name_is_mangled(linkage) && length <= MANGLED_MAX) {
		struct writing *writing = allocate(1, sizeof *writing);
		shown = demangle(writing, linkage);
		free(writing);
	}
	return shown ? shown : cut(linkage, length);
}

static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

static struct name *slot_of(const struct names *names, const char *linkage)
{
	size_t at = hash_of(linkage);

	for (;; at++) {
		struct name *name = &names->slots[at & (names->room - 1)];
		if (!name->linkage || strcmp(name->linkage, linkage) == 0)
			return name;
	}
}

static void grow(struct names *names)
{
	struct names more = {.count = names->count,
			     .room = names->room ? names->room * 2 : FIRST_ROOM};

	more.slots = allocate(more.room, sizeof *more.slots);
	for (size_t i = 0; i < names->room; i++)
		if (names->slots[i].linkage)
			*slot_of(&more, names->slots[i].linkage) = names->slots[i];
	free(names->slots);
	*names = more;
}

const char *name_of(struct names *names, const char *linkage_name)
{
	if (!linkage_name || !*linkage_name)
		return NULL;
	if (names->count >= names->room / 2)
		grow(names);
	struct name *name = slot_of(names, linkage_name);
	if (!name->linkage) {
		*name = (struct name){allocate_text(linkage_name, strlen(linkage_name)),
				      shown_for(linkage_name)};
		names->count++;
	}
	return name->shown;
}

void names_free(struct names *names)
{
	for (size_t i = 0; i < names->room; i++) {
		free(names->slots[i].linkage);
		free(names->slots[i].shown);
	}
	free(names->slots);
	*names = (struct names){0};
}
