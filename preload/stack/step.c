/* SPDX-License-Identifier: MIT */
/* step.c: compiles a row into a step. */
#define _GNU_SOURCE
#include "stack/step.h"

#include "stack/row.h"
#include "stack/table.h"
#include "stack/walk.h"

#include <dlfcn.h>

void (*walk_met)(const struct dl_find_object *module);

#pragma weak _dl_find_object

bool step_can_find(void)
{
	return _dl_find_object != NULL;
}

static bool is_at(struct rule rule, enum rule_base base, int64_t k)
{
	return rule.kind == RULE_AT && rule.base == base && rule.k == k && rule.j == 0;
}

static bool is_signal(const struct row *row)
{
	return is_at(row->cfa, BASE_SP, SIGNAL_SP) && is_at(row->fp, BASE_SP, SIGNAL_FP) &&
	       is_at(row->ip, BASE_SP, SIGNAL_IP);
}

/* The caller's sp is the CFA, unless a rule says otherwise. */
static bool is_sp_plain(struct rule sp)
{
	return sp.kind == RULE_SAME || (sp.kind == RULE_IS && sp.base == BASE_CFA && sp.k == 0);
}

static bool set_cfa(struct step *step, struct rule cfa)
{
	if ((cfa.kind != RULE_IS && cfa.kind != RULE_AT) ||
	    (cfa.base != BASE_SP && cfa.base != BASE_FP))
		return false;
	step->is_fp_based = cfa.base == BASE_FP;
	step->is_read = cfa.kind == RULE_AT;
	step->k = cfa.k;
	step->j = cfa.j;
	return step->k == cfa.k && step->j == cfa.j;
}

static enum step_fp fp_of(struct rule fp)
{
	if (fp.kind == RULE_SAME)
		return FP_SAME;
	if (fp.kind == RULE_IS && fp.base == BASE_CFA)
		return FP_IS_CFA;
	if (fp.kind != RULE_AT || fp.j)
		return FP_LOST;
	switch (fp.base) {
	case BASE_CFA: return FP_AT_CFA;
	case BASE_SP: return FP_AT_SP;
	case BASE_FP: return FP_AT_FP;
	default: return FP_LOST;
	}
}

static void set_fp(struct step *step, struct rule fp)
{
	step->fp = fp_of(fp);
	step->n = fp.k;
	if (step->n != fp.k)
		step->fp = FP_LOST;
}

static struct step step_of(enum step_kind kind)
{
	return (struct step){.kind = kind};
}

/* Where the return address is; false: too far off.  Of a frame pointer that is saved elsewhere there is no room to tell. */
static bool set_ip(struct step *step, int32_t k)
{
	int32_t j = step->fp == FP_AT_CFA ? k - step->n : 0;
	step->j = j;
	if (step->j == j && step->fp == FP_AT_CFA)
		return true;
	step->fp = step->fp == FP_SAME ? FP_SAME : FP_LOST;
	step->n = k;
	step->j = 0;
	return step->n == k;
}

/* A function that has not saved it yet, or no longer, has called nobody: it was interrupted. */
static struct step step_with_link(const struct row *row)
{
	bool is_link = row->ip.kind == RULE_SAME;
	struct step step = step_of(is_link ? STEP_LINK : STEP_FRAME);
	if (!is_sp_plain(row->sp) || row->cfa.kind != RULE_IS || !set_cfa(&step, row->cfa))
		return step_of(STEP_UNKNOWN);
	set_fp(&step, row->fp);
	if (is_link || (is_at(row->ip, BASE_CFA, row->ip.k) && set_ip(&step, row->ip.k)))
		return step;
	return step_of(STEP_UNKNOWN);
}

static struct step step_from(const struct row *row, bool is_interrupted)
{
	struct step step = step_of(is_interrupted ? STEP_INTERRUPTED : STEP_FRAME);
	if (row->ip.kind == RULE_UNDEFINED)
		return step_of(STEP_OUTERMOST);
	if (MACHINE_HAS_LINK)
		return step_with_link(row);
	if (is_interrupted && is_signal(row))
		return step_of(STEP_SIGNAL);
	if (!is_at(row->ip, BASE_CFA, -8) || !is_sp_plain(row->sp) || !set_cfa(&step, row->cfa))
		return step_of(STEP_UNKNOWN);
	set_fp(&step, row->fp);
	return step;
}

struct module {
	struct bytes bounds;
	const uint8_t *header; /* of .eh_frame_hdr, if it has that */
};

static bool lies_in(const struct dl_find_object *found, const void *address)
{
	return (const char *)address >= (const char *)found->dlfo_map_start &&
	       (const char *)address < (const char *)found->dlfo_map_end;
}

/*
 * What it needs of the stack is given back before the record is read.  Of a program with holes between its segments libc
 * tells the one that was asked for; the unwinding information is in another.
 */
static __attribute__((noinline)) bool find_module(uintptr_t pc, struct module *ret)
{
	struct dl_find_object found;
	if (!step_can_find() || _dl_find_object((void *)pc, &found) != 0)
		return false;
	if (walk_met)
		walk_met(&found);
	ret->header = found.dlfo_eh_frame;
	if (ret->header && !lies_in(&found, ret->header) &&
	    _dl_find_object(found.dlfo_eh_frame, &found) != 0)
		return false;
	ret->bounds = (struct bytes){found.dlfo_map_start, found.dlfo_map_end};
	return true;
}

static bool find_fde(const struct module *module, uintptr_t pc, struct fde *ret)
{
	const uint8_t *record = NULL;
	if (module->header)
		record = table_find(module->bounds, module->header, pc);
	return record && fde_read(module->bounds, record, ret) && fde_covers(ret, pc);
}

/* Where its record of where a handler returns to leads past what was interrupted: the code there tells better. */
static bool is_kernels(const struct fde *fde)
{
	return MACHINE_HAS_LINK && fde->is_signal;
}

/*
 * What makecontext() leaves as the return address of a context's first function: no call stands before, and nothing is
 * described there.
 */
static __attribute__((noinline)) struct step untold(const struct module *module, uintptr_t ip,
						    bool is_exact)
{
	struct fde fde;
	bool is_entry = !is_exact && find_fde(module, ip, &fde) && fde.start == ip;
	return step_of(is_entry ? STEP_ENTRY : STEP_UNTOLD);
}

static struct step compile_in(const struct module *module, uintptr_t ip, bool is_exact)
{
	uintptr_t pc = is_exact ? ip : ip - 1;
	struct fde fde;
	struct row row;
	if (!find_fde(module, pc, &fde) || is_kernels(&fde))
		return untold(module, ip, is_exact);
	if (!row_find(&fde, pc, ip, &row))
		return step_of(STEP_UNKNOWN);
	return step_from(&row, fde.is_signal);
}

struct step step_compile_in(struct bytes bounds, const uint8_t *header, uintptr_t ip, bool is_exact)
{
	struct module module = {bounds, header};
	return compile_in(&module, ip, is_exact);
}

struct step step_compile(uintptr_t ip, bool is_exact, bool *ret_has_module)
{
	struct module module;
	*ret_has_module = find_module(is_exact ? ip : ip - 1, &module);
	if (!*ret_has_module)
		return step_of(STEP_UNTOLD);
	return compile_in(&module, ip, is_exact);
}
