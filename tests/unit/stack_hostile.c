/* SPDX-License-Identifier: MIT */
/* cflags: -O2 */
/* link: -ldl -pthread */
/* What is broken, missing or made up: no walk crashes, and none claims what it does not know. */
#define _GNU_SOURCE
#include "stack/row.h"
#include "stack/steps.h"
#include "stack/table.h"
#include "stack/walk.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

static uintptr_t ips[64];
static unsigned count;
static enum walk_end end;

static uint32_t random_state = 1;

static uint32_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

__attribute__((noinline)) void look_from_assembly(void)
{
	count = walk(frame_of_caller(__builtin_frame_address(0)), ips, 64, &end);
	__asm__ volatile("" ::: "memory");
}

/* --- code without call frame information --------------------------------------------------------- */

/* undescribed(fp): calls with any frame pointer; described: with instructions that lie about the frame's size */
__asm__(".text\n"
	".type undescribed, @function\n"
	"nop\n"
	"undescribed: push %rbp\n mov %rdi, %rbp\n call look_from_assembly\n pop %rbp\n ret\n"
	".size undescribed, . - undescribed\n"
	".type with_frame, @function\n"
	"with_frame: push %rbp\n mov %rsp, %rbp\n sub $64, %rsp\n"
	" call look_from_assembly\n leave\n ret\n"
	".size with_frame, . - with_frame\n"
	".type lies, @function\n"
	"lies: .cfi_startproc\n .cfi_def_cfa_offset 0x1000000\n sub $8, %rsp\n"
	" call look_from_assembly\n add $8, %rsp\n ret\n .cfi_endproc\n"
	".size lies, . - lies\n"
	".type shrinks, @function\n"
	"shrinks: .cfi_startproc\n .cfi_def_cfa_offset 0\n sub $8, %rsp\n"
	" call look_from_assembly\n add $8, %rsp\n ret\n .cfi_endproc\n"
	".size shrinks, . - shrinks\n");
void undescribed(uintptr_t fp);
void with_frame(void);
void lies(void);
void shrinks(void);

static void is_lost_at_once(uintptr_t fp)
{
	undescribed(fp);
	cr_assert(count == 1 && end == WALK_LOST, "fp %lx: %u frames, end %d", fp, count, (int)end);
}

Test(hostile, frame_pointers)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t own[4] = {0};
	is_lost_at_once(0x1234567);
	is_lost_at_once(8);
	is_lost_at_once(UINTPTR_MAX - 7);
	is_lost_at_once(UINTPTR_MAX);
	is_lost_at_once(0x8000000000000000);
	is_lost_at_once(here + 1);
	is_lost_at_once(here - 65536);
	is_lost_at_once(here + (1 << 21));
	own[0] = (uintptr_t)own;
	is_lost_at_once((uintptr_t)own);
	own[0] = (uintptr_t)own - 64;
	is_lost_at_once((uintptr_t)own);
	own[0] = UINTPTR_MAX - 15;
	own[1] = 0x7654321;
	undescribed((uintptr_t)own);
	cr_assert(count == 2 && ips[1] == own[1] && end == WALK_LOST);
	own[1] = 0;
	undescribed((uintptr_t)own);
	cr_assert(count == 1 && end == WALK_GUESSED);
	undescribed(0);
	cr_assert(count == 1 && end == WALK_GUESSED, "the outermost frame, by convention");
}

__attribute__((noinline, optimize("no-omit-frame-pointer"))) static void call_with_frame(void)
{
	with_frame();
	__asm__ volatile("" ::: "memory");
}

Test(hostile, a_frame_pointer_is_a_guess)
{
	call_with_frame();
	cr_assert_eq(end, WALK_GUESSED);
	cr_assert(count > 3);
	uintptr_t return_address = ips[1];
	cr_assert(return_address > (uintptr_t)call_with_frame &&
		  return_address < (uintptr_t)call_with_frame + 64);
}

Test(hostile, instructions_that_lie)
{
	for (unsigned i = 0; i < 3; i++, steps_init()) {
		lies();
		cr_assert(count == 1 && end == WALK_LOST);
		shrinks();
		cr_assert(count == 1 && end == WALK_LOST);
	}
}

Test(hostile, any_registers)
{
	steps_init();
	uintptr_t near = (uintptr_t)__builtin_frame_address(0), text = (uintptr_t)qsort;
	for (unsigned i = 0; i < 100000; i++) {
		struct frame from = {.ip = text + random_next() % 100000,
				     .sp = near + random_next() % 8192,
				     .fp = near + random_next() % 8192,
				     .is_interrupted = true};
		switch (random_next() % 4) {
		case 0: from.sp = (uintptr_t)random_next() << 15; break;
		case 1: from.fp = (uintptr_t)random_next() << 15; break;
		case 2: from.ip = (uintptr_t)random_next() << random_next() % 32; break;
		default: break;
		}
		if (i % 2)
			from.sp &= ~UINT64_C(7), from.fp &= ~UINT64_C(7);
		cr_assert(walk(from, ips, 64, &end) <= 64);
	}
}

