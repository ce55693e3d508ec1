/* SPDX-License-Identifier: MIT */
/* recorded.h: what the user named, read. */
#ifndef POOLMEM_CMD_RECORDED_H
#define POOLMEM_CMD_RECORDED_H

#include "model/recording.h"

/* operand: a file, a pid or "last"; NULL: last. */
bool recorded_read(const char *operand, struct recording *ret, struct failure *why);

#endif
