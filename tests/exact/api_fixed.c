/* SPDX-License-Identifier: MIT */
/* cflags: -fno-pie -no-pie */
/* api.c at a fixed address: a weak function is looked for in another way. */
#include "exact/api.c"
