/* SPDX-License-Identifier: MIT */
/*
 * bytes.h: reads numbers from memory with an end.
 *
 * What would lie behind the end reads as zero and spoils the reader, which the caller asks about once, at its own end.
 * Two words, as readers are passed by value on a stack that may be tiny.
 */
#ifndef STACK_BYTES_H
#define STACK_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

struct bytes {
	const uint8_t *at, *end; /* spoiled: both NULL */
};

static inline bool bytes_is_spoiled(const struct bytes *b)
{
	return !b->at;
}

static inline size_t bytes_left(const struct bytes *b)
{
	return (size_t)(b->end - b->at);
}

static inline void bytes_spoil(struct bytes *b)
{
	b->at = b->end = NULL;
}

/* What the first `count` bytes are, as bytes of their own; they are taken. */
static inline struct bytes bytes_part(struct bytes *b, uint64_t count)
{
	if (count > bytes_left(b))
		bytes_spoil(b);
	struct bytes part = *b;
	if (!bytes_is_spoiled(b))
		b->at = part.end = part.at + count;
	return part;
}

static inline void bytes_skip(struct bytes *b, uint64_t count)
{
	(void)bytes_part(b, count);
}

/* A number of up to eight bytes, the lowest first. */
static inline uint64_t bytes_number(struct bytes *b, unsigned count)
{
	struct bytes part = bytes_part(b, count);
	uint64_t number = 0;
	for (unsigned i = 0; i < count && !bytes_is_spoiled(&part); i++)
		number |= (uint64_t)part.at[i] << 8 * i;
	return number;
}

static inline int64_t bytes_signed(struct bytes *b, unsigned count)
{
	unsigned above = (64 - 8 * count) & 63;
	return (int64_t)(bytes_number(b, count) << above) >> above;
}

static inline uint8_t bytes_byte(struct bytes *b)
{
	return (uint8_t)bytes_number(b, 1);
}

/* LEB128.  Bits above the 64th are dropped. */
uint64_t bytes_uleb(struct bytes *b);
int64_t bytes_sleb(struct bytes *b);

/* How .eh_frame writes addresses. */
enum { POINTER_OMITTED = 0xff, POINTER_RELATIVE_4 = 0x1b, POINTER_DATA_4 = 0x3b };

/* An address written so; `data` is what DW_EH_PE_datarel counts from, 0 where there is no such thing. */
uintptr_t bytes_pointer(struct bytes *b, uint8_t encoding, uintptr_t data);

#pragma GCC visibility pop

#endif
