/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 */
/*
 * f13_gone.c: coroutines whose stacks adjoin, begun by code without unwinding information at the very end of the stack.  The
 * upper stack is unmapped when the lower one ends where it was.
 */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, STACK_BYTES = 4 * PAGE, DEPTHS = 300, ROUNDS = 20 };

void run_on(void *end_of_stack, void (*function)(void));

#if defined(__x86_64__)
__asm__(".text\n.globl run_on\n.type run_on,@function\nrun_on:\n"
	"push %rbp\npush %rbx\nmov %rsp,%rbx\nxor %ebp,%ebp\nmov %rdi,%rsp\ncall *%rsi\n"
	"mov %rbx,%rsp\npop %rbx\npop %rbp\nret\n.size run_on,.-run_on\n");
#else
void run_on(void *end_of_stack, void (*function)(void))
{
	(void)end_of_stack;
	function();
}
#endif

static __attribute__((noinline)) void leaf(void)
{
	void *block = malloc(24);
	__asm__ volatile("" : "+r"(block));
	free(block);
	__asm__ volatile("");
}

static __attribute__((noinline)) void at_depth(size_t bytes)
{
	char *room = alloca(bytes);
	__asm__ volatile("" : : "r"(room) : "memory");
	leaf();
	__asm__ volatile("" : : "r"(room) : "memory");
}

static void body(void)
{
	for (size_t i = 1; i < DEPTHS; i++)
		at_depth(i * 16);
}

int main(void)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		char *low = mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		char *high = low + STACK_BYTES;
		run_on(high + STACK_BYTES, body);
		munmap(high, STACK_BYTES);
		run_on(high, body);
		munmap(low, STACK_BYTES);
	}
	puts("through");
	return 0;
}
