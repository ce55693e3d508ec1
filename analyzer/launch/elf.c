/* SPDX-License-Identifier: MIT */
/* elf.c: headers, loader, notes and the dynamic section of an ELF file. */
#include "launch/elf.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	ELF_DYNAMIC_MAX = 4096, /* entries of the dynamic section looked at */
	ELF_NOTES_MAX = 4096,   /* bytes of a note segment looked at */
};

static bool copy_from(const struct elf_image *image, uint64_t offset, void *ret_data, uint64_t bytes)
{
	if (offset > image->file_bytes || bytes > image->file_bytes - offset)
		return false;
	return pread(image->fd, ret_data, bytes, (off_t)offset) == (ssize_t)bytes;
}

bool elf_copy_at(const struct elf_image *image, uint64_t address, void *ret_data, uint64_t bytes)
{
	for (uint32_t i = 0; i < image->phdr_count; i++) {
		const Elf64_Phdr *load = &image->phdr[i];

		if (load->p_type != PT_LOAD || address < load->p_vaddr)
			continue;
		uint64_t inside = address - load->p_vaddr;

		if (inside < load->p_filesz && bytes <= load->p_filesz - inside &&
		    load->p_offset <= UINT64_MAX - inside)
			return copy_from(image, load->p_offset + inside, ret_data, bytes);
	}
	return false;
}

bool elf_string_at(const struct elf_image *image, uint64_t offset, char ret_name[ELF_NAME_MAX])
{
	char name[ELF_NAME_MAX];

	if (offset >= image->strings_bytes || image->strings > UINT64_MAX - offset)
		return false;
	uint64_t left = image->strings_bytes - offset;
	uint64_t bytes = left < sizeof(name) ? left : sizeof(name);

	if (!elf_copy_at(image, image->strings + offset, name, bytes) || !memchr(name, 0, bytes))
		return false;
	memcpy(ret_name, name, strlen(name) + 1);
	return true;
}

bool elf_needed_name(const struct elf_image *image, uint32_t index, char ret_name[ELF_NAME_MAX])
{
	return index < image->needed_count && elf_string_at(image, image->needed[index], ret_name);
}

static bool read_loader(struct elf_image *image, const Elf64_Phdr *interp)
{
	char name[ELF_NAME_MAX];

	if (interp->p_filesz == 0 || interp->p_filesz > sizeof(name))
		return false;
	if (!copy_from(image, interp->p_offset, name, interp->p_filesz))
		return false;
	if (!memchr(name, 0, interp->p_filesz))
		return false;
	memcpy(image->loader, name, interp->p_filesz);
	return true;
}

static uint64_t padded(uint64_t bytes)
{
	return (bytes + 3) & ~UINT64_C(3);
}

/* Looks for a note named "Go". */
static void read_notes(struct elf_image *image, const Elf64_Phdr *notes)
{
	uint64_t end = notes->p_filesz < ELF_NOTES_MAX ? notes->p_filesz : ELF_NOTES_MAX;
	uint64_t at = 0;

	while (at < end && end - at >= sizeof(Elf64_Nhdr)) {
		struct {
			Elf64_Nhdr head;
			char name[4];
		} note = {0};
		uint64_t bytes = end - at < sizeof(note) ? end - at : sizeof(note);

		if (notes->p_offset > UINT64_MAX - at ||
		    !copy_from(image, notes->p_offset + at, &note, bytes))
			return;
		if (note.head.n_namesz == sizeof(note.name) && memcmp(note.name, "Go\0", 4) == 0)
			image->go = true;
		at += sizeof(note.head) + padded(note.head.n_namesz) + padded(note.head.n_descsz);
	}
}

/* soname is an offset into a table that a later entry may name, so it is resolved by the caller. */
static void take_dynamic(struct elf_image *image, const Elf64_Dyn *entry, uint64_t *ret_soname)
{
	switch (entry->d_tag) {
	case DT_STRTAB: image->strings = entry->d_un.d_ptr; break;
	case DT_STRSZ: image->strings_bytes = entry->d_un.d_val; break;
	case DT_SYMTAB: image->symbols = entry->d_un.d_ptr; break;
	case DT_GNU_HASH: image->gnu_hash = entry->d_un.d_ptr; break;
	case DT_HASH: image->sysv_hash = entry->d_un.d_ptr; break;
	case DT_SONAME: *ret_soname = entry->d_un.d_val; break;
	case DT_NEEDED:
		if (image->needed_count < ELF_NEEDED_MAX)
			image->needed[image->needed_count++] = entry->d_un.d_val;
		break;
	default: break;
	}
}

