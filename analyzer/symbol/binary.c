/* SPDX-License-Identifier: MIT */
/* binary.c: see binary.h. */
#include "symbol/binary.h"

#include "text/allocate.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

/* Sections that unpack to more than this are a trap. */
static const uint64_t CONTENT_MAX = UINT64_C(32) << 30;

/* ET_REL: what several files share (dwz). */
static bool is_usable(Elf *elf)
{
	GElf_Ehdr header;

	return elf && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) &&
	       (header.e_type == ET_EXEC || header.e_type == ET_DYN || header.e_type == ET_REL);
}

static uint64_t unpacked_bytes(Elf_Scn *section)
{
	GElf_Shdr header;
	GElf_Chdr packed;

	if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
		return 0;
	if (header.sh_flags & SHF_COMPRESSED && gelf_getchdr(section, &packed))
		return packed.ch_size;
	return header.sh_size;
}

static uint64_t content_of(Elf *elf)
{
	uint64_t sum = 0;

	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));)
		if (__builtin_add_overflow(sum, unpacked_bytes(section), &sum))
			return UINT64_MAX;
	return sum;
}

bool binary_open(const char *path, struct binary *ret, enum symbol_lack *ret_lack)
{
	struct binary binary = {0};

	elf_version(EV_CURRENT);
	if (!file_open(path, &binary.file, ret_lack))
		return false;
	/* By read, not mmap: a file that is cut while it is read is no signal. */
	binary.elf = elf_begin(binary.file.fd, ELF_C_READ, NULL);
	binary.path = allocate_text(path, strlen(path));
	if (is_usable(binary.elf))
		binary.content_bytes = content_of(binary.elf);
	if (!is_usable(binary.elf) || binary.content_bytes > CONTENT_MAX) {
		binary_close(&binary);
		*ret_lack = SYMBOL_NOT_ELF;
		return false;
	}
	*ret = binary;
	return true;
}

void binary_close(struct binary *binary)
{
	if (!binary->path)
		return;
	elf_end(binary->elf);
	file_close(&binary->file);
	free(binary->path);
	*binary = (struct binary){0};
}

struct build_id binary_build_id(const struct binary *binary)
{
	const void *bytes = NULL;
	ssize_t byte_count = dwelf_elf_gnu_build_id(binary->elf, &bytes);

	return byte_count > 0 ? (struct build_id){bytes, (size_t)byte_count} : (struct build_id){0};
}

bool build_id_equal(struct build_id left, struct build_id right)
{
	return left.byte_count && left.byte_count == right.byte_count &&
	       memcmp(left.bytes, right.bytes, left.byte_count) == 0;
}
