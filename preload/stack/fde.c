/* SPDX-License-Identifier: MIT */
/*
 * fde.c: reads FDE and CIE.
 *
 *   CIE: length:4  0:4  version:1  augmentation\0  code unit  data unit  return column  size+augmentation  instructions
 *   FDE: length:4  distance back to the CIE:4  start  bytes  size+augmentation  instructions
 *
 * Records of more than 4 GiB (length 0xffffffff) are not known here: no linker writes them.
 */
#include "stack/fde.h"

#include "stack/machine.h"
#include "stack/pages.h"

enum { LENGTH_LONG = 0xfffffff0 };

/* What follows the length of the record at `at`. */
static bool open_record(struct bytes module, const uint8_t *at, struct bytes *ret)
{
	if (at < module.at || at >= module.end || (size_t)(module.end - at) < 8)
		return false;
	module.at = at;
	if (!pages_can_read(at, 4))
		return false;
	uint64_t length = bytes_number(&module, 4);
	if (length < 4 || length >= LENGTH_LONG)
		return false;
	*ret = bytes_part(&module, length);
	return !bytes_is_spoiled(&module) && pages_can_read(ret->at, length);
}

/* The letters behind `z`.  false: one that we do not know, so that what follows cannot be told. */
static bool read_letters(struct bytes letters, struct bytes *data, struct fde *fde)
{
	while (letters.at < letters.end)
		switch (bytes_byte(&letters)) {
		case 'R': fde->encoding = bytes_byte(data); break;
		case 'L': bytes_skip(data, 1); break;
		case 'P': bytes_pointer(data, bytes_byte(data) & 0x0f, 0); break;
		case 'S': fde->is_signal = true; break;
		case 'B': break; /* return addresses are signed with the other key of two */
		default: return false;
		}
	return !bytes_is_spoiled(data);
}

static struct bytes take_string(struct bytes *b)
{
	struct bytes string = *b;
	while (bytes_byte(b))
		;
	string.end = bytes_is_spoiled(b) ? string.at : b->at - 1;
	return string;
}

static bool read_cie(struct bytes cie, struct fde *fde, bool *ret_is_sized)
{
	if (bytes_number(&cie, 4) != 0)
		return false;
	uint8_t version = bytes_byte(&cie);
	struct bytes letters = take_string(&cie);
	if (version == 4)
		bytes_skip(&cie, 2); /* sizes of addresses and segments */
	fde->code_unit = bytes_uleb(&cie);
	fde->data_unit = bytes_sleb(&cie);
	uint64_t column = version == 1 ? bytes_byte(&cie) : bytes_uleb(&cie);
	*ret_is_sized = letters.at < letters.end && *letters.at == 'z';
	if (*ret_is_sized) {
		struct bytes data = bytes_part(&cie, bytes_uleb(&cie));
		bytes_skip(&letters, 1);
		if (!read_letters(letters, &data, fde))
			return false;
	} else if (letters.at < letters.end) {
		return false;
	}
	fde->shared = cie;
	return !bytes_is_spoiled(&cie) && column == COLUMN_RETURN &&
	       (version == 1 || version == 3 || version == 4);
}

bool fde_read(struct bytes module, const uint8_t *at, struct fde *ret)
{
	struct bytes own, cie;
	struct fde fde = {0};
	bool is_sized;
	if (!open_record(module, at, &own))
		return false;
	const uint8_t *here = own.at;
	uint64_t back = bytes_number(&own, 4);
	if (back == 0 || back > (size_t)(here - module.at) ||
	    !open_record(module, here - back, &cie) || !read_cie(cie, &fde, &is_sized))
		return false;
	fde.start = bytes_pointer(&own, fde.encoding, 0);
	fde.end = fde.start + bytes_pointer(&own, fde.encoding & 0x0f, 0);
	if (is_sized)
		bytes_skip(&own, bytes_uleb(&own));
	fde.own = own;
	if (bytes_is_spoiled(&own) || fde.end < fde.start)
		return false;
	*ret = fde;
	return true;
}

bool fde_take(struct bytes *module, const uint8_t **ret_at)
{
	*ret_at = module->at;
	if (bytes_left(module) < 4 || !pages_can_read(module->at, 4))
		return false;
	uint64_t length = bytes_number(module, 4);
	if (length == 0 || length >= LENGTH_LONG)
		return false;
	bytes_skip(module, length);
	return !bytes_is_spoiled(module);
}
