/* SPDX-License-Identifier: MIT */
/*
 * After it has started, a program allows itself what malloc may need and little else, and is killed for
 * the rest.   usage: f31_strict none|strict|threads|fork
 *   none: no filter      strict: mmap munmap mremap madvise futex, write, exit
 *   threads, fork: besides, what libc needs for these
 * getpgrp() marks the moment, for a look with strace.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct sock_filter filter[80] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
};
static unsigned short used = 1;

static void allow(unsigned number)
{
	filter[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
	filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

static void allow_all(const unsigned *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		allow(numbers[i]);
}

#define ALLOW(...)                                                                                 \
	allow_all((const unsigned[]){__VA_ARGS__},                                                 \
		  sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

static void close_sandbox(const char *kind)
{
	ALLOW(SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex, SYS_write, SYS_exit,
	      SYS_exit_group, SYS_rt_sigreturn);
	if (strcmp(kind, "threads") == 0)
		ALLOW(SYS_clone, SYS_clone3, SYS_set_robust_list, SYS_rseq, SYS_mprotect,
		      SYS_rt_sigaction, SYS_rt_sigprocmask);
	if (strcmp(kind, "fork") == 0)
		ALLOW(SYS_clone, SYS_set_robust_list, SYS_wait4);
	filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	struct sock_fprog program = {used, filter};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("f31_strict");
		exit(125);
	}
}

/* Of all sizes, growing ones, freed ones; long enough for epochs and for pages to go back. */
static unsigned long work(void)
{
	enum { KEPT = 500, STEPS = 60000 };
	static __thread char *kept[KEPT];
	unsigned long random = 1, sum = 0;
	for (unsigned i = 0; i < STEPS; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		unsigned at = (random >> 33) % KEPT;
		size_t size = i % 1000 == 0 ? 300000 + i % 7 * 1000000 : (random >> 40) % 3000 + 1;
		if (i % 3 == 0) {
			free(kept[at]);
			kept[at] = calloc(1, size);
		} else {
			kept[at] = realloc(kept[at], size);
		}
		if (!kept[at])
			return 0;
		kept[at][size - 1] = 1;
		sum += size;
	}
	for (unsigned i = 0; i < KEPT; i++) {
		free(kept[i]);
		kept[i] = NULL;
	}
	return sum;
}

/* On pages of the stack that nothing was on before. */
static unsigned long work_below(unsigned pages)
{
	volatile char page[4096];
	page[0] = (char)pages;
	unsigned long sum = pages ? work_below(pages - 1) : work();
	return sum + (unsigned char)page[0] - pages;
}

/* All at a time: a thread that ends lets the next one have its heap. */
static pthread_barrier_t started;

static void *thread(void *result)
{
	pthread_barrier_wait(&started);
	*(unsigned long *)result = work();
	return NULL;
}

static unsigned long in_threads(void)
{
	pthread_t threads[6];
	unsigned long sums[6], sum = 0;
	pthread_barrier_init(&started, NULL, 6);
	for (int i = 0; i < 6; i++)
		if (pthread_create(&threads[i], NULL, thread, &sums[i]))
			return 0;
	for (int i = 0; i < 6; i++) {
		pthread_join(threads[i], NULL);
		sum += sums[i];
	}
	return sum;
}

static unsigned long in_children(void)
{
	int status;
	unsigned long well = 0;
	for (int i = 0; i < 12; i++) {
		pid_t child = fork();
		if (!child)
			_exit(work() != 0);
		if (i % 3 == 2)
			continue; /* several at a time, more than areas are laid ready */
		well += waitpid(child, &status, 0) == child && status == 0x100;
	}
	while (wait(&status) > 0)
		well += status == 0x100;
	return well;
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "none";
	char text[64];
	work();
	getpgrp();
	if (strcmp(kind, "none") != 0)
		close_sandbox(kind);
	unsigned long sum = work_below(32), more = 1;
	if (strcmp(kind, "strict") != 0) {
		more = strcmp(kind, "fork") == 0 ? in_children() : in_threads();
		if (strcmp(kind, "none") == 0)
			more += in_children();
	}
	int bytes = snprintf(text, sizeof text, "%lu %lu\n", sum, more);
	return write(STDOUT_FILENO, text, (size_t)bytes) == bytes ? 6 : 1;
}