/* --- bytes that are no call frame information ----------------------------------------------------- */

/* A page between two that cannot be read. */
static uint8_t *lone_page(void)
{
	uint8_t *pages = mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_eq(mprotect(pages + 4096, 4096, PROT_READ | PROT_WRITE), 0);
	return pages + 4096;
}

static void fill(uint8_t *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(random_next() >> 8);
}

/* At both ends of the page. */
static struct bytes random_bytes(uint8_t *page)
{
	size_t bytes = random_next() % 64;
	uint8_t *at = random_next() % 2 ? page : page + 4096 - bytes;
	fill(at, bytes);
	return (struct bytes){at, at + bytes};
}

Test(hostile, instructions)
{
	uint8_t *page = lone_page(), *other = lone_page();
	unsigned rows = 0;
	for (unsigned i = 0; i < 1000000; i++) {
		struct fde fde = {.start = 1000,
				  .end = 2000,
				  .shared = random_bytes(other),
				  .own = random_bytes(page),
				  .code_unit = random_next() % 4,
				  .data_unit = random_next() % 2 ? -8 : INT64_MIN,
				  .encoding = (uint8_t)random_next()};
		struct row row;
		rows += row_find(&fde, 1000 + random_next() % 1000, 1000, &row);
	}
	cr_assert(rows > 100);
}

Test(hostile, expressions)
{
	uint8_t *page = lone_page();
	unsigned told = 0;
	for (unsigned i = 0; i < 1000000; i++) {
		struct rule rule = expression_rule(random_bytes(page), 1000, i % 2);
		told += rule.kind != RULE_OTHER;
		cr_assert(rule.kind == RULE_OTHER || rule.base != BASE_OTHER);
	}
	cr_assert(told > 100);
}

/* A table, a CIE and an FDE as linkers write them. */
static const uint8_t frames[] = {1,    0x1b, 0x03, 0x3b, 16, 0,    0, 0,    1, 0,   0,   0,  0,
				 0,    0,    4,    40,   0,  0,    0, /* table */
				 20,   0,    0,    0,    0,  0,    0, 0,    1, 'z', 'R', 0,  1,
				 0x78, 16,   1,    0x1b, 12, 7,    8, 0x90, 1, 0,   0,   20, 0,
				 0,    0,    28,   0,    0,  0,    0, 0,    0, 4,   0,   1,  0,
				 0,    0,    0x41, 14,   16, 0x86, 2, 0,    0, 0,   0,   0,  0};

static struct step find_in(const uint8_t *at, size_t bytes)
{
	struct bytes bounds = {at, at + bytes};
	return step_compile_in(bounds, at, (uintptr_t)at + 0x4000010, true);
}

static uint8_t *write_frames(uint8_t *page)
{
	uint8_t *at = page + 4096 - sizeof frames;
	memcpy(at, frames, sizeof frames);
	int32_t start = 0x4000000, from_field = start - 56;
	memcpy(at + 12, &start, 4);
	memcpy(at + 16, &(int32_t){48 - 4}, 4);
	memcpy(at + 56 - 4, &(int32_t){start - 52}, 4);
	(void)from_field;
	return at;
}

Test(hostile, records)
{
	uint8_t *page = lone_page(), *at = write_frames(page);
	struct step step = find_in(at, sizeof frames);
	cr_assert(step.kind == STEP_FRAME && step.k == 16 && step.fp == FP_AT_CFA && step.n == -16,
		  "kind %u", (unsigned)step.kind);
	for (size_t bytes = 0; bytes < sizeof frames; bytes++)
		cr_assert_neq(find_in(at, bytes).kind, STEP_NONE);
	for (unsigned i = 0; i < 300000; i++) {
		write_frames(page);
		for (unsigned n = random_next() % 4 + 1; n; n--)
			at[random_next() % sizeof frames] = (uint8_t)(random_next() >> 8);
		cr_assert_neq(find_in(at, sizeof frames).kind, STEP_NONE);
	}
}

/* The end of what is mapped comes before the end of the module. */
Test(hostile, module_with_a_hole)
{
	uint8_t *page = lone_page(), *at = write_frames(page);
	for (unsigned i = 0; i < 100000; i++) {
		write_frames(page);
		at[random_next() % sizeof frames] = (uint8_t)(random_next() >> 8);
		cr_assert_neq(find_in(at, 1 << 20).kind, STEP_NONE);
	}
}

/* --- the stack that a walk needs ------------------------------------------------------------------ */

static ucontext_t back, context;
static _Alignas(16) uint8_t stack[65536];
static uintptr_t sp_before;

