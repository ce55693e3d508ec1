/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-builtin */
/*
 * F13: allocates below frames that nothing describes, or that say what is not so.
 *
 * bare: code without records, with all kinds of frame pointers      lies: records that lead anywhere
 * made: code written at run time, as a JIT does                      Prints how many blocks came.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, ROUNDS = 50 };

static long came;

typedef void callback(void);

static __attribute__((noinline)) void site_below(void)
{
	char *block = malloc(100 + (size_t)came);
	if (!block)
		abort();
	block[0] = 1;
	came++;
	free(block);
	__asm__ volatile("");
}

#if defined(__x86_64__)
/* bare_call(callback, frame pointer): no record; lying_call(callback, frame pointer): one that is wrong. */
void bare_call(callback *call, uintptr_t fp);
void lying_fp(callback *call, uintptr_t fp);
void lying_far(callback *call, uintptr_t fp);
void lying_read(callback *call, uintptr_t fp);
void lying_self(callback *call, uintptr_t fp);

#define LYING(name, cfi)                                                                           \
	".globl " name "\n" name ":\n.cfi_startproc\n" cfi "\n" BODY ".cfi_endproc\n"
#define BODY                                                                                       \
	"push %rbp\npush %rbx\nsub $8, %rsp\nmov %rsi, %rbp\ncall *%rdi\nadd $8, %rsp\npop %rbx\n" \
	"pop %rbp\nret\n"

__asm__(".text\n.globl bare_call\nbare_call:\n" BODY
		/* cfa = rbp + 16, whatever rbp is */
		LYING("lying_fp", ".cfi_def_cfa rbp, 16")
	/* a gigabyte up the stack */
	LYING("lying_far", ".cfi_def_cfa rsp, 0x3ffffff8")
	/* cfa = *(rbp) */
	LYING("lying_read", ".cfi_escape 0x0f, 3, 0x76, 0, 0x06")
	/* below the frame itself: a walk would go round */
	LYING("lying_self", ".cfi_def_cfa rsp, -64"));

static void call_made(callback *call, uintptr_t fp)
{
	/* push rbp; mov rbp, rsi; push; call rdi; pop; pop rbp; ret */
	static const unsigned char code[] = {0x55, 0x48, 0x89, 0xf5, 0x51, 0x52,
					     0xff, 0xd7, 0x5a, 0x59, 0x5d, 0xc3};
	static char *page;
	void (*made)(callback *, uintptr_t);
	if (!page)
		page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		abort();
	char *at = page + 64; /* no function lies before it */
	memcpy(at, code, sizeof code);
	memcpy(&made, &at, sizeof made);
	made(call, fp);
}
#else
static void plain_call(callback *call, uintptr_t fp)
{
	(void)fp;
	call();
}
#define bare_call plain_call
#define lying_fp plain_call
#define lying_far plain_call
#define lying_read plain_call
#define lying_self plain_call
#define call_made plain_call
#endif

/* What may stand in a frame pointer: nothing, noise, words at the end of what is mapped, of the stack, of itself. */
static unsigned wrong_pointers(uintptr_t *ret)
{
	static uintptr_t loop[4];
	char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	unsigned count = 0;
	if (map == MAP_FAILED || munmap(map + PAGE, PAGE))
		abort();
	loop[0] = (uintptr_t)&loop[2];
	loop[1] = loop[3] = (uintptr_t)site_below + 8;
	loop[2] = (uintptr_t)&loop[0];
	ret[count++] = 0;
	ret[count++] = 1;
	ret[count++] = UINTPTR_MAX;
	ret[count++] = UINTPTR_MAX - 15;
	ret[count++] = (uintptr_t)1 << 63;
	ret[count++] = UINT64_C(0x00007ffffffff000);
	ret[count++] = UINT64_C(0xdeadbeefdeadbeef);
	ret[count++] = (uintptr_t)map + PAGE - 8; /* its second word is not there */
	ret[count++] = (uintptr_t)map + PAGE;
	ret[count++] = (uintptr_t)map + 3;
	ret[count++] = (uintptr_t)loop;
	ret[count++] = here;
	ret[count++] = here + 4;
	ret[count++] = here - 4096;
	ret[count++] = here + 100000;
	return count;
}

/* A stack of its own whose top is the end of what is mapped. */
static void *top_of_map;

static void at_the_top(callback *call, uintptr_t fp)
{
#if defined(__x86_64__)
	__asm__ volatile("mov %%rsp, %%rbx\nmov %0, %%rsp\ncall bare_call\nmov %%rbx, %%rsp"
			 :
			 : "r"((char *)top_of_map - 16), "D"(call), "S"(fp)
			 : "rbx", "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "memory",
			   "cc");
#else
	call();
	(void)fp;
#endif
}

int main(void)
{
	static void (*const callers[])(callback *, uintptr_t) = {
		bare_call, lying_fp, lying_far, lying_read, lying_self, call_made, at_the_top};
	uintptr_t pointers[32];
	unsigned count = wrong_pointers(pointers);
	char *map = mmap(NULL, 17 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	if (map == MAP_FAILED || munmap(map + 16 * PAGE, PAGE))
		abort();
	top_of_map = map + 16 * PAGE;
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < sizeof callers / sizeof *callers; i++)
			for (unsigned k = 0; k < count; k++) {
				pointers[11] = (uintptr_t)__builtin_frame_address(0) + round * 8;
				callers[i](site_below, pointers[k]);
			}
	printf("%ld blocks\n", came);
	return 5;
}
