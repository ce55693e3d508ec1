/* SPDX-License-Identifier: MIT */
/* binary.h: an ELF file, of a program, a library or of what was stripped from them. */
#ifndef POOLMEM_SYMBOL_BINARY_H
#define POOLMEM_SYMBOL_BINARY_H

#include "symbol/file.h"

#include <libelf.h>
#include <stddef.h>

struct binary {
	char *path;
	char *image; /* what of the file tells names, zeroes elsewhere, NULs behind: who reads text in it ends there */
	uint64_t bytes;      /* of the file */
	uint64_t read_bytes; /* of it */
	Elf *elf;
	uint64_t content_bytes; /* of all sections, unpacked */
	char **unpacked;        /* sections that were packed and end without a NUL */
	size_t unpacked_count, unpacked_room;
};

struct build_id {
	const uint8_t *bytes;
	size_t byte_count; /* 0: none */
};

bool binary_open(const char *path, struct binary *ret, enum symbol_lack *ret_lack);
void binary_close(struct binary *binary); /* zeroed is fine, too */

struct build_id binary_build_id(const struct binary *binary);
/*
 * Unpacks what is packed.  False: it cannot be, and nobody should try.  Before libdw reads it, which takes for
 * granted that text in a section ends there.
 */
bool binary_unpack(struct binary *binary);

/* As .gnu_debuglink has it; false: it cannot be read any more. */
bool binary_crc(const struct binary *binary, uint32_t *ret_crc);

bool build_id_equal(struct build_id left, struct build_id right);

#endif
