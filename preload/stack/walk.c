/* SPDX-License-Identifier: MIT */
/*
 * walk.c: from frame to frame.
 *
 * sp grows with each step, except where a signal handler ran on a stack of its own.  The kernel is asked once per
 * page whether it can be read.
 */
#include "stack/walk.h"

#include "stack/steps.h"
#include "sys/memory.h"

enum {
	STACK_STEP_MAX = 64 << 10, /* as far down at once it is the same stack */
	GUESS_BYTES_MAX = 1 << 20,
	FP_UNKNOWN = 1 /* no address of a word */
};

/* Never 1: a step that hangs on more than words of the stack is taken again. */
static const uintptr_t never = 0;

enum pace { PACE_ON, PACE_WHOLE, PACE_LOST };

/* What a step has to do with fp; of a frame that is kept, HOW_FP: the walk from there on hangs on it. */
enum how { HOW_FP = 1, HOW_FP_SAME = 2, HOW_FP_IS_READ = 4 };

struct walker {
	struct frame frame;
	uintptr_t known, known_bytes; /* can be read */
	bool is_guessed;
	uint8_t how;            /* the last step went */
	uintptr_t link;         /* the register of the frame that was interrupted */
	struct memo_word *word; /* NULL: nobody wants to know what was read; else where the next one goes */
};

bool walk_available(void)
{
	return step_can_find();
}

/* Pages that adjoin are one range. */
static __attribute__((noinline)) bool learn(struct walker *w, uintptr_t at)
{
	uintptr_t page = at & -(uintptr_t)MEMORY_PAGE;
	if (at % sizeof(uintptr_t) || !memory_is_readable((const void *)page))
		return false;
	if (page == w->known + w->known_bytes) {
		w->known_bytes += MEMORY_PAGE;
	} else {
		w->known = page;
		w->known_bytes = MEMORY_PAGE;
	}
	return true;
}

static inline bool read_word(struct walker *w, uintptr_t at, uintptr_t *ret)
{
	bool is_known = at - w->known < w->known_bytes && at % sizeof(uintptr_t) == 0;
	if (!at || (!is_known && !learn(w, at)))
		return false;
	*ret = *(const uintptr_t *)at;
	return true;
}

/* The same, and noted. */
static inline bool read_noted(struct walker *w, uintptr_t at, uintptr_t *ret)
{
	if (!read_word(w, at, ret))
		return false;
	if (w->word)
		*w->word++ = (struct memo_word){at, *ret};
	return true;
}

static inline bool find_fp(struct walker *w, struct step step, uintptr_t cfa, uintptr_t *ret)
{
	switch ((enum step_fp)step.fp) {
	case FP_SAME: *ret = w->frame.fp; return true;
	case FP_AT_CFA: return read_noted(w, cfa + (uintptr_t)(int64_t)step.n, ret);
	case FP_AT_SP: return read_noted(w, w->frame.sp + (uintptr_t)(int64_t)step.n, ret);
	case FP_AT_FP: return read_noted(w, w->frame.fp + (uintptr_t)(int64_t)step.n, ret);
	case FP_IS_CFA: *ret = cfa + (uintptr_t)(int64_t)step.n; return true;
	default: *ret = FP_UNKNOWN; return true;
	}
}

/* Where the return address is. */
static inline uintptr_t saved_at(struct step step, uintptr_t cfa)
{
	return MACHINE_HAS_LINK ? cfa + (uintptr_t)(int64_t)step.n + (uintptr_t)(int64_t)step.j
				: cfa - 8;
}

static inline __attribute__((always_inline)) bool step_frame(struct walker *w, struct step step)
{
	uintptr_t cfa = (step.is_fp_based ? w->frame.fp : w->frame.sp) + (uintptr_t)(int64_t)step.k;
	uintptr_t ip, fp;
	if (!MACHINE_HAS_LINK && step.is_read) {
		if (!read_noted(w, cfa, &cfa))
			return false;
		cfa += (uintptr_t)(int64_t)step.j;
	}
	if (cfa <= w->frame.sp || !read_noted(w, saved_at(step, cfa), &ip) ||
	    !find_fp(w, step, cfa, &fp))
		return false;
	w->frame = (struct frame){machine_unsigned(ip), cfa, fp, step.kind == STEP_INTERRUPTED};
	return true;
}

