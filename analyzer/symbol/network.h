/* SPDX-License-Identifier: MIT */
/* network.h: debug information that servers have (debuginfod).  Asked only when the user says so. */
#ifndef POOLMEM_SYMBOL_NETWORK_H
#define POOLMEM_SYMBOL_NETWORK_H

#include "symbol/binary.h"
#include "text/failure.h"

/* Whether somebody can be asked: there is the library, and DEBUGINFOD_URLS names servers. */
bool network_can_ask(struct failure *why);

/* The path of a file that was fetched for this build id, freed by the caller; NULL: nobody has it. */
char *network_debug(struct build_id id);

#endif