__attribute__((noinline)) static void look_and_tell(struct frame from)
{
	static struct walk_memo memo;
	static struct memo_frames fresh;
	__asm__ volatile("mov %%rsp, %0" : "=r"(sp_before));
	count = walk_again(&from, &memo, &fresh);
	__asm__ volatile("" ::: "memory");
}

/* The call frame instructions of a procedure linkage table, which are the deepest to compute. */
__asm__(".text\n.type linkage, @function\n nop\n"
	"linkage: .cfi_startproc\n .cfi_escape 0x0f,0x0b,0x77,0x08,0x80,0x00,0x3f,0x1a,0x3b,0x2a,0x33,0x24,0x22\n"
	" nop\n nop\n ret\n .cfi_endproc\n .size linkage, . - linkage\n");
void linkage(void);

static void walk_on_painted(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	struct frame from = {
		.ip = (uintptr_t)linkage, .sp = here, .fp = here, .is_interrupted = true};
	look_and_tell(from);
	from = (struct frame){.ip = (uintptr_t)qsort + 3, .sp = here, .fp = here};
	look_and_tell(from);
	look_from_assembly();
}

Test(hostile, little_of_the_stack)
{
	memset(stack, 0xa5, sizeof stack);
	getcontext(&context);
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = sizeof stack;
	context.uc_link = &back;
	makecontext(&context, walk_on_painted, 0);
	swapcontext(&back, &context);
	uint8_t *lowest = stack;
	while (*lowest == 0xa5)
		lowest++;
	size_t used = sp_before - (uintptr_t)lowest;
	cr_log_info("%zu bytes of stack", used);
	cr_assert(used > 256 && used < 1152, "%zu", used);
}

/* --- the table ------------------------------------------------------------------------------------- */

static unsigned met;

static void meet(const struct dl_find_object *module)
{
	(void)module;
	met++;
}

Test(steps, are_compiled_once_until_forgotten)
{
	cr_assert(steps_init());
	walk_met = meet;
	for (unsigned i = 0; i < 200000; i++) {
		unsigned before = met;
		for (unsigned n = 0; n < 2; n++)
			steps_find((uintptr_t)qsort, true);
		cr_assert_eq(met, before + 1, "turn %u", i);
		steps_forget();
	}
}

Test(steps, exact_and_return_addresses_differ)
{
	cr_assert(steps_init());
	walk_met = meet;
	steps_find((uintptr_t)qsort, true);
	steps_find((uintptr_t)qsort, false);
	cr_assert_eq(met, 2);
}

static unsigned pages_present(void)
{
	static unsigned char present[STEPS_SETS * sizeof *steps_table / 4096];
	unsigned count = 0;
	cr_assert_eq(mincore(steps_table, STEPS_SETS * sizeof *steps_table, present), 0);
	for (size_t i = 0; i < sizeof present; i++)
		count += present[i] & 1;
	return count;
}

/* A process that records few stacks has no more of the table than they need. */
Test(steps, few_sets_serve_until_they_are_not_enough)
{
	cr_assert(steps_init());
	for (unsigned i = 0; i < 150; i++)
		steps_find((uintptr_t)qsort + i, true);
	cr_expect_eq(pages_present(), 1);
	cr_expect_eq(steps_mask, STEPS_FEW - 1);
	for (unsigned i = 0; i < 50000; i++)
		steps_find((uintptr_t)qsort + i, true);
	cr_expect_eq(pages_present(), STEPS_SETS * sizeof *steps_table / 4096);
	walk_met = meet;
	for (unsigned n = 0; n < 2; n++)
		for (unsigned i = 0; i < 8000; i++)
			steps_find((uintptr_t)qsort + i, true);
	cr_expect_lt(met, 2 * 8000 - 6000, "all sets serve: %u of 16000 compiled", met);
}

/* More ips than entries, from several threads that also forget: the answer is always what a compiler says. */
static void *hammer(void *seed)
{
	uint32_t random = (uint32_t)(uintptr_t)seed;
	for (unsigned i = 0; i < 300000; i++) {
		random = random * 1664525 + 1013904223;
		uintptr_t ip = (uintptr_t)qsort + (random >> 8) % 200000;
		bool has_module;
		struct step found = steps_find(ip, i % 2);
		struct step told = step_compile(ip, i % 2, &has_module);
		if (memcmp(&found, &told, sizeof told) != 0)
			return seed;
		if (i % 10000 == 0)
			steps_forget();
	}
	return NULL;
}

Test(steps, threads)
{
	pthread_t threads[4];
	cr_assert(steps_init());
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, hammer, (void *)(i + 1));
	for (unsigned i = 0; i < 4; i++) {
		void *wrong;
		pthread_join(threads[i], &wrong);
		cr_assert_null(wrong);
	}
}