/* Only of the frame that was interrupted is it known what was in the register. */
static bool step_link(struct walker *w, struct step step)
{
	uintptr_t cfa = (step.is_fp_based ? w->frame.fp : w->frame.sp) + (uintptr_t)(int64_t)step.k;
	uintptr_t fp;
	if (!w->frame.is_interrupted || !w->link || cfa < w->frame.sp || !find_fp(w, step, cfa, &fp))
		return false;
	w->frame = (struct frame){machine_unsigned(w->link), cfa, fp, false};
	return true;
}

static bool step_signal(struct walker *w)
{
	uintptr_t sp = w->frame.sp;
	struct frame frame = {.is_interrupted = true};
	if (!read_word(w, sp + SIGNAL_IP, &frame.ip) || !read_word(w, sp + SIGNAL_SP, &frame.sp) ||
	    !read_word(w, sp + SIGNAL_FP, &frame.fp) ||
	    (MACHINE_HAS_LINK && !read_word(w, sp + SIGNAL_LINK, &w->link)))
		return false;
	w->frame = frame;
	return true;
}

/*
 * Where a signal handler returns to where nothing describes it.  The code is looked at when the stack looks like it: there
 * the kernel left a few flags.
 */
static bool is_signal_return(struct walker *w)
{
	enum { CODE_BYTES = sizeof machine_signal_return };
	const char *ip = (const char *)w->frame.ip;
	uintptr_t flags;
	return !w->frame.is_interrupted && read_word(w, w->frame.sp + SIGNAL_FLAGS, &flags) &&
	       flags < 8 && memory_is_readable(ip) && memory_is_readable(ip + CODE_BYTES - 8) &&
	       __builtin_memcmp(ip, machine_signal_return, CODE_BYTES) == 0;
}

/* Nobody called, it seems: by convention the frame pointer is zero there, or it is where contexts begin. */
static bool is_bottom(const struct walker *w, struct step step)
{
	return step.kind == STEP_ENTRY || (step.kind == STEP_UNTOLD && w->frame.fp == 0);
}

/*
 * What the last walk could read may be another stack's by now, one that adjoined and is gone.  Only the innermost page is
 * surely of this one.
 */
static void ask_anew(struct walker *w)
{
	if (!w->is_guessed)
		w->known_bytes = 0;
}

/* Where frames lie anywhere beside their frame pointer, one that was guessed does not tell the next one's sp. */
static inline bool is_sp_vague(const struct walker *w)
{
	return MACHINE_HAS_LINK && w->is_guessed;
}

/* As a function does that keeps a frame pointer, if all looks like it. */
static bool step_guess(struct walker *w, struct step step)
{
	uintptr_t fp = w->frame.fp, ip, next;
	ask_anew(w);
	if (!is_sp_vague(w) && is_signal_return(w))
		return step_signal(w);
	w->is_guessed = true;
	if (is_bottom(w, step)) {
		w->frame.ip = 0;
		return true;
	}
	if (fp < w->frame.sp || fp - w->frame.sp > GUESS_BYTES_MAX || !read_word(w, fp, &next) ||
	    !read_word(w, fp + 8, &ip) || (next <= fp && next))
		return false;
	w->frame = (struct frame){machine_unsigned(ip), fp + 16, next, false};
	return true;
}

static inline enum pace go_on(const struct walker *w)
{
	return w->frame.ip ? PACE_ON : PACE_WHOLE;
}

/* A step that a memo cannot vouch for by words of the stack alone. */
static __attribute__((noinline)) enum pace step_otherwise(struct walker *w, struct step step)
{
	bool is_done;
	if (is_sp_vague(w) && step.kind != STEP_OUTERMOST && step.kind != STEP_ENTRY)
		step.kind = STEP_UNTOLD;
	w->how = step.kind == STEP_OUTERMOST ? 0 : HOW_FP;
	switch ((enum step_kind)step.kind) {
	case STEP_FRAME:
	case STEP_INTERRUPTED: is_done = step_frame(w, step); break;
	case STEP_LINK: is_done = MACHINE_HAS_LINK && step_link(w, step); break;
	case STEP_SIGNAL: is_done = step_signal(w); break;
	case STEP_ENTRY:
	case STEP_UNTOLD: is_done = step_guess(w, step); break;
	case STEP_OUTERMOST: return PACE_WHOLE;
	default: return PACE_LOST;
	}
	if (!is_done)
		return PACE_LOST;
	if (w->word)
		*w->word++ = (struct memo_word){(uintptr_t)&never, 1};
	return go_on(w);
}

