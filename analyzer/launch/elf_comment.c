/* SPDX-License-Identifier: MIT */
/* elf_comment.c: see elf_comment.h. */
#include "launch/elf_comment.h"

#include "text/allocate.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

enum { COMMENT_MAX = 200 };

static char *text_of(Elf_Scn *section)
{
	Elf_Data *data = elf_getdata(section, NULL);
	const char *text = data ? data->d_buf : NULL;
	size_t at = 0;

	while (text && at < data->d_size && !text[at])
		at++;
	if (!text || at == data->d_size)
		return NULL;
	size_t most = data->d_size - at < COMMENT_MAX ? data->d_size - at : COMMENT_MAX;
	return allocate_text(text + at, strnlen(text + at, most));
}

static char *find(Elf *elf)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;
		if (name && strcmp(name, ".comment") == 0)
			return text_of(section);
	}
	return NULL;
}

char *elf_comment(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	elf_version(EV_CURRENT);
	Elf *elf = fd >= 0 ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	char *comment = elf ? find(elf) : NULL;
	elf_end(elf);
	if (fd >= 0)
		close(fd);
	return comment;
}
