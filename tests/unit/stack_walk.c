/* SPDX-License-Identifier: MIT */
/* link: -lunwind -ldl -pthread */
/* cflags: -O2 -fomit-frame-pointer */
/* Walks from many kinds of functions, against libunwind. */
#define _GNU_SOURCE
#include "unit/stack_oracle.h"

#include <alloca.h>
#include <dlfcn.h>
#include <pthread.h>
#include <search.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static struct oracle oracle;
static unsigned room = ORACLE_ROOM;

/* Keeps a call from being the last thing that a function does. */
#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

__attribute__((noinline)) static void look(void)
{
	oracle_walk(&oracle, frame_of_caller(__builtin_frame_address(0)), room);
	KEEP_FRAME();
}

/* Twice: from the instructions, and from the table. */
static void expect(void (*shape)(void), enum walk_end end)
{
	cr_assert(walk_available());
	shape();
	oracle_expect(&oracle, end);
	cr_assert(steps_init());
	for (unsigned i = 0; i < 3; i++) {
		shape();
		oracle_expect(&oracle, end);
	}
	cr_assert(oracle.count > 3);
}

/* --- functions ------------------------------------------------------------------------------------ */

__attribute__((noinline)) static int deep(unsigned depth, int x)
{
	if (depth == 0)
		look();
	else
		x += deep(depth - 1, x);
	KEEP_FRAME();
	return x + 1;
}

static void deep_200(void)
{
	deep(200, 1);
}

Test(walk, recursion)
{
	expect(deep_200, WALK_WHOLE);
	cr_assert(oracle.count > 200);
}

Test(walk, no_room)
{
	room = 128;
	expect(deep_200, WALK_CUT);
	cr_assert_eq(oracle.count, 128);
}

Test(walk, room_for_none_and_for_all)
{
	uintptr_t ip = 7;
	enum walk_end end;
	cr_assert_eq(walk((struct frame){.ip = 1}, &ip, 0, &end), 0);
	cr_assert(ip == 7 && end == WALK_CUT);
	expect(deep_200, WALK_WHOLE);
	room = oracle.count;
	expect(deep_200, WALK_WHOLE);
	room--;
	expect(deep_200, WALK_CUT);
}

__attribute__((noinline)) static void fill(char *at, size_t bytes)
{
	memset(at, 1, bytes);
	look();
}

__attribute__((noinline)) static void with_alloca(size_t bytes)
{
	fill(alloca(bytes), bytes);
	KEEP_FRAME();
}

static void alloca_sizes(void)
{
	with_alloca((size_t)rand() % 4096);
}

Test(walk, alloca)
{
	expect(alloca_sizes, WALK_WHOLE);
}

__attribute__((noinline)) static void aligned_frame(int count, ...)
{
	__attribute__((aligned(64))) char local[128];
	va_list list;
	va_start(list, count);
	fill(local, (size_t)va_arg(list, int));
	va_end(list);
	fill(alloca((size_t)count), (size_t)count);
	KEEP_FRAME();
}

static void aligned(void)
{
	aligned_frame(33, 100, 3, 4, 5, 6, 7, 8, 9);
}

Test(walk, over_aligned)
{
	expect(aligned, WALK_WHOLE);
}

__attribute__((noinline)) static void far_frame(void)
{
	char big[300000];
	fill(big, sizeof big);
	KEEP_FRAME();
}

Test(walk, big_frame)
{
	expect(far_frame, WALK_WHOLE);
}

static jmp_buf out;

__attribute__((noinline, used, noreturn)) static void look_and_leave(void)
{
	look();
	longjmp(out, 1);
}

/* The return address of its call lies in the next function, whose frame is another. */
__asm__(".text\n.type ends_in_call, @function\n"
	"ends_in_call: .cfi_startproc\n sub $40, %rsp\n .cfi_def_cfa_offset 48\n"
	" call look_and_leave\n .cfi_endproc\n.size ends_in_call, . - ends_in_call\n"
	".type next_function, @function\n"
	"next_function: .cfi_startproc\n ret\n .cfi_endproc\n"
	".size next_function, . - next_function\n");
void ends_in_call(void);

__attribute__((noinline)) static void call_at_the_end(void)
{
	if (setjmp(out) == 0)
		ends_in_call();
	KEEP_FRAME();
}

Test(walk, call_at_the_end)
{
	expect(call_at_the_end, WALK_WHOLE);
}

