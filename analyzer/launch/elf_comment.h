/* SPDX-License-Identifier: MIT */
/* elf_comment.h: which compiler made an executable, as its .comment says. */
#ifndef POOLMEM_LAUNCH_ELF_COMMENT_H
#define POOLMEM_LAUNCH_ELF_COMMENT_H

/* "GCC: (Debian 12.2.0-14) 12.2.0"; NULL: it does not say.  Freed by the caller. */
char *elf_comment(const char *path);

#endif
