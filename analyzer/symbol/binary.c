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
#include <zlib.h>

/* Sections that unpack to more than this are a trap. */
static const uint64_t CONTENT_MAX = UINT64_C(32) << 30;

/* Of files that are larger nothing is read. */
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
static bool begins_as_elf(const Elf64_Ehdr *header)
{
	return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0;
}

/* Of the sections that are not code or data of the program those that tell no names, and take much room. */
static bool is_needed(const Elf64_Shdr *section, const char *name)
{
	static const char *const others[] = {".debug_loc",     ".debug_aranges", ".debug_pub",
					     ".debug_gnu_pub", ".debug_names",   ".debug_frame",
					     ".debug_macro",   ".gdb_index"};

	if (section->sh_type == SHT_NOBITS ||
	    (section->sh_type == SHT_PROGBITS && section->sh_flags & SHF_ALLOC))
		return false;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strncmp(name, others[i], strlen(others[i])) == 0)
			return section->sh_flags &
			       SHF_COMPRESSED; /* it is unpacked before it is passed over */
	return true;
}

/* Parts that are not in the file are left to libelf, which takes them for what they are; parts may not overlap much. */
static bool read_part(struct binary *binary, const struct file *file, uint64_t offset,
		      uint64_t bytes)
{
	if (offset > file->bytes || bytes > file->bytes - offset)
		return true;
	binary->read_bytes += bytes;
	return binary->read_bytes <= 2 * file->bytes &&
	       file_read_part(file, binary->image, offset, bytes);
}

/* The name of a section; "" where it has none in the file. */
static const char *name_at(const struct binary *binary, const Elf64_Shdr *names, uint32_t offset)
{
	bool is_there = names->sh_offset <= binary->bytes && offset < names->sh_size &&
			names->sh_size <= binary->bytes - names->sh_offset;
	return is_there ? binary->image + names->sh_offset + offset : "";
}

static bool read_sections(struct binary *binary, const struct file *file, const Elf64_Ehdr *header)
{
	Elf64_Shdr names, section;
	uint64_t at = header->e_shoff, headers_bytes = (uint64_t)header->e_shnum * sizeof section;

	if (!read_part(binary, file, 0, sizeof *header) ||
	    !read_part(binary, file, header->e_phoff,
		       (uint64_t)header->e_phnum * header->e_phentsize) ||
	    !read_part(binary, file, at, headers_bytes))
		return false;
	memcpy(&names, binary->image + at + header->e_shstrndx * sizeof names, sizeof names);
	if (!read_part(binary, file, names.sh_offset, names.sh_size))
		return false;
	for (unsigned i = 0; i < header->e_shnum; i++, at += sizeof section) {
		memcpy(&section, binary->image + at, sizeof section);
		if (is_needed(&section, name_at(binary, &names, section.sh_name)) &&
		    !read_part(binary, file, section.sh_offset, section.sh_size))
			return false;
	}
	return true;
}

/* Files of another kind, or without sections, are read as a whole. */
static bool is_usual(const Elf64_Ehdr *header, const struct file *file)
{
	return header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
	       header->e_shentsize == sizeof(Elf64_Shdr) && header->e_shstrndx < header->e_shnum &&
	       header->e_shoff <= file->bytes &&
	       (uint64_t)header->e_shnum * sizeof(Elf64_Shdr) <= file->bytes - header->e_shoff;
}

static bool read_content(struct binary *binary, const struct file *file)
{
	Elf64_Ehdr header;

	if (pread(file->fd, &header, sizeof header, 0) != sizeof header || !begins_as_elf(&header))
		return false;
	binary->image = file_room(file);
	if (!binary->image)
		return false;
	return is_usual(&header, file) ? read_sections(binary, file, &header)
				       : read_part(binary, file, 0, file->bytes);
}

static bool read_image(struct binary *binary, enum symbol_lack *ret_lack)
{
	struct file file;

	if (!file_open(binary->path, &file, ret_lack))
		return false;
	*ret_lack = file.bytes > FILE_BYTES_MAX ? SYMBOL_TOO_LARGE : SYMBOL_NOT_ELF;
	binary->bytes = file.bytes;
	bool is_read = file.bytes <= FILE_BYTES_MAX && read_content(binary, &file);
	file_close(&file);
	return is_read;
}

bool binary_crc(const struct binary *binary, uint32_t *ret_crc)
{
	enum symbol_lack lack;
	struct file file;
	char *bytes = NULL;

	if (!file_open(binary->path, &file, &lack))
		return false;
	bool is_read = file.bytes <= FILE_BYTES_MAX && file_read(&file, &bytes);
	if (is_read)
		*ret_crc = (uint32_t)crc32_z(0, (void *)bytes, file.bytes);
	free(bytes);
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
