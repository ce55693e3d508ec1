/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-ipa-icf */
/*
 * switches.c SEGMENTS POOLMEM: is switched between its phases by `poolmem ctl`, in its threads and a forked child, too, and
 * keeps account of the functions site_..., as sites.c does: of those that allocate while each block is recorded.
 */
#include "exact/own_segment.h"

#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, PER_PHASE = 1000, SETTLING = 8193, PHASES = 6, MANY = 12 };

enum site {
	SITE_all,
	SITE_again,
	SITE_temporary,
	SITE_threaded,
	SITE_large,
	SITE_born,
	SITE_child,
	SITE_COUNT
};
static const char *const names[SITE_COUNT] = {"site_all",      "site_again", "site_temporary",
					      "site_threaded", "site_large", "site_born",
					      "site_child"};

static struct account {
	uint64_t allocated, requested, freed, live, live_requested, temporary;
} accounts[SITE_COUNT];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;
static const char *segments, *poolmem;
static void *kept[SITE_COUNT][THREADS][PER_PHASE];
static void *unseen[2 * PER_PHASE], *sampled[4 * PER_PHASE];

#define SITE(name)                                                                                 \
	static __attribute__((noinline, noclone)) void *name(size_t size)                          \
	{                                                                                          \
		void *block = malloc(size);                                                        \
		__asm__ volatile("" : "+r"(block)); /* no tail call */                             \
		return block;                                                                      \
	}

SITE(site_all)
SITE(site_again)
SITE(site_temporary)
SITE(site_threaded)
SITE(site_large)
SITE(site_born)
SITE(site_child)
SITE(unseen_off)
SITE(unseen_again)
SITE(unseen_child)
SITE(sampled_all)
SITE(settling)

static void *const functions[SITE_COUNT] = {site_all,   site_again, site_temporary, site_threaded,
					    site_large, site_born,  site_child};

static void *take(enum site site, size_t size)
{
	void *(*allocate)(size_t);
	memcpy(&allocate, &functions[site], sizeof allocate);
	void *block = allocate(size);
	if (!block)
		abort();
	pthread_mutex_lock(&lock);
	accounts[site].allocated++;
	accounts[site].live++;
	accounts[site].requested += size;
	accounts[site].live_requested += size;
	pthread_mutex_unlock(&lock);
	return block;
}

static void give(enum site site, void *block, size_t size, bool is_temporary)
{
	free(block);
	pthread_mutex_lock(&lock);
	accounts[site].freed++;
	accounts[site].live--;
	accounts[site].live_requested -= size;
	accounts[site].temporary += is_temporary;
	pthread_mutex_unlock(&lock);
}

static void ask(const char *setting)
{
	char pid[16];
	char *arguments[] = {(char *)poolmem, "ctl", "--wait", "0s", pid, (char *)setting, NULL};
	char preload[] = "LD_PRELOAD=", directory[4200];
	snprintf(directory, sizeof directory, "POOLMEM=dir=%s", segments);
	char *environment[] = {preload, directory, NULL};
	posix_spawn_file_actions_t quiet;
	pid_t child;
	int status;
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	snprintf(pid, sizeof pid, "%d", getpid());
	fflush(stdout);
	if (posix_spawn(&child, poolmem, &quiet, NULL, arguments, environment) ||
	    waitpid(child, &status, 0) != child || WEXITSTATUS(status) > 2)
		abort();
	posix_spawn_file_actions_destroy(&quiet);
}

/*
 * After so many blocks of one size the thread follows what was asked for.  None of them is temporary, nor is the last one that
 * is recorded.
 */
static void settle(void)
{
	static _Thread_local void *blocks[SETTLING]; /* a large block would make it follow at once */
	for (unsigned i = 0; i < SETTLING; i++)
		blocks[i] = settling(24);
	free(malloc(24));
	for (unsigned i = 0; i < SETTLING; i++)
		free(blocks[i]);
}

static const struct pm_slot *here(void)
{
	return own_slot(own_segment(segments));
}

static void expect(uint64_t period)
{
	const struct pm_slot *slot = here();
	if (slot->process.site_period == period && slot->control == slot->process.control_taken &&
	    slot->process.control_taken == slot->process.control)
		return;
	fprintf(stderr, "period %lu, not %lu; asked %lx, taken %lx, followed %lx\n",
		slot->process.site_period, period, slot->process.control,
		slot->process.control_taken, slot->control);
	exit(1);
}

static void *thread(void *argument)
{
	uintptr_t t = (uintptr_t)argument;
	free(malloc(100));
	for (unsigned phase = 0; phase < PHASES; phase++) {
		pthread_barrier_wait(&barrier); /* asked */
		settle();
		pthread_barrier_wait(&barrier);
		for (unsigned i = 0; phase == 1 && i < PER_PHASE; i++)
			kept[SITE_threaded][t][i] = take(SITE_threaded, 40 + t);
		for (unsigned i = 0; phase == 2 && i < PER_PHASE; i += 2)
			give(SITE_threaded, kept[SITE_threaded][t][i], 40 + t, false);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void begin(const char *setting, uint64_t period)
{
	if (setting)
		ask(setting);
	pthread_barrier_wait(&barrier);
	settle();
	expect(period);
	pthread_barrier_wait(&barrier);
}

static void end(void)
{
	pthread_barrier_wait(&barrier);
}

static void *newborn(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < PER_PHASE; i++)
		kept[SITE_born][0][i] = take(SITE_born, 72);
	return NULL;
}

/* A thread that begins after a switch follows from its first block on, also in the heap of one that has ended. */
static void bear(void)
{
	pthread_t born;
	if (pthread_create(&born, NULL, newborn, NULL) || pthread_join(born, NULL))
		abort();
}

static pthread_barrier_t all_there;

static void *one_of_many(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&all_there);
	for (unsigned i = 0; i < MANY; i++)
		take(SITE_born, 72);
	pthread_barrier_wait(&all_there);
	return NULL;
}