static inline uint8_t how_of(struct step step)
{
	static const uint8_t by_rule[] = {
		[FP_SAME] = HOW_FP_SAME,
		[FP_AT_CFA] = HOW_FP_IS_READ,
		[FP_AT_SP] = HOW_FP_IS_READ,
		[FP_AT_FP] = HOW_FP_IS_READ | HOW_FP,
		[FP_IS_CFA] = 0,
		[FP_LOST] = 0,
	};
	return by_rule[step.fp] | (step.is_fp_based ? HOW_FP : 0);
}

static inline enum pace step_up(struct walker *w)
{
	struct step step = steps_find(w->frame.ip, w->frame.is_interrupted);
	bool is_plain = step.kind == STEP_FRAME && !w->frame.is_interrupted && !is_sp_vague(w);
	if (!__builtin_expect(is_plain, 1))
		return step_otherwise(w, step);
	bool is_done = step_frame(w, step);
	w->how = is_done ? how_of(step) : HOW_FP;
	return is_done ? go_on(w) : PACE_LOST;
}

static enum walk_end end_of(const struct walker *w, enum pace pace)
{
	if (pace == PACE_WHOLE)
		return w->is_guessed ? WALK_GUESSED : WALK_WHOLE;
	return pace == PACE_ON ? WALK_CUT : WALK_LOST;
}

/* Who called has just stored at its sp, or below where calls do; who was interrupted may have been for a bad sp. */
static struct walker begin(const struct frame *from)
{
	struct walker w = {.frame = *from};
	if (!from->is_interrupted) {
		uintptr_t stored = MACHINE_HAS_LINK ? from->sp : from->sp - 1;
		w.known = stored & -(uintptr_t)MEMORY_PAGE;
		w.known_bytes = MEMORY_PAGE;
	}
	return w;
}

unsigned walk(struct frame from, uintptr_t *ret_ips, unsigned room, enum walk_end *ret_end)
{
	struct walker w = begin(&from);
	enum pace pace = go_on(&w);
	unsigned count = 0;
	while (pace == PACE_ON && count < room) {
		ret_ips[count++] = w.frame.ip;
		pace = step_up(&w);
	}
	*ret_end = end_of(&w, pace);
	return count;
}

/* --- with a memo --------------------------------------------------------------------------------------- */

/*
 * The first frame from there on that leads elsewhere now; MEMO_ROOM: none does.  A step from the same frame would read the same
 * words, and it could.
 */
static unsigned first_astray(const struct memo_frames *kept, unsigned from)
{
	const struct memo_word *word = &kept->word[kept->first[from]];
	const struct memo_word *end = &kept->word[MEMO_WORDS];
	while (word < end && *(const uintptr_t *)word->at == word->is)
		word++;
	if (word == end)
		return MEMO_ROOM;
	while (&kept->word[kept->first[from + 1]] <= word)
		from++;
	return from;
}

static bool is_frame(const struct memo_frames *kept, unsigned i, const struct frame *frame)
{
	return kept->sp[i] == frame->sp && kept->ip[i] == frame->ip && !frame->is_interrupted &&
	       (kept->fp[i] == frame->fp || !(kept->how[i] & HOW_FP));
}

