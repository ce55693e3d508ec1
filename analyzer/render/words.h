/* SPDX-License-Identifier: MIT */
/* words.h: findings, states and notes in plain words. */
#ifndef POOLMEM_RENDER_WORDS_H
#define POOLMEM_RENDER_WORDS_H

#include "study/study.h"
#include "text/sink.h"

void words_findings(const struct findings *findings, struct sink *sink);

struct phrase {
	char text[64];
};

/* "exited 0", "killed by SIGSEGV", "running" */
struct phrase words_state(const struct process *process);

void words_notes(const struct notes *notes, struct sink *sink);

#endif
