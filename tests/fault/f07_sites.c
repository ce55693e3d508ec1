/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-builtin */
/*
 * F7 for call sites: children, and children of theirs, that allocate and free what they inherited.
 *
 * usage: f07_sites threads CHILDREN   8 threads allocate, two others make children by fork, _Fork, clone and vfork
 *        f07_sites orphan             a child's child that outlives it gets the area that was its parent's
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, PER_THREAD = 4000, FORKERS = 2, INHERITED = 40, OTHERS = 70 };

#define SITE __attribute__((noinline, noclone)) void *

SITE site_parent(size_t size)
{
	void *block = malloc(size);
	__asm__ volatile("" : "+r"(block));
	return block;
}

SITE site_child(size_t size)
{
	void *block = malloc(size);
	__asm__ volatile("" : "+r"(block));
	return block;
}

SITE site_grandchild(size_t size)
{
	void *block = malloc(size);
	__asm__ volatile("" : "+r"(block));
	return block;
}

SITE site_vforked(size_t size)
{
	void *block = malloc(size);
	__asm__ volatile("" : "+r"(block));
	return block;
}

static void *inherited[INHERITED];
static int children;
static atomic_int forked, wrong;

static void *site_thread(void *unused)
{
	void *held[16] = {NULL};
	for (unsigned i = 0; i < PER_THREAD; i++) {
		free(held[i % 16]);
		held[i % 16] = malloc(i % 700 + 1);
		__asm__ volatile("" : : "r"(held) : "memory");
	}
	for (unsigned i = 0; i < 16; i++)
		free(held[i]);
	return unused;
}

static void work_in_grandchild(void)
{
	for (unsigned i = 0; i < INHERITED / 2; i++)
		free(inherited[i]);
	for (unsigned i = 0; i < 10; i++)
		site_grandchild(100 + i);
	_exit(0);
}

static void work_in_child(int with_grandchild)
{
	alarm(60);
	for (unsigned i = INHERITED / 2; i < INHERITED; i++)
		free(inherited[i]);
	for (unsigned i = 0; i < 20; i++)
		free(site_child(100 + i));
	if (with_grandchild && !fork())
		work_in_grandchild();
	_exit(with_grandchild && wait(NULL) < 0);
}

static pid_t make_child(int how)
{
	pid_t child;
	switch (how % 4) {
	case 0: child = fork(); break;
	case 1: child = _Fork(); break;
	case 2: child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); break;
	default:
		child = vfork(); /* shares everything: its blocks are its parent's */
		if (!child) {
			free(site_vforked(77));
			_exit(0);
		}
		return child;
	}
	if (!child)
		work_in_child(how % 4 == 0); /* after the others libc's locks are as they were */
	return child;
}

static void *forker(void *unused)
{
	int status, number;
	while ((number = forked++) < children) {
		pid_t child = make_child(number);
		wrong += child < 0 || waitpid(child, &status, 0) != child || status != 0;
	}
	return unused;
}

static void threads(void)
{
	pthread_t thread[THREADS + FORKERS];
	for (unsigned i = 0; i < INHERITED; i++)
		inherited[i] = site_parent(i * 50 + 1);
	for (unsigned i = 0; i < THREADS + FORKERS; i++)
		pthread_create(&thread[i], NULL, i < THREADS ? site_thread : forker, NULL);
	for (unsigned i = 0; i < THREADS + FORKERS; i++)
		pthread_join(thread[i], NULL);
	printf("%d wrong\n", (int)wrong);
}

/* --- the orphan --------------------------------------------------------------------------------------- */

static int end[2], report[2], child_ends[2], go[2];

/* Nobody but the first process holds the writing ends. */
static void wait_for(int from[2])
{
	char byte;
	close(end[1]);
	close(child_ends[1]);
	close(go[1]);
	if (read(from[0], &byte, 1))
		abort();
}

static void say(void)
{
	if (write(report[1], "", 1) != 1)
		abort();
}

static void hear(void)
{
	char byte;
	if (read(report[0], &byte, 1) != 1)
		abort();
}

static void orphan(void)
{
	wait_for(go);
	for (unsigned i = 0; i < INHERITED; i++)
		free(inherited[i]);
	for (unsigned i = 0; i < 30; i++)
		site_child(200);
	for (unsigned i = 0; i < 7; i++)
		site_grandchild(300);
	say();
	wait_for(end);
	_exit(0);
}

static void parent_of_orphan(void)
{
	for (unsigned i = 0; i < INHERITED; i++)
		inherited[i] = site_child(200);
	if (!_Fork())
		orphan();
	wait_for(child_ends);
	_exit(0);
}

static void other(void)
{
	free(site_parent(10));
	say();
	wait_for(end);
	_exit(0);
}

/* Others that live, so many that areas of the dead are used before new ones. */
static void orphans(void)
{
	if (pipe(end) || pipe(report) || pipe(child_ends) || pipe(go))
		abort();
	pid_t child = _Fork();
	if (!child)
		parent_of_orphan();
	for (unsigned i = 0; i < OTHERS; i++) {
		if (!_Fork())
			other();
		hear();
	}
	close(child_ends[1]);
	waitpid(child, NULL, 0);
	close(go[1]);
	hear();
	_exit(0);
}

int main(int argc, char **argv)
{
	children = argc > 2 ? atoi(argv[2]) : 0;
	if (argc > 1 && !strcmp(argv[1], "orphan"))
		orphans();
	threads();
	return wrong != 0;
}
