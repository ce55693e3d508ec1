/* SPDX-License-Identifier: MIT */
/*
 * elf.h: what an executable says of itself.  Reads a few bounded pieces with pread and believes none of
 * them: a hostile file gives "damaged" or a wrong answer, never a crash or a long wait.
 */
#ifndef POOLMEM_LAUNCH_ELF_H
#define POOLMEM_LAUNCH_ELF_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

/* This processor.  The Makefile refuses others. */
#if defined(__x86_64__)
enum { ELF_NATIVE_MACHINE = EM_X86_64 };
#define ELF_NATIVE_NAME "x86-64"
#else
enum { ELF_NATIVE_MACHINE = EM_AARCH64 };
#define ELF_NATIVE_NAME "aarch64"
#endif

enum {
	ELF_NAME_MAX = 256,   /* longest name of a library or loader looked at, NUL included */
	ELF_PHDR_MAX = 128,   /* program headers looked at; the linker makes about 15 */
	ELF_NEEDED_MAX = 512, /* DT_NEEDED entries looked at */
};

struct elf_image {
	int fd; /* borrowed */
	uint64_t file_bytes;
	unsigned bits; /* 32 or 64; of a file that is not for this machine nothing more is read */
	unsigned machine;          /* EM_ */
	bool native;               /* 64 bit, little endian, this processor */
	bool go;                   /* carries a note of the Go linker */
	char loader[ELF_NAME_MAX]; /* PT_INTERP; empty: none */
	char soname[ELF_NAME_MAX];
	uint32_t phdr_count;
	Elf64_Phdr phdr[ELF_PHDR_MAX];
	uint64_t strings, strings_bytes, symbols, gnu_hash, sysv_hash; /* addresses, 0: none */
	uint32_t needed_count;
	uint64_t needed[ELF_NEEDED_MAX]; /* offsets into strings */
};

/* Of its processor, as people say; NULL: not a common one. */
const char *elf_machine_name(const struct elf_image *image);

enum elf_verdict {
	ELF_SOUND,
	ELF_FOREIGN, /* no ELF magic */
	ELF_DAMAGED,
};

enum elf_verdict elf_read(int fd, struct elf_image *ret_image);

/* The name of needed library `index`.  False when it cannot be read. */
bool elf_needed_name(const struct elf_image *image, uint32_t index, char ret_name[ELF_NAME_MAX]);

/* True when the dynamic symbol table defines `name`. */
bool elf_defines(const struct elf_image *image, const char *name);

/* Copies `bytes` bytes at a virtual address out of the file.  For elf.c and elf_symbol.c. */
bool elf_copy_at(const struct elf_image *image, uint64_t address, void *ret_data, uint64_t bytes);

/* Copies a string of the dynamic string table.  False when it does not end within ELF_NAME_MAX. */
bool elf_string_at(const struct elf_image *image, uint64_t offset, char ret_name[ELF_NAME_MAX]);

#endif
