/* SPDX-License-Identifier: MIT */
/* version.h: of poolmem. */
#ifndef POOLMEM_CMD_VERSION_H
#define POOLMEM_CMD_VERSION_H

#define POOLMEM_VERSION "0.1.0"

#endif
