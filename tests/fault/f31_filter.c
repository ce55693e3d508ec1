/* SPDX-License-Identifier: MIT */
/*
 * Runs a program under a filter that answers some system calls with an error.
 * usage: f31_filter ERRNO CALL,CALL... PROGRAM ARGUMENT...
 * CALL: a name of the table below; mmap_shared is mmap of a file with MAP_SHARED for writing.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned number;
} calls[] = {
	{"madvise", SYS_madvise},
	{"mremap", SYS_mremap},
	{"futex", SYS_futex},
	{"mkdirat", SYS_mkdirat},
	{"ftruncate", SYS_ftruncate},
	{"fallocate", SYS_fallocate},
	{"getrandom", SYS_getrandom},
	{"mmap_shared", SYS_mmap},
	{"faccessat", SYS_faccessat},
	{"process_vm_readv", SYS_process_vm_readv},
	{"munmap", SYS_munmap},
	{"prlimit64", SYS_prlimit64},
	{"readlinkat", SYS_readlinkat},
	{"perf_event_open", SYS_perf_event_open},
	{"personality", SYS_personality},
};

static struct sock_filter filter[128];
static unsigned short used;

static void add(struct sock_filter instruction)
{
	filter[used++] = instruction;
}

static void load(size_t offset)
{
	add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset));
}

static void add_refusal(unsigned number, int error)
{
	unsigned char arguments = number == SYS_mmap ? 4 : 0;
	load(offsetof(struct seccomp_data, nr));
	add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0,
					 (unsigned char)(1 + arguments)));
	if (arguments) {
		load(offsetof(struct seccomp_data, args[2]));
		add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_WRITE, 0, 3));
		load(offsetof(struct seccomp_data, args[3]));
		add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_SHARED, 0, 1));
	}
	add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error));
}

static void add_by_name(const char *name, int error)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (!strcmp(calls[i].name, name)) {
			add_refusal(calls[i].number, error);
			return;
		}
	fprintf(stderr, "f31_filter: no call %s in the table\n", name);
	exit(125);
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 125;
	for (char *name = strtok(argv[2], ","); name; name = strtok(NULL, ","))
		add_by_name(name, atoi(argv[1]));
	add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	struct sock_fprog program = {used, filter};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("f31_filter");
		return 125;
	}
	execvp(argv[3], argv + 3);
	return 125;
}
