/* SPDX-License-Identifier: MIT */
/* words.h: findings, states and notes in plain words. */
#ifndef POOLMEM_RENDER_WORDS_H
#define POOLMEM_RENDER_WORDS_H

#include "study/publication.h"
#include "study/study.h"
#include "text/sink.h"

struct phrase {
	char text[120];
};

/* "7 blocks", "7 to 9 blocks" where it is not exact */
struct phrase words_blocks(const struct metrics *metrics, enum metric which);

/* "1.0 KiB", "1.0 KiB, at most 2.0 KiB" */
struct phrase words_bytes(const struct metrics *metrics, enum metric which);
struct phrase words_bytes_within(uint64_t bytes, const struct metric_bound *bound);

void words_findings(const struct figures *figures, struct sink *sink);

/* What an epoch is counted in, as gen.clock has it: "allocs"; NULL: this poolmem does not know. */
const char *words_clock(const struct generations *generations);

/* How long an epoch is: "1,000 allocations", "10 ms"; as it grew: "1,000 to 4,000 allocations". */
struct phrase words_epoch(const struct generations *generations);

/* "killed by SIGSEGV" */
struct phrase words_signal(int64_t signal);

/* "exited 0", "killed by SIGSEGV", "running" */
struct phrase words_state(const struct process *process);

/* The same for a column: without an explanation. */
struct phrase words_state_brief(const struct process *process);

/*
 * A paragraph: how old the pools are that a process published, and what its counts say since.  Nothing where it published
 * them at exit().
 */
void words_publication(const struct publication *publication, bool is_running, struct sink *sink);

/* Whether there are any but those for machines. */
bool words_has_notes(const struct notes *notes);
void words_notes(const struct notes *notes, struct sink *sink);

#endif
