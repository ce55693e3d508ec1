/* SPDX-License-Identifier: MIT */
/* cflags: -O1 */
/*
 * words.c SEGMENTS: while threads allocate, another writes words of all kinds to where `poolmem ctl` writes one, and what else it
 * can reach of that.  Blocks keep their content; rows have a few periods, all in range.  Prints how many blocks there were.
 */
#include "exact/own_segment.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 3, ROUNDS = 150000, KEPT = 256, PERIODS_MAX = 16 };

static struct pm_process *record;
static int finished;
static uint64_t turns; /* words written */

static struct pm_process *writable(const char *directory)
{
	char path[4096] = "";
	const struct pm_header *header = own_segment(directory);
	const struct pm_slot *slot = own_slot(header);
	struct dirent *entry;
	DIR *stream = opendir(directory);
	while (stream && (entry = readdir(stream)))
		if (strstr(entry->d_name, ".pms"))
			snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
	closedir(stream);
	size_t at = (size_t)((const char *)slot - (const char *)header);
	int file = open(path, O_RDWR);
	struct pm_slot *mapped = mmap(NULL, sizeof *mapped, PROT_READ | PROT_WRITE, MAP_SHARED,
				      file, (off_t)at);
	close(file);
	return mapped == MAP_FAILED ? NULL : &mapped->process;
}

static void *storm(void *unused)
{
	uint64_t state = 1;
	(void)unused;
	for (uint64_t turn = 1; !__atomic_load_n(&finished, __ATOMIC_ACQUIRE); turn++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		uint64_t period = turn % 3 == 0   ? state >> 20
				  : turn % 3 == 1 ? state >> 60
						  : (state >> 60) << 12;
		uint64_t word = turn % 5 ? turn << PM_CONTROL_SHIFT | (period & 0xffffffffffff)
					 : state;
		__atomic_store_n(&record->control, word, __ATOMIC_RELEASE);
		record->control_taken = state;
		if (record->site_period > PM_CONTROL_PERIOD_MAX)
			abort();
		record->control_state = (uint32_t)state;
		record->sample_period = state;
		__atomic_store_n(&turns, turn, __ATOMIC_RELEASE);
		if (turn % 64 == 0)
			usleep(100);
	}
	return NULL;
}

static void *work(void *argument)
{
	unsigned seed = (unsigned)(uintptr_t)argument + 1;
	unsigned char *kept[KEPT] = {NULL};
	for (unsigned i = 0; i < ROUNDS; i++) {
		while (__atomic_load_n(&turns, __ATOMIC_ACQUIRE) < i / 10) /* both go on */
			usleep(100);
		seed = seed * 1103515245 + 12345;
		unsigned at = (seed >> 8) % KEPT;
		if (kept[at] && kept[at][0] != (unsigned char)at)
			abort();
		free(kept[at]);
		kept[at] = malloc(1 + (seed >> 16) % (i % 100 ? 500 : 200000));
		kept[at][0] = (unsigned char)at;
	}
	for (unsigned i = 0; i < KEPT; i++)
		free(kept[i]);
	return NULL;
}

static void check_rows(const struct pm_header *header)
{
	uint64_t periods[PERIODS_MAX + 1];
	unsigned count = 0;
	for (uint32_t n = 1; n < header->chunks; n++) {
		const struct pm_sites *chunk = own_chunk(header, n);
		if (chunk->chunk.kind != PM_CHUNK_SITES)
			continue;
		for (uint32_t i = 0; (const char *)&chunk->row[i + 1] <=
				     (const char *)chunk + chunk->chunk.used_bytes;
		     i++) {
			unsigned p = 0;
			while (p < count && periods[p] != chunk->row[i].period)
				p++;
			if (chunk->row[i].period > PM_CONTROL_PERIOD_MAX || !chunk->row[i].period ||
			    p == PERIODS_MAX)
				abort();
			periods[p] = chunk->row[i].period;
			count += p == count;
		}
	}
	fprintf(stderr, "%u periods\n", count);
	if (count < PERIODS_MAX / 2)
		abort();
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS], stormer;
	if (argc < 2 || !(record = writable(argv[1])))
		return 2;
	pthread_create(&stormer, NULL, storm, NULL);
	for (uintptr_t t = 0; t < THREADS; t++)
		pthread_create(&threads[t], NULL, work, (void *)t);
	for (unsigned t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	__atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
	pthread_join(stormer, NULL);
	check_rows(own_segment(argv[1]));
	printf("%u\n", THREADS * ROUNDS);
	return 0;
}
