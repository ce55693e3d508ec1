/* SPDX-License-Identifier: MIT */
/* control.h: what a process records, and whether it has followed. */
#ifndef POOLMEM_RENDER_CONTROL_H
#define POOLMEM_RENDER_CONTROL_H

#include "model/control.h"
#include "text/sink.h"

/* asked: the word that it was asked for just now; 0: none. */
void control_text(uint32_t pid, const struct control_state *state, uint64_t asked,
		  struct sink *sink);
void control_json(uint32_t pid, const struct control_state *state, uint64_t asked,
		  struct sink *sink);

#endif
