/* SPDX-License-Identifier: MIT */
/* binary.c: see binary.h. */
#define _GNU_SOURCE 1

#include "symbol/binary.h"

#include "text/allocate.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sections that unpack to more than this are a trap. */
static const uint64_t CONTENT_MAX = UINT64_C(32) << 30;

/* Files are read as a whole. */
static const uint64_t FILE_BYTES_MAX = UINT64_C(4) << 30;

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

/* A first look, so that no large file is read for nothing. */
static bool begins_as_elf(const struct file *file)
{
	char magic[SELFMAG];

	return pread(file->fd, magic, SELFMAG, 0) == SELFMAG && memcmp(magic, ELFMAG, SELFMAG) == 0;
}

static bool read_image(struct binary *binary, enum symbol_lack *ret_lack)
{
	struct file file;

	if (!file_open(binary->path, &file, ret_lack))
		return false;
	*ret_lack = file.bytes > FILE_BYTES_MAX ? SYMBOL_TOO_LARGE : SYMBOL_NOT_ELF;
	bool is_read = file.bytes <= FILE_BYTES_MAX && begins_as_elf(&file) &&
		       file_read(&file, &binary->image);
	binary->bytes = file.bytes;
	file_close(&file);
	return is_read;
}

static bool read_elf(struct binary *binary, enum symbol_lack *ret_lack)
{
	if (!read_image(binary, ret_lack))
		return false;
	elf_version(EV_CURRENT);
	binary->elf = elf_memory(binary->image, binary->bytes);
	if (!is_usable(binary->elf))
		return false;
	binary->content_bytes = content_of(binary->elf);
	return binary->content_bytes <= CONTENT_MAX;
}

bool binary_open(const char *path, struct binary *ret, enum symbol_lack *ret_lack)
{
	struct binary binary = {.path = allocate_text(path, strlen(path))};

	if (!read_elf(&binary, ret_lack)) {
		binary_close(&binary);
		return false;
	}
	*ret = binary;
	return true;
}

static void end_with_nul(struct binary *binary, Elf_Data *data)
{
	const char *bytes = data->d_buf;

	if (!data->d_size || !bytes || !bytes[data->d_size - 1])
		return;
	binary->unpacked = allocate_more(binary->unpacked, binary->unpacked_count,
					 &binary->unpacked_room, sizeof *binary->unpacked);
	data->d_buf = binary->unpacked[binary->unpacked_count++] = allocate_text(bytes,
										 data->d_size);
}

bool binary_unpack(struct binary *binary)
{
	size_t names;
	GElf_Shdr header;

	if (elf_getshdrstrndx(binary->elf, &names) != 0)
		return false;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(binary->elf, section));) {
		if (!gelf_getshdr(section, &header))
			return false;
		const char *name = elf_strptr(binary->elf, names, header.sh_name);
		if (!name || strncmp(name, ".zdebug", 7) == 0)
			return false;
		if (!(header.sh_flags & SHF_COMPRESSED))
			continue;
		Elf_Data *data = elf_compress(section, 0, 0) == 1 ? elf_rawdata(section, NULL)
								  : NULL;
		if (!data)
			return false;
		end_with_nul(binary, data);
	}
	return true;
}

void binary_close(struct binary *binary)
{
	elf_end(binary->elf);
	for (size_t i = 0; i < binary->unpacked_count; i++)
		free(binary->unpacked[i]);
	free(binary->unpacked);
	free(binary->image);
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
