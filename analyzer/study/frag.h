/* SPDX-License-Identifier: MIT */
/* frag.h: where the resident memory of each process is, and who keeps free memory from going back. */
#ifndef POOLMEM_STUDY_FRAG_H
#define POOLMEM_STUDY_FRAG_H

#include "study/fit.h"
#include "study/growth.h"
#include "study/moment.h"
#include "study/pins.h"
#include "study/publication.h"
#include "study/sites.h"
#include "study/timeline.h"
#include "study/waterfall.h"

/*
 * When the survey of the peak was taken, and at the peak itself: what was resident of all processes of a run, by the
 * samples or the kernel; of LIVE_PEAK what was live of the process, by its counters.
 */
struct frag_peak {
	uint64_t then, highest; /* bytes; 0: not known */
};

struct frag_process {
	const struct process *process;
	const struct survey *survey; /* NULL: there is none of that moment */
	enum moment moment;          /* not CHOOSE */
	struct frag_peak peak;       /* where the moment is PEAK or LIVE_PEAK */
	const struct process_study *study;
	struct publication publication; /* of the pools, where the waterfall is of what was published */
	struct waterfall waterfall;
	bool has_pins;
	struct pins pins;
	struct fit fit;           /* where has_pins */
	struct growth growth;     /* since the peak, until the end */
	struct growth lately;     /* in the last epochs */
	uint64_t lately_since;    /* the epoch that it begins with; 0: not known */
	uint32_t *places;         /* of frames, as stacks_place() has them */
	struct pin_choice choice; /* of what was wished, or of half of what is pinned in pages */
	uint64_t wished_bytes;
	struct over_time over_time;
};

struct frag {
	const struct study *study;
	struct sites *sites;       /* for the names of holders */
	struct frag_process *list; /* those with most in heap parts first */
	size_t count;
};

/*
 * wished_bytes: what should go back; 0: half of what is pinned.  moment: as moment_survey() takes it.
 * Study and sites must stay until it goes.
 */
void frag_make(const struct study *study, struct sites *sites, uint64_t wished_bytes,
	       enum moment moment, struct frag *ret);
void frag_free(struct frag *frag);

/* Nothing is known of its pools: they were never published, and not surveyed. */
bool frag_lacks_pools(const struct frag_process *one);

/* The site of a frame of the process, as the functions of sites.h take one. */
struct site frag_site(struct frag *frag, struct frag_process *of, uint32_t frame);

/* How many of the first holders pin four fifths of the free bytes in pages; and what they pin. */
size_t frag_few(const struct pins *pins, uint64_t *ret_bytes);

#endif
