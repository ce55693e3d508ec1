/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-builtin */
/*
 * F12: allocates on stacks that are small, end at unmapped pages on both sides, or are not the thread's own.
 * usage: f12_stacks context|handler|disarmed|thread|deep|need
 *   context: 8 KiB of makecontext()    handler, disarmed: sigaltstack() of what the kernel asks for and little more
 *   thread: of the least size          deep: as far down as the limit allows but for 8 KiB
 * Prints how many blocks came, a number that does not hang on the allocator;   need: the bytes of stack that they took.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

enum {
	PAGE = 4096,
	CONTEXT_BYTES = 8192,
	HANDLER_BYTES = 2048,
	ROUNDS = 300,
	DEEP_BLOCKS = 5,
	UNUSED = 0xa5
};

static long came;

/* Of all sizes: first of a class, at a tick, recorded, large, resized. */
static __attribute__((noinline)) void site_small(unsigned i)
{
	static const unsigned short sizes[] = {24, 100, 1000, 5000, 20000, 50000};
	char *block = malloc(sizes[i % 6] + i);
	char *more = realloc(block, sizes[i % 6] * 2U + i);
	if (!block || !more)
		abort();
	more[0] = 1;
	__atomic_add_fetch(&came, 1, __ATOMIC_RELAXED);
	if (i % 3)
		free(more);
}

/* Between two pages that are not there. */
static char *stack_of(size_t bytes)
{
	char *map = mmap(NULL, bytes + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED || mprotect(map + PAGE, bytes, PROT_READ | PROT_WRITE))
		abort();
	munmap(map + PAGE + bytes, PAGE);
	return map + PAGE;
}

static ucontext_t here, there;

static char *called; /* the stack pointer of who allocates */

static __attribute__((noinline)) void site_context(void)
{
	called = __builtin_frame_address(0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		site_small(i);
		swapcontext(&there, &here);
	}
}

static char *stack;

static void contexts(void)
{
	stack = stack_of(CONTEXT_BYTES);
	memset(stack, UNUSED, CONTEXT_BYTES);
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = CONTEXT_BYTES;
	there.uc_link = &here;
	makecontext(&there, site_context, 0);
	for (unsigned i = 0; i <= ROUNDS; i++)
		swapcontext(&here, &there);
}

static long needed(void)
{
	const char *at = stack;
	while ((unsigned char)*at == UNUSED)
		at++;
	return called - at;
}

static __attribute__((noinline)) void site_handler(int number)
{
	static unsigned i;
	(void)number;
	site_small(i++);
	__asm__ volatile(""); /* no tail call */
}

/* The kernel's frame and `HANDLER_BYTES`, from the page's end on which is not there. */
static void handlers(int flags)
{
	size_t least = getauxval(AT_MINSIGSTKSZ), usual = (size_t)MINSIGSTKSZ;
	size_t bytes = (least > usual ? least : usual) + HANDLER_BYTES;
	stack_t there_is = {.ss_sp = stack_of((bytes + PAGE - 1) & -(size_t)PAGE),
			    .ss_size = bytes,
			    .ss_flags = flags};
	struct sigaction action = {.sa_handler = site_handler, .sa_flags = SA_ONSTACK};
	if (sigaltstack(&there_is, NULL) || sigaction(SIGUSR1, &action, NULL))
		abort();
	for (unsigned i = 0; i < ROUNDS; i++)
		raise(SIGUSR1);
}

static __attribute__((noinline)) void *site_thread(void *unused)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		site_small(i);
	return unused;
}

static void threads(void)
{
	pthread_attr_t attributes;
	pthread_t thread[4];
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN);
	for (unsigned i = 0; i < 4; i++)
		pthread_create(&thread[i], &attributes, site_thread, NULL);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
}

static char *lowest;

static __attribute__((noinline)) void site_deep(unsigned i)
{
	volatile char frame[256];
	frame[0] = (char)i;
	if ((char *)&frame[0] > lowest + 2 * PAGE)
		site_deep(i + 1);
	if (i % 16 == 0)
		site_small(i);
	frame[1] = 0;
}

static void deep(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_STACK, &limit);
	lowest = (char *)getauxval(AT_EXECFN) - limit.rlim_cur; /* at the other end */
	site_deep(0);
	came = came < DEEP_BLOCKS ? 0
				  : DEEP_BLOCKS; /* it hangs on the environment how deep that is */
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (!strcmp(what, "context") || !strcmp(what, "need"))
		contexts();
	else if (!strcmp(what, "handler"))
		handlers(0);
	else if (!strcmp(what, "disarmed"))
		handlers((int)SS_AUTODISARM);
	else if (!strcmp(what, "thread"))
		threads();
	else if (!strcmp(what, "deep"))
		deep();
	printf("%ld\n", strcmp(what, "need") ? came : needed());
	return 3;
}
