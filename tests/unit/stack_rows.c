/* SPDX-License-Identifier: MIT */
/* link: -lunwind-x86_64 -ldl */
/*
 * Each row of each record of libraries, against libunwind: with registers and a stack that are made up, the
 * caller's are computed by both.
 */
#define _GNU_SOURCE
#include "stack/fde.h"
#include "stack/step.h"
#include "stack/steps.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <libunwind-x86_64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The made-up memory: 16 MiB at an address where nothing is.  Words in it are addresses in it. */
enum { FAKE_BYTES = 1 << 24 };
static const uintptr_t fake = 0x7a0000000000, fake_sp = fake + 0x100000, fake_fp = fake + 0x800000;

static uintptr_t fake_word(uintptr_t at)
{
	return fake + ((at * 0x9e3779b97f4a7c15) >> 40);
}

struct registers {
	unw_word_t value[UNW_X86_64_RIP + 1];
};

static struct dl_find_object module;

static int access_memory(unw_addr_space_t space, unw_word_t at, unw_word_t *value, int write,
			 void *arg)
{
	(void)space;
	(void)arg;
	if (write)
		return -UNW_EINVAL;
	if (at - fake < FAKE_BYTES)
		*value = fake_word(at);
	else if (at >= (uintptr_t)module.dlfo_map_start && at + 8 <= (uintptr_t)module.dlfo_map_end)
		memcpy(value, (const void *)at, sizeof *value);
	else
		return -UNW_EINVAL;
	return 0;
}

static int access_register(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value,
			   int write, void *arg)
{
	struct registers *registers = arg;
	(void)space;
	if (write || number < 0 || number > UNW_X86_64_RIP)
		return -UNW_EBADREG;
	*value = registers->value[number];
	return 0;
}

static int find_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *info, int need,
		     void *arg)
{
	unw_dyn_info_t table = {.start_ip = (uintptr_t)module.dlfo_map_start,
				.end_ip = (uintptr_t)module.dlfo_map_end,
				.format = UNW_INFO_FORMAT_REMOTE_TABLE};
	const uint8_t *header = module.dlfo_eh_frame;
	uint32_t rows;
	memcpy(&rows, header + 8, 4);
	table.u.rti.segbase = (uintptr_t)header;
	table.u.rti.table_data = (uintptr_t)header + 12;
	table.u.rti.table_len = rows * 8 / sizeof(unw_word_t);
	extern int _Ux86_64_dwarf_search_unwind_table(
		unw_addr_space_t, unw_word_t, unw_dyn_info_t *, unw_proc_info_t *, int, void *);
	return _Ux86_64_dwarf_search_unwind_table(space, ip, &table, info, need, arg);
}

static void put_info(unw_addr_space_t space, unw_proc_info_t *info, void *arg)
{
	(void)space;
	(void)info;
	(void)arg;
}

static int no_list(unw_addr_space_t space, unw_word_t *list, void *arg)
{
	(void)space;
	(void)list;
	(void)arg;
	return -UNW_ENOINFO;
}

static unw_addr_space_t space;

struct caller {
	uintptr_t ip, sp, fp;
	int end; /* as unw_step() */
};

static struct caller oracle(uintptr_t pc)
{
	struct registers registers;
	struct caller caller = {.end = -1};
	unw_cursor_t cursor;
	for (unsigned i = 0; i <= UNW_X86_64_RIP; i++)
		registers.value[i] = fake + 0x1000 * i + 8;
	registers.value[UNW_X86_64_RIP] = pc;
	registers.value[UNW_X86_64_RSP] = fake_sp;
	registers.value[UNW_X86_64_RBP] = fake_fp;
	if (unw_init_remote(&cursor, space, &registers) < 0)
		return caller;
	caller.end = unw_step(&cursor);
	unw_get_reg(&cursor, UNW_X86_64_RIP, &caller.ip);
	unw_get_reg(&cursor, UNW_X86_64_RSP, &caller.sp);
	unw_get_reg(&cursor, UNW_X86_64_RBP, &caller.fp);
	return caller;
}

/* What walk.c makes of a step. */
static struct caller ours(struct step step)
{
	struct caller caller = {.end = 1};
	if (step.kind == STEP_SIGNAL) {
		caller.ip = fake_word(fake_sp + SIGNAL_IP);
		caller.sp = fake_word(fake_sp + SIGNAL_SP);
		caller.fp = fake_word(fake_sp + SIGNAL_FP);
		return caller;
	}
	caller.sp = (step.is_fp_based ? fake_fp : fake_sp) + (uintptr_t)(int64_t)step.k;
	if (step.is_read)
		caller.sp = fake_word(caller.sp) + (uintptr_t)(int64_t)step.j;
	caller.ip = fake_word(caller.sp - 8);
	uintptr_t n = (uintptr_t)(int64_t)step.n;
	switch (step.fp) {
	case FP_SAME: caller.fp = fake_fp; break;
	case FP_AT_CFA: caller.fp = fake_word(caller.sp + n); break;
	case FP_AT_SP: caller.fp = fake_word(fake_sp + n); break;
	case FP_AT_FP: caller.fp = fake_word(fake_fp + n); break;
	case FP_IS_CFA: caller.fp = caller.sp + n; break;
	default: break;
	}
	return caller;
}

static struct {
	unsigned long rows, unknown, fp_lost, outermost, signal, read, untold;
} seen;

