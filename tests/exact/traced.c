/* cflags: -fno-builtin */
/* link: -lpthread */
/* SPDX-License-Identifier: MIT */
/*
 * Calls of malloc's family that the program itself writes down, for comparison with a trace.
 *
 *   traced LOG STEPS SEED [HOW]        HOW: kill: kills itself at the end   fork: a child does the same again, then ends
 *                                      exec: becomes another program          close: closes all descriptors first
 *                                      handler: a timer's handler asks for blocks, too
 *   traced threads THREADS STEPS       blocks go from thread to thread; nothing is written down
 *
 * A line for each call: word, block, size.  Blocks are numbered by their births.  A block of MARK bytes stands at both ends.
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOTS = 300, MARK = 123457, TEXT_ROOM = 64 << 20 };

static char *text;
static size_t used;
static unsigned long births;
static uint64_t state;

static struct slot {
	void *block;
	unsigned long number;
} slots[SLOTS];

static unsigned long any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned long)(state >> 11);
}

static size_t any_size(void)
{
	unsigned long r = any();
	if (r % 100 == 0)
		return any() % (600 << 10);
	return r % 10 == 0 ? any() % 5000 : any() % 200;
}

static void put_number(unsigned long number)
{
	char digits[24];
	unsigned at = sizeof digits;
	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	text[used++] = ' ';
	memcpy(text + used, digits + at, sizeof digits - at);
	used += sizeof digits - at;
}

static void put(const char *word, unsigned long block, unsigned long size)
{
	memcpy(text + used, word, strlen(word));
	used += strlen(word);
	put_number(block);
	put_number(size);
	text[used++] = '\n';
}

static void mark(void)
{
	void *volatile block = malloc(MARK);
	put("malloc", births, MARK);
	free(block);
	put("free", births++, 0);
}

static void ask(struct slot *slot)
{
	size_t size = any_size();
	slot->number = births++;
	switch (any() % 4) {
	case 0:
		slot->block = calloc(1, size);
		put("calloc", slot->number, size);
		return;
	case 1:
		if (posix_memalign(&slot->block, (size_t)32 << any() % 8, size))
			abort();
		put("aligned", slot->number, size);
		return;
	default: slot->block = malloc(size); put("malloc", slot->number, size);
	}
}

static void resize(struct slot *slot)
{
	size_t size = any_size() + 1;
	slot->block = realloc(slot->block, size);
	put("realloc", slot->number, size);
}

static void step(void)
{
	struct slot *slot = &slots[any() % SLOTS];
	if (!slot->block)
		ask(slot);
	else if (any() % 3 == 0)
		resize(slot);
	else {
		free(slot->block);
		put("free", slot->number, 0);
		slot->block = NULL;
	}
	if (slot->block && malloc_usable_size(slot->block) > 100000)
		memset(slot->block, 1, 50000);
}

static void write_log(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, text, used) != (ssize_t)used || close(fd))
		abort();
}

static void work(unsigned long steps)
{
	mark();
	while (steps--)
		step();
	mark();
}

static void on_timer(int signal)
{
	(void)signal;
	free(malloc(77));
}

static void start_timer(void)
{
	struct itimerval often = {{0, 200}, {0, 200}};
	signal(SIGVTALRM, on_timer);
	setitimer(ITIMER_VIRTUAL, &often, NULL);
}

/* The child's log has `.child` at its end. */
static void fork_and_work(const char *path, unsigned long steps)
{
	char name[4096];
	snprintf(name, sizeof name, "%s.child", path);
	pid_t child = fork();
	if (child) {
		waitpid(child, NULL, 0);
		return;
	}
	used = 0;
	memset(slots, 0, sizeof slots); /* what it inherited stays */
	work(steps);
	write_log(name);
	_exit(0);
}

/* --- threads ----------------------------------------------------------------------------------------- */

enum { SHARED = 512 };
static pthread_mutex_t lock[SHARED];
static void *shared[SHARED];
static unsigned long thread_steps;

static void *exchange(void *seed)
{
	uint64_t mine = (uint64_t)(uintptr_t)seed * 2654435761u + 1;
	for (unsigned long i = 0; i < thread_steps; i++) {
		mine ^= mine << 13;
		mine ^= mine >> 7;
		mine ^= mine << 17;
		unsigned at = (unsigned)(mine >> 20) % SHARED;
		pthread_mutex_lock(&lock[at]);
		if (!shared[at])
			shared[at] = malloc(mine >> 50);
		else if (mine % 5 == 0)
			shared[at] = realloc(shared[at], (mine >> 48) + 1);
		else {
			free(shared[at]);
			shared[at] = NULL;
		}
		pthread_mutex_unlock(&lock[at]);
	}
	return NULL;
}

static int run_threads(unsigned long count, unsigned long steps)
{
	pthread_t thread[64];
	thread_steps = steps;
	for (unsigned i = 0; i < SHARED; i++)
		pthread_mutex_init(&lock[i], NULL);
	for (unsigned long i = 0; i < count && i < 64; i++)
		pthread_create(&thread[i], NULL, exchange, (void *)(i + 1));
	for (unsigned long i = 0; i < count && i < 64; i++)
		pthread_join(thread[i], NULL);
	for (unsigned i = 0; i < SHARED; i++)
		free(shared[i]);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	if (strcmp(argv[1], "threads") == 0)
		return run_threads(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
	const char *how = argc > 4 ? argv[4] : "";
	unsigned long steps = strtoul(argv[2], NULL, 10);
	static char room[TEXT_ROOM];
	text = room;
	state = strtoul(argv[3], NULL, 10) * 88172645463325252u + 1;
	if (strcmp(how, "close") == 0)
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
	if (strcmp(how, "handler") == 0)
		start_timer();
	work(steps);
	if (strcmp(how, "handler") == 0)
		signal(SIGVTALRM, SIG_IGN);
	write_log(argv[1]);
	if (strcmp(how, "fork") == 0)
		fork_and_work(argv[1], steps);
	if (strcmp(how, "exec") == 0)
		execl("/bin/true", "true", (char *)NULL);
	if (strcmp(how, "kill") == 0)
		kill(getpid(), SIGKILL);
	return 0;
}
