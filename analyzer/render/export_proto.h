/* SPDX-License-Identifier: MIT */
/*
 * export_proto.h: messages of Protocol Buffers, written: as much of the encoding as profiles need.
 *
 * A message is built in memory and put into the one around it when it is complete: its length comes first.
 */
#ifndef POOLMEM_RENDER_EXPORT_PROTO_H
#define POOLMEM_RENDER_EXPORT_PROTO_H

#include <stddef.h>
#include <stdint.h>

/* Begin with zero. */
struct proto {
	unsigned char *bytes;
	size_t used, room;
};

/* A field; a number of 0 is what a missing one means, and is left out. */
void proto_number(struct proto *to, unsigned field, uint64_t number);
void proto_text(struct proto *to, unsigned field, const char *text);

/* For lists of numbers (`packed`): one after the other, without names of fields. */
void proto_append(struct proto *to, uint64_t number);

/* Puts a message or a list into another, and empties it for the next one. */
void proto_put(struct proto *to, unsigned field, struct proto *part);

/* Puts what holds whole fields behind the fields of another. */
void proto_join(struct proto *to, const struct proto *part);
void proto_free(struct proto *proto);

#endif