static void differ(uintptr_t pc, struct step step, struct caller a, struct caller b)
{
	cr_assert(false,
		  "%lx of the module: kind %u: %lx %lx %lx, and libunwind says %lx %lx %lx (%d)",
		  pc - (uintptr_t)module.dlfo_map_start, step.kind, a.ip - fake, a.sp - fake,
		  a.fp - fake, b.ip - fake, b.sp - fake, b.fp - fake, b.end);
}

static void check(uintptr_t pc, struct step step)
{
	struct caller theirs, mine;
	if (step.kind == STEP_UNKNOWN)
		return;
	theirs = oracle(pc);
	if (step.kind == STEP_OUTERMOST) {
		if (theirs.end > 0 && theirs.ip)
			differ(pc, step, theirs, theirs);
		return;
	}
	mine = ours(step);
	bool is_fp_same = step.fp == FP_LOST || mine.fp == theirs.fp;
	if (theirs.end <= 0 || mine.ip != theirs.ip || mine.sp != theirs.sp || !is_fp_same)
		differ(pc, step, mine, theirs);
}

static void count(struct step step)
{
	seen.rows++;
	seen.unknown += step.kind == STEP_UNKNOWN;
	seen.untold += step.kind == STEP_UNTOLD;
	seen.outermost += step.kind == STEP_OUTERMOST;
	seen.signal += step.kind == STEP_SIGNAL;
	seen.read += step.is_read;
	seen.fp_lost += step.kind == STEP_FRAME && step.fp == FP_LOST;
}

static struct step compile(uintptr_t pc)
{
	struct bytes bounds = {module.dlfo_map_start, module.dlfo_map_end};
	return step_compile_in(bounds, module.dlfo_eh_frame, pc, true);
}

/* The first and the last byte of each range with one step, and one between. */
static void check_record(uintptr_t start, uintptr_t end)
{
	struct step step = compile(start), next = step;
	for (uintptr_t from = start, pc = start; pc < end; pc++) {
		next = pc + 1 < end ? compile(pc + 1) : (struct step){0};
		if (memcmp(&next, &step, sizeof step) == 0)
			continue;
		count(step);
		check(from, step);
		if (pc != from)
			check(pc, step);
		if (pc - from > 4)
			check(from + (pc - from) / 2, step);
		from = pc + 1;
		step = next;
	}
}

static void check_module(const void *address, unsigned stride)
{
	struct bytes left, bounds;
	struct fde fde;
	const uint8_t *at;
	int32_t frames;
	cr_assert_eq(_dl_find_object((void *)(uintptr_t)address, &module), 0);
	bounds = (struct bytes){module.dlfo_map_start, module.dlfo_map_end};
	memcpy(&frames, (const char *)module.dlfo_eh_frame + 4, 4);
	left = bounds;
	left.at = (const uint8_t *)module.dlfo_eh_frame + 4 + frames;
	for (unsigned i = 0; fde_take(&left, &at); i++)
		if (fde_read(bounds, at, &fde) && i % stride == 0)
			check_record(fde.start, fde.end);
}

/* A seventh of the records; in a soak all. */
static unsigned stride(void)
{
	const char *level = getenv("POOLMEM_LEVEL");
	return level && strcmp(level, "soak") == 0 ? 1 : 7;
}

static void check_library(const char *name)
{
	void *handle = dlopen(name, RTLD_LAZY);
	if (!handle)
		return;
	struct link_map {
		uintptr_t base;
		char *name;
		uintptr_t *dynamic;
	} *map = handle;
	memset(&seen, 0, sizeof seen);
	check_module(map->dynamic, stride());
	cr_log_info("%s: %lu rows, %lu not compilable (%lu without record), %lu lose fp, %lu "
		    "outermost, %lu signal, %lu read the CFA",
		    name, seen.rows, seen.unknown, seen.untold, seen.fp_lost, seen.outermost,
		    seen.signal, seen.read);
	cr_assert(seen.rows > 10);
	cr_assert_eq(seen.untold, 0);
	cr_assert_leq((seen.unknown + seen.fp_lost) * 100, seen.rows + 200);
}

static void setup(void)
{
	static unw_accessors_t accessors = {.find_proc_info = find_info,
					    .put_unwind_info = put_info,
					    .get_dyn_info_list_addr = no_list,
					    .access_mem = access_memory,
					    .access_reg = access_register};
	space = unw_create_addr_space(&accessors, 0);
	cr_assert(space);
}

TestSuite(rows, .init = setup);

Test(rows, libc)
{
	check_library("libc.so.6");
}

Test(rows, loader)
{
	check_library("ld-linux-x86-64.so.2");
}

Test(rows, cpp)
{
	check_library("libstdc++.so.6");
	check_library("libgcc_s.so.1");
}

Test(rows, assembly)
{
	check_library("libcrypto.so.3");
	check_library("libgmp.so.10");
	check_library("libm.so.6");
	check_library("libz.so.1");
}

/* What signal handlers return to. */
Test(rows, signal_return)
{
	cr_assert(dlopen("libc.so.6", RTLD_LAZY));
	check_module(dlsym(RTLD_DEFAULT, "qsort"), 1U << 30);
	bool is_found = false;
	for (uintptr_t pc = (uintptr_t)module.dlfo_map_start + 0x1000;
	     pc < (uintptr_t)module.dlfo_map_end - 0x10000 && !is_found; pc++)
		is_found = compile(pc).kind == STEP_SIGNAL;
	cr_assert(is_found);
}
