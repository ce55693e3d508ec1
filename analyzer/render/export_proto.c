/* SPDX-License-Identifier: MIT */
/* export_proto.c: see export_proto.h. */
#include "render/export_proto.h"

#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_LENGTH = 2, WIRE_BITS = 3, GROUP_BITS = 7, MORE = 0x80 };

static void put_byte(struct proto *to, unsigned char byte)
{
	to->bytes = allocate_more(to->bytes, to->used, &to->room, 1);
	to->bytes[to->used++] = byte;
}

void proto_append(struct proto *to, uint64_t number)
{
	for (; number >= MORE; number >>= GROUP_BITS)
		put_byte(to, (unsigned char)(number | MORE));
	put_byte(to, (unsigned char)number);
}

static void put_bytes(struct proto *to, unsigned field, const void *bytes, size_t byte_count)
{
	const unsigned char *at = bytes;

	proto_append(to, field << WIRE_BITS | WIRE_LENGTH);
	proto_append(to, byte_count);
	for (size_t i = 0; i < byte_count; i++)
		put_byte(to, at[i]);
}

void proto_number(struct proto *to, unsigned field, uint64_t number)
{
	if (!number)
		return;
	proto_append(to, field << WIRE_BITS | WIRE_VARINT);
	proto_append(to, number);
}

/* Also when it is empty: in a list of texts each one counts. */
void proto_text(struct proto *to, unsigned field, const char *text)
{
	put_bytes(to, field, text, strlen(text));
}

void proto_put(struct proto *to, unsigned field, struct proto *part)
{
	put_bytes(to, field, part->bytes, part->used);
	part->used = 0;
}

void proto_join(struct proto *to, const struct proto *part)
{
	for (size_t i = 0; i < part->used; i++)
		put_byte(to, part->bytes[i]);
}

void proto_free(struct proto *proto)
{
	free(proto->bytes);
}
