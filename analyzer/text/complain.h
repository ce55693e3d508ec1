/* SPDX-License-Identifier: MIT */
/*
 * complain.h: what is said on stderr, "poolmem: " before it, nothing in it that steers a terminal (F35): one line; on a terminal
 * it is broken between words.
 */
#ifndef POOLMEM_TEXT_COMPLAIN_H
#define POOLMEM_TEXT_COMPLAIN_H

/* who: "poolmem", or with a command's name.  text: of any origin, without a line break at its end. */
void complain(const char *who, const char *text);

#endif
