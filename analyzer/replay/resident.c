/* SPDX-License-Identifier: MIT */
/* resident.c: see resident.h. */
#define _GNU_SOURCE
#include "replay/resident.h"

#include "replay/place.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATM_ROOM = 64, STATUS_ROOM = 4096, LOOK_NS = 4000000 /* between two looks */ };

#define LOOKING UINT64_MAX

static struct {
	pthread_mutex_t lock;
	uint64_t bytes;      /* atomic: resident, of the replay itself */
	uint64_t faults;     /* of what was added to `bytes` */
	uint64_t rss_before; /* peak, less own, up to when `bytes` last grew */
} own = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct {
	int fd;
	uint64_t due_ns; /* atomic: the next look; LOOKING: somebody looks */
	uint64_t began_ns, last_ns, last_bytes;
	double byte_ns; /* bytes times nanoseconds, up to the last look */
} looks;

/* Bytes, of a line of /proc/self/status. */
static uint64_t status(const char *key)
{
	char text[STATUS_ROOM];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t bytes = read(fd, text, sizeof text - 1);

	close(fd);
	text[bytes > 0 ? bytes : 0] = 0;
	const char *line = strstr(text, key);

	return line ? strtoull(line + strlen(key), NULL, 10) * 1024 : 0;
}

/* Resident bytes now, of /proc/self/statm, less the replay's own. */
static uint64_t of_allocator(void)
{
	char text[STATM_ROOM + 1] = "";
	ssize_t bytes = pread(looks.fd, text, STATM_ROOM, 0);
	const char *second = bytes > 0 ? strchr(text, ' ') : NULL;
	uint64_t pages = second ? strtoull(second, NULL, 10) : 0;

	return less(pages * (uint64_t)sysconf(_SC_PAGESIZE),
		    __atomic_load_n(&own.bytes, __ATOMIC_RELAXED));
}

/* What was resident from the last look to this one is taken as the mean of both.  One thread at a time. */
static void look(uint64_t ns)
{
	uint64_t bytes = of_allocator();
	uint64_t span_ns = ns - looks.last_ns;

	looks.byte_ns += ((double)bytes + (double)looks.last_bytes) / 2 * (double)span_ns;
	looks.last_ns = ns;
	looks.last_bytes = bytes;
}

void resident_look(uint64_t ns)
{
	uint64_t due_ns = __atomic_load_n(&looks.due_ns, __ATOMIC_RELAXED);

	if (ns < due_ns || !__atomic_compare_exchange_n(&looks.due_ns, &due_ns, LOOKING, false,
							__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	look(ns);
	__atomic_store_n(&looks.due_ns, ns + LOOK_NS, __ATOMIC_RELEASE);
}

static uint64_t peak(void)
{
	uint64_t since = less(status("VmHWM:"), own.bytes);

	return since > own.rss_before ? since : own.rss_before;
}

/* What was the peak so far is taken before the place is there: what is left of it is the peak of what comes later. */
void resident_add_place(void)
{
	pthread_mutex_lock(&own.lock);
	own.rss_before = peak();
	uint64_t bytes = places_add();

	own.faults += bytes / (uint64_t)sysconf(_SC_PAGESIZE);
	__atomic_add_fetch(&own.bytes, bytes, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&own.lock);
}

/* From now on VmHWM is of what comes, where the kernel can do that; else of the start as well. */
static void forget_peak(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "5", 1) != 1)
		(void)fd;
	close(fd);
}

void resident_prepare(void)
{
	looks.fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	peak(); /* its stack, too */
	forget_peak();
	own.bytes = status("VmRSS:");
	own.rss_before = 0;
}

void resident_begin(uint64_t now_ns)
{
	looks.began_ns = looks.last_ns = now_ns;
	looks.due_ns = now_ns + LOOK_NS;
	looks.last_bytes = of_allocator();
}

static uint64_t mean(double byte_ns, uint64_t ns)
{
	return ns ? (uint64_t)(byte_ns / (double)ns) : 0;
}

struct resident resident_end(uint64_t now_ns)
{
	look(now_ns);
	return (struct resident){.mean = mean(looks.byte_ns, now_ns - looks.began_ns),
				 .peak = peak(),
				 .end = less(status("VmRSS:"), own.bytes),
				 .own_faults = own.faults};
}