/* More at once than there are heaps of threads that have ended. */
static void bear_many(void)
{
	pthread_t born[MANY];
	pthread_barrier_init(&all_there, NULL, MANY);
	for (unsigned i = 0; i < MANY; i++)
		if (pthread_create(&born[i], NULL, one_of_many, NULL))
			abort();
	for (unsigned i = 0; i < MANY; i++)
		pthread_join(born[i], NULL);
}

static void *nothing(void *unused)
{
	(void)unused;
	free(malloc(72));
	return NULL;
}

static void phases(void)
{
	pthread_t first;
	begin(NULL, 0); /* as it began: sites=off */
	for (unsigned i = 0; i < PER_PHASE; i++)
		unseen[i] = unseen_off(64);
	if (pthread_create(&first, NULL, nothing, NULL) || pthread_join(first, NULL))
		abort();
	end();

	begin("sites=all", 1);
	bear();
	for (unsigned i = 0; i < PER_PHASE; i++) {
		kept[SITE_all][0][i] = take(SITE_all, i);
		give(SITE_temporary, take(SITE_temporary, 32), 32, true);
		free(unseen[i]);
	}
	for (unsigned i = 0; i < 30; i++)
		kept[SITE_large][0][i] = take(SITE_large, 300000 + i);
	end();

	begin("sites=off", 0);
	for (unsigned i = 0; i < PER_PHASE; i += 2)
		give(SITE_all, kept[SITE_all][0][i], i, false);
	for (unsigned i = 0; i < PER_PHASE; i++)
		unseen[PER_PHASE + i] = unseen_again(64);
	end();

	begin("sites.period=4K", 0); /* of no mode: refused */
	end();

	ask("sites=sample");
	begin("sites.period=4K", 512 << 10); /* at first there is no sample to have one */
	for (unsigned i = 0; i < 4 * PER_PHASE; i++)
		sampled[i] = sampled_all(1000);
	for (unsigned i = 1; i < PER_PHASE; i += 4)
		give(SITE_all, kept[SITE_all][0][i], i, false);
	end();

	begin("sites=all", 1);
	for (unsigned i = 0; i < 4 * PER_PHASE; i++)
		free(sampled[i]);
	for (unsigned i = 0; i < PER_PHASE; i++)
		kept[SITE_again][0][i] = take(SITE_again, 100 + i);
	for (unsigned i = 0; i < 30; i += 3)
		give(SITE_large, kept[SITE_large][0][i], 300000 + i, false);
	end();
}

static void print(void)
{
	for (unsigned i = 0; i < SITE_COUNT; i++) {
		const struct account *a = &accounts[i];
		printf("%s %lu %lu %lu %lu %lu 0 %lu 0\n", names[i], a->allocated, a->requested,
		       a->freed, a->live, a->live_requested, a->temporary);
	}
}

static void reap(void)
{
	int status;
	if (wait(&status) < 0 || status)
		exit(1);
}

/* It goes on as its parent, and is told otherwise by itself. */
static void child(void)
{
	memset(accounts, 0, sizeof accounts);
	for (unsigned i = 0; i < 300; i++)
		take(SITE_child, 50);
	bear_many();
	expect(1);
	ask("sites=off");
	settle();
	expect(0);
	for (unsigned i = 0; i < 300; i++)
		unseen_child(50);
	if (!fork()) {
		for (unsigned i = 0; i < SETTLING; i++)
			unseen_child(50);
		expect(0);
		ask("sites=off"); /* the same word as its parent was asked for */
		settle();
		expect(0);
		_exit(0);
	}
	reap();
	puts("child");
	print();
	fflush(stdout);
	_exit(0);
}

/* Forked by a thread that has not followed yet, when another has: the child does from its first block on. */
static void stale(void)
{
	const struct pm_slot *slot = here();
	pthread_t other;
	ask("sites=off");
	if (pthread_create(&other, NULL, nothing, NULL) || pthread_join(other, NULL))
		abort();
	if (slot->control == slot->process.control_taken)
		abort();
	if (!fork()) {
		for (unsigned i = 0; i < 10; i++)
			unseen_child(50);
		_exit(0);
	}
	reap();
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	if (argc < 3)
		return 2;
	segments = argv[1];
	poolmem = argv[2];
	setvbuf(stdout, malloc(BUFSIZ), _IOFBF, BUFSIZ);
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (uintptr_t t = 0; t < THREADS; t++)
		if (pthread_create(&threads[t], NULL, thread, (void *)t))
			abort();
	phases();
	for (unsigned t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	print();
	fflush(stdout);
	if (!fork())
		child();
	reap();
	expect(1);
	stale();
	return 0;
}