/* Of words just written: two at once would have to wait for both to reach the cache. */
static inline uintptr_t one(const uintptr_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/*
 * Of the words that the step from a fresh frame has read, what counts: where fp was saved, only if the walk from the next frame
 * on hangs on it.  Most functions use rbp for data of theirs, which change all the time.
 */
static inline uint32_t words_of(const struct memo_frames *from, unsigned i, uint8_t how_next)
{
	bool is_idle = (from->how[i] & HOW_FP_IS_READ) && !(how_next & HOW_FP);
	return from->first[i + 1] - from->first[i] - is_idle;
}

static inline uint8_t how_from(uint8_t how, uint8_t how_next)
{
	return how & HOW_FP || (how & HOW_FP_SAME && how_next & HOW_FP) ? HOW_FP : 0;
}

/* Puts `count` fresh frames before those that are kept from `before` on. */
static __attribute__((noinline)) void keep(struct walk_memo *memo, const struct memo_frames *from,
					   unsigned count, unsigned before)
{
	struct memo_frames *to = &memo->kept;
	uint32_t first = to->first[before];
	uint64_t hash = memo->hash[before];
	uint8_t how = to->how[before];
	unsigned at = before;
	for (unsigned i = count; i--;) {
		uint32_t words = words_of(from, i, how);
		const struct memo_word *word = &from->word[from->first[i]];
		at--;
		first -= words;
		for (uint32_t n = 0; n < words; n++)
			to->word[first + n] = (struct memo_word){one(&word[n].at), one(&word[n].is)};
		to->ip[at] = one(&from->ip[i]);
		to->sp[at] = one(&from->sp[i]);
		to->fp[at] = one(&from->fp[i]);
		to->first[at] = first;
		to->how[at] = how = how_from(from->how[i], how);
		memo->hash[at] = hash = walk_hash(hash, to->ip[at]);
		memo->number[at] = 0;
	}
	memo->begin = at;
}

bool walk_used_fp(const struct walk_memo *memo)
{
	return memo->kept.how[memo->begin] & HOW_FP;
}

/* Of a walk that was cut the outer part hangs on how deep the inner one is. */
static bool fits(const struct walk_memo *memo, unsigned fresh, unsigned at)
{
	return memo->end == WALK_CUT ? fresh == at - memo->begin : fresh <= at;
}

/* Frames of the last walk that the present one may meet. */
struct meeting {
	unsigned at;     /* the next one */
	unsigned astray; /* up to this one there is no use in trying */
};

/* Whether this is one of them and all from there on is as it was. */
static inline bool meets(struct walk_memo *memo, struct meeting *next, const struct frame *frame,
			 unsigned fresh)
{
	while (next->at < MEMO_ROOM && memo->kept.sp[next->at] < frame->sp)
		next->at++;
	if (next->at == MEMO_ROOM || next->at < next->astray ||
	    !is_frame(&memo->kept, next->at, frame) || !fits(memo, fresh, next->at))
		return false;
	unsigned astray = first_astray(&memo->kept, next->at);
	next->astray = astray + 1;
	return astray == MEMO_ROOM;
}

static void note(struct walker *w, struct memo_frames *fresh, unsigned at)
{
	fresh->ip[at] = w->frame.ip;
	fresh->sp[at] = w->frame.sp;
	fresh->fp[at] = w->frame.fp;
}

/* Notes frames until the walk meets the last one.  Returns where; MEMO_ROOM: nowhere. */
static unsigned go(struct walker *w, struct walk_memo *memo, struct memo_frames *fresh,
		   unsigned *ret_count, enum pace *ret_pace)
{
	struct meeting next = {memo->generation == steps_now() ? memo->begin : MEMO_ROOM, 0};
	enum pace pace = go_on(w);
	unsigned count = 0;
	bool met = false;
	w->word = fresh->word;
	while (pace == PACE_ON && count < MEMO_ROOM &&
	       !(met = meets(memo, &next, &w->frame, count))) {
		note(w, fresh, count++);
		pace = step_up(w);
		fresh->how[count - 1] = w->how;
		fresh->first[count] = (uint32_t)(w->word - fresh->word);
	}
	*ret_pace = pace;
	*ret_count = count;
	return met ? next.at : MEMO_ROOM;
}

/*
 * The pages of a stack that were read stay readable while it is the one in use, and so do those between them and where it
 * ends now.
 */
static struct walker begin_again(const struct frame *from, const struct walk_memo *memo)
{
	struct walker w = begin(from);
	if (memo->known - w.known < STACK_STEP_MAX || w.known - memo->known < memo->known_bytes) {
		uintptr_t last = memo->known + memo->known_bytes;
		w.known = w.known < memo->known ? w.known : memo->known;
		w.known_bytes = last - w.known;
	}
	return w;
}

unsigned walk_again(const struct frame *from, struct walk_memo *memo, struct memo_frames *fresh)
{
	uint32_t generation = steps_now();
	struct walker w = begin_again(from, memo);
	enum pace pace;
	unsigned count;
	memo->kept.first[MEMO_ROOM] = MEMO_WORDS;
	unsigned met = go(&w, memo, fresh, &count, &pace);
	if (met == MEMO_ROOM) {
		memo->end = end_of(&w, pace);
		memo->generation = memo->end == WALK_LOST ? 0 : generation;
	} else if (memo->end != WALK_CUT) { /* nothing is met where the way out was guessed */
		memo->end = end_of(&w, PACE_WHOLE);
	}
	memo->known = w.known;
	memo->known_bytes = w.known_bytes;
	keep(memo, fresh, count, met);
	return MEMO_ROOM - memo->begin;
}