static bool read_dynamic(struct elf_image *image, const Elf64_Phdr *dynamic)
{
	uint64_t count = dynamic->p_filesz / sizeof(Elf64_Dyn), soname = UINT64_MAX;

	for (uint64_t i = 0; i < count && i < ELF_DYNAMIC_MAX; i++) {
		uint64_t inside = i * sizeof(Elf64_Dyn);
		Elf64_Dyn entry;

		if (dynamic->p_offset > UINT64_MAX - inside ||
		    !copy_from(image, dynamic->p_offset + inside, &entry, sizeof(entry)))
			return false;
		if (entry.d_tag == DT_NULL)
			break;
		take_dynamic(image, &entry, &soname);
	}
	elf_string_at(image, soname, image->soname);
	return true;
}

static bool read_segments(struct elf_image *image)
{
	for (uint32_t i = 0; i < image->phdr_count; i++) {
		const Elf64_Phdr *segment = &image->phdr[i];

		if (segment->p_type == PT_INTERP && !read_loader(image, segment))
			return false;
		if (segment->p_type == PT_DYNAMIC && !read_dynamic(image, segment))
			return false;
		if (segment->p_type == PT_NOTE)
			read_notes(image, segment);
	}
	return true;
}

static bool read_headers(struct elf_image *image)
{
	Elf64_Ehdr head;

	if (!copy_from(image, 0, &head, sizeof(head)))
		return false;
	if ((head.e_type != ET_EXEC && head.e_type != ET_DYN) || head.e_phnum > ELF_PHDR_MAX ||
	    head.e_phentsize != sizeof(Elf64_Phdr))
		return false;
	image->phdr_count = head.e_phnum;
	return copy_from(image, head.e_phoff, image->phdr,
			 (uint64_t)head.e_phnum * sizeof(Elf64_Phdr));
}

/* The part of the header that is the same in all classes: ident, type, machine. */
static enum elf_verdict read_ident(struct elf_image *image)
{
	unsigned char ident[EI_NIDENT + 4];

	if (!copy_from(image, 0, ident, SELFMAG) || memcmp(ident, ELFMAG, SELFMAG) != 0)
		return ELF_FOREIGN;
	if (!copy_from(image, 0, ident, sizeof(ident)))
		return ELF_DAMAGED;
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return ELF_DAMAGED;
	bool little = ident[EI_DATA] == ELFDATA2LSB;
	unsigned low = ident[EI_NIDENT + 2], high = ident[EI_NIDENT + 3];

	image->bits = ident[EI_CLASS] == ELFCLASS64 ? 64 : 32;
	image->machine = little ? low | high << 8 : high | low << 8;
	image->native = image->bits == 64 && little && image->machine == ELF_NATIVE_MACHINE;
	return ELF_SOUND;
}

const char *elf_machine_name(const struct elf_image *image)
{
	switch (image->machine) {
	case EM_X86_64: return "x86-64";
	case EM_AARCH64: return "aarch64";
	case EM_RISCV: return "riscv64";
	case EM_PPC64: return "ppc64";
	case EM_S390: return "s390x";
	case EM_LOONGARCH: return "loongarch64";
	default: return NULL;
	}
}

enum elf_verdict elf_read(int fd, struct elf_image *ret_image)
{
	struct elf_image *image = ret_image;
	struct stat status;

	memset(image, 0, sizeof(*image));
	image->fd = fd;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return ELF_FOREIGN;
	image->file_bytes = (uint64_t)status.st_size;
	enum elf_verdict verdict = read_ident(image);

	if (verdict != ELF_SOUND || !image->native)
		return verdict;
	return read_headers(image) && read_segments(image) ? ELF_SOUND : ELF_DAMAGED;
}
