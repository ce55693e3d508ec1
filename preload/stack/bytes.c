/* SPDX-License-Identifier: MIT */
/* bytes.c: the numbers of DWARF that have no fixed size. */
#include "stack/bytes.h"

static uint64_t leb(struct bytes *b, unsigned *ret_bits, bool *ret_is_negative)
{
	uint64_t value = 0;
	uint8_t byte;
	*ret_bits = 0;
	do {
		byte = bytes_byte(b);
		if (*ret_bits < 64)
			value |= (uint64_t)(byte & 0x7f) << *ret_bits;
		*ret_bits += 7;
	} while (byte & 0x80);
	*ret_is_negative = byte & 0x40;
	return value;
}

uint64_t bytes_uleb(struct bytes *b)
{
	unsigned bits;
	bool is_negative;
	return leb(b, &bits, &is_negative);
}

int64_t bytes_sleb(struct bytes *b)
{
	unsigned bits;
	bool is_negative;
	uint64_t value = leb(b, &bits, &is_negative);
	if (is_negative && bits < 64)
		value |= ~UINT64_C(0) << bits;
	return (int64_t)value;
}

static uint64_t pointer_number(struct bytes *b, uint8_t format)
{
	switch (format) {
	case 0x00: /* an address */
	case 0x04:
	case 0x0c: return bytes_number(b, 8);
	case 0x01: return bytes_uleb(b);
	case 0x02: return bytes_number(b, 2);
	case 0x03: return bytes_number(b, 4);
	case 0x09: return (uint64_t)bytes_sleb(b);
	case 0x0a: return (uint64_t)bytes_signed(b, 2);
	case 0x0b: return (uint64_t)bytes_signed(b, 4);
	default: bytes_spoil(b); return 0;
	}
}

uintptr_t bytes_pointer(struct bytes *b, uint8_t encoding, uintptr_t data)
{
	uintptr_t here = (uintptr_t)b->at;
	uintptr_t number = pointer_number(b, encoding & 0x0f);
	switch (encoding & 0x70) {
	case 0x00: return number;
	case 0x10: return here + number;
	case 0x30: return data + number;
	default: bytes_spoil(b); return 0;
	}
}