/* --- through libraries ---------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	if (*(const int *)a == 50)
		look();
	return *(const int *)a - *(const int *)b;
}

static void sort(void)
{
	int numbers[100];
	for (int i = 0; i < 100; i++)
		numbers[i] = 100 - i;
	qsort(numbers, 100, sizeof *numbers, compare);
}

Test(walk, qsort)
{
	expect(sort, WALK_WHOLE);
}

static void visit(const void *node, VISIT order, int level)
{
	(void)node;
	if (order == leaf && level)
		look();
}

static void walk_tree(void)
{
	static int numbers[20];
	void *root = NULL;
	for (int i = 0; i < 20; i++) {
		numbers[i] = i;
		tsearch(&numbers[i], &root, compare);
	}
	twalk(root, visit);
}

Test(walk, twalk)
{
	expect(walk_tree, WALK_WHOLE);
}

static void *in_thread(void *unused)
{
	look();
	return unused;
}

static void thread(void)
{
	pthread_t id;
	cr_assert_eq(pthread_create(&id, NULL, in_thread, NULL), 0);
	pthread_join(id, NULL);
}

Test(walk, thread_start)
{
	cr_assert(walk_available());
	for (unsigned i = 0; i < 3; i++, steps_init()) {
		thread();
		oracle_expect(&oracle, WALK_WHOLE);
		cr_assert(oracle.count == 3);
	}
}

static void *library;

static void open_frames(void)
{
	char path[4096], *slash;
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 64);
	cr_assert(length > 0);
	path[length] = 0;
	for (unsigned i = 0; i < 2; i++)
		if ((slash = strrchr(path, '/')))
			*slash = 0;
	strcat(path, "/fault/libf13_frames.so");
	library = dlopen(path, RTLD_LAZY);
	cr_assert(library, "%s", dlerror());
}

static void each_look(void)
{
	look();
	oracle_expect(&oracle, WALK_WHOLE);
}

static void frames(const char *name)
{
	open_frames();
	void (*run)(void (*)(void)) = (void (*)(void (*)(void)))dlsym(library, name);
	cr_assert(run);
	for (unsigned i = 0; i < 3; i++, steps_init())
		run(each_look);
	cr_assert(oracle.count > 3);
}

Test(walk, cpp_calls)
{
	frames("frames_calls");
}

Test(walk, cpp_catch)
{
	frames("frames_catch");
}

Test(walk, cpp_cleanup)
{
	frames("frames_cleanup");
}

/* --- signals and stacks --------------------------------------------------------------------------- */

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
	(void)number;
	look();
	handled++;
}

static void send(int flags)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	sigaction(SIGUSR2, &action, NULL);
	sort();
}

static void send_here(void)
{
	send(0);
}

static void send_aside(void)
{
	stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
	sigaltstack(&stack, NULL);
	send(SA_ONSTACK);
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
	free(stack.ss_sp);
}

static int raise_in_sort(const void *a, const void *b)
{
	raise(SIGUSR1);
	return *(const int *)a - *(const int *)b;
}

static void signal_in_sort(int flags)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
	int numbers[] = {3, 2, 1};
	sigaction(SIGUSR1, &action, NULL);
	qsort(numbers, 3, sizeof *numbers, raise_in_sort);
}

static void signal_in_sort_here(void)
{
	signal_in_sort(0);
}

Test(walk, signal)
{
	expect(send_here, WALK_WHOLE);
	expect(signal_in_sort_here, WALK_WHOLE);
}

Test(walk, signal_on_another_stack)
{
	expect(send_aside, WALK_WHOLE);
}

/* A store to where nothing is: the interrupted instruction is the first of its function. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	look();
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

__asm__(".text\n.type faults, @function\nnop\nret\n"
	"faults: .cfi_startproc\n mov %eax, (%rdi)\n ret\n.cfi_endproc\n.size faults, . - faults");
void faults(void *at);

static void fault(void)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	sigaction(SIGSEGV, &action, NULL);
	faults((void *)64);
	KEEP_FRAME();
	signal(SIGSEGV, SIG_DFL);
}

Test(walk, fault_at_the_first_instruction)
{
	expect(fault, WALK_WHOLE);
}

static ucontext_t back;
static uintptr_t ips[16];
static unsigned count;
static enum walk_end end;

__attribute__((noinline)) static void look_alone(void)
{
	count = walk(frame_of_caller(__builtin_frame_address(0)), ips, 16, &end);
	KEEP_FRAME();
}

static void on_small_stack(void)
{
	look_alone();
	KEEP_FRAME();
}

static void run_on(void (*function)(void), void *stack, size_t bytes)
{
	ucontext_t context;
	getcontext(&context);
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = bytes;
	context.uc_link = &back;
	makecontext(&context, function, 0);
	swapcontext(&back, &context);
}

/* Nothing above nor below the stack can be read. */
Test(walk, makecontext)
{
	char *pages = mmap(NULL, 16384, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_eq(mprotect(pages + 4096, 8192, PROT_READ | PROT_WRITE), 0);
	for (unsigned i = 0; i < 3; i++, steps_init()) {
		run_on(on_small_stack, pages + 4096, 8192);
		cr_assert_eq(end, WALK_GUESSED);
		cr_assert_eq(count, 2);
	}
}

static void on_signal_alone(int number)
{
	(void)number;
	look_alone();
}

Test(walk, smallest_signal_stack)
{
	size_t bytes = (size_t)sysconf(_SC_MINSIGSTKSZ) + 1024 + 256;
	stack_t stack = {.ss_sp = malloc(bytes), .ss_size = bytes};
	struct sigaction action = {.sa_handler = on_signal_alone, .sa_flags = SA_ONSTACK};
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	uintptr_t cold[16];
	for (unsigned i = 0; i < 3; i++, steps_init()) {
		raise(SIGUSR1);
		cr_assert(end == WALK_WHOLE && count > 4);
		if (i == 0)
			memcpy(cold, ips, sizeof cold);
		cr_assert_eq(memcmp(cold, ips, count * sizeof *ips), 0);
	}
}
