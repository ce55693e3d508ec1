/* SPDX-License-Identifier: MIT */
/* trace.c: see trace.h. */
#define _GNU_SOURCE
#include "segment/trace.h"

#include "sys/memory.h"
#include "sys/raw.h"
#include "sys/wiped.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum {
	CHUNK = PM_TRACE_CHUNK_BYTES,
	CHUNKS_MIN = 2, /* the header and one more */
	PATH_ROOM = 1024,
	WAIT_TURNS = 1500,
};

_Static_assert((int)CHUNK % (int)MEMORY_PAGE_MAX == 0, "chunks are whole pages");

struct pm_trace_header *trace_header;

static char path_used[PATH_ROOM];
static uint64_t chunks_max; /* of the file, the header counted */
static struct stat identity;
static bool was_cut; /* atomic */

/* Of a mapping of the file, from which others are made: its address, and which chunk begins there.  The header is one. */
struct anchor {
	char *at;
	uint64_t chunk;
};
static struct {
	struct anchor anchor[2];
	uint32_t current; /* stored last: a child that is forked meanwhile finds one that is whole */
} known;

static bool append(const char *text, size_t bytes)
{
	size_t have = strlen(path_used);
	if (have + bytes >= PATH_ROOM)
		return false;
	memcpy(path_used + have, text, bytes);
	path_used[have + bytes] = 0;
	return true;
}

static bool append_pid(void)
{
	char buffer[12];
	unsigned at = sizeof buffer;
	long pid = raw_call3(SYS_getpid, 0, 0, 0);
	do
		buffer[--at] = (char)('0' + pid % 10);
	while (pid /= 10);
	return append(buffer + at, sizeof buffer - at);
}

/* Absolute: the process may change its directory before it ends. */
static bool set_path(const char *path)
{
	path_used[0] = 0;
	if (path[0] != '/' &&
	    (raw_call3(SYS_getcwd, (long)path_used, PATH_ROOM, 0) < 0 || !append("/", 1)))
		return false;
	for (; *path; path++) {
		bool is_pid = path[0] == '%' && path[1] == 'p',
		     is_percent = path[0] == '%' && path[1] == '%';
		if (is_pid ? !append_pid() : !append(path, 1))
			return false;
		path += is_pid | is_percent;
	}
	return true;
}

/* The process's file size limit would raise SIGXFSZ; a file system may have one, too. */
static int set_length(int fd, uint64_t bytes_max)
{
	struct rlimit limit;
	long result = -EFBIG;
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes_max)
		bytes_max = limit.rlim_cur;
	for (chunks_max = bytes_max / CHUNK; chunks_max >= CHUNKS_MIN; chunks_max /= 2) {
		result = raw_call3(SYS_ftruncate, fd, (long)(chunks_max * CHUNK), 0);
		if (result != -EFBIG && result != -EINVAL)
			break;
	}
	return (int)-result;
}

static int map_header(int fd)
{
	struct pm_trace_header *header = memory_map_file(NULL, MEMORY_PAGE_MAX, fd);
	if (!header)
		return ENOMEM;
	if (memory_populate(header, MEMORY_PAGE) != MEMORY_POPULATED) {
		memory_unmap(header, MEMORY_PAGE_MAX);
		return ENOSPC;
	}
	memcpy(header->magic, PM_TRACE_MAGIC, sizeof header->magic);
	header->endian = PM_TRACE_ENDIAN;
	header->version = PM_TRACE_VERSION;
	header->header_bytes = sizeof *header;
	header->chunk_bytes = CHUNK;
	header->page_bytes = (uint32_t)memory_page();
	trace_header = header;
	known.anchor[0] = (struct anchor){(char *)header, 0};
	return 0;
}

const char *trace_file_path(void)
{
	return path_used;
}

bool trace_file_is_of_family(uint64_t run_id)
{
	struct pm_trace_header header = {0};
	int fd = (int)raw_open_at(AT_FDCWD, path_used, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	if (fd < 0)
		return false;
	long bytes = raw_read(fd, &header, sizeof header);
	raw_close(fd);
	if (bytes != sizeof header || memcmp(header.magic, PM_TRACE_MAGIC, sizeof header.magic) != 0)
		return false;
	return (run_id && header.run_id == run_id) ||
	       header.pid == (uint32_t)raw_call3(SYS_getpid, 0, 0, 0) ||
	       header.pid == (uint32_t)raw_call3(SYS_getppid, 0, 0, 0);
}

int trace_file_create(const char *path, uint64_t bytes_max)
{
	if (!set_path(path))
		return ENAMETOOLONG;
	int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = (int)raw_open_at(AT_FDCWD, path_used, flags, 0600);
	if (fd < 0)
		return -fd;
	int error = set_length(fd, bytes_max);
	if (!error)
		error = map_header(fd);
	raw_call(SYS_newfstatat, fd, (long)"", (long)&identity, AT_EMPTY_PATH, 0, 0);
	raw_close(fd);
	if (error)
		raw_call3(SYS_unlinkat, AT_FDCWD, (long)path_used, 0);
	return error;
}

/* The mapping of the chunk of that number, from the anchor's; what lies between is mapped for a moment. */
static char *map_chunk(uint64_t number)
{
	const struct anchor *anchor = &known.anchor[known.current];
	size_t between = (size_t)(number - anchor->chunk) * CHUNK;
	char *mapped = memory_map_again(anchor->at, between + CHUNK);
	if (mapped && between)
		memory_unmap(mapped, between);
	return mapped ? mapped + between : NULL;
}

/* Its first page becomes the anchor; the writer may unmap the chunk itself. */
static void move_anchor(const char *chunk, uint64_t number)
{
	struct anchor old = known.anchor[known.current];
	uint32_t next = !known.current;
	char *page = memory_map_again(chunk, MEMORY_PAGE_MAX);
	if (!page)
		return;
	known.anchor[next] = (struct anchor){page, number};
	__atomic_store_n(&known.current, next, __ATOMIC_RELEASE);
	if (old.at != (char *)trace_header)
		memory_unmap(old.at, MEMORY_PAGE_MAX);
}

static struct pm_trace_chunk *add(void)
{
	uint64_t number = __atomic_add_fetch(&trace_header->chunks, 1, __ATOMIC_RELAXED);
	char *chunk = number < chunks_max ? map_chunk(number) : NULL;
	if (!chunk)
		return NULL;
	if (memory_populate(chunk, CHUNK) != MEMORY_POPULATED) {
		memory_unmap(chunk, CHUNK);
		return NULL;
	}
	move_anchor(chunk, number);
	return (struct pm_trace_chunk *)chunk;
}

struct pm_trace_chunk *trace_file_add(void)
{
	if (!wiped_wait(&wiped.tracing, WAIT_TURNS))
		return NULL;
	struct pm_trace_chunk *chunk = trace_file_was_cut() ? NULL : add();
	wiped_done(&wiped.tracing);
	return chunk;
}

bool trace_file_was_cut(void)
{
	return __atomic_load_n(&was_cut, __ATOMIC_RELAXED);
}

void trace_file_give(struct pm_trace_chunk *chunk)
{
	memory_unmap(chunk, CHUNK);
}

static void cut(void)
{
	struct stat now = {0};
	uint64_t chunks = __atomic_load_n(&trace_header->chunks, __ATOMIC_RELAXED) + 1;
	if (chunks >= chunks_max ||
	    raw_call(SYS_newfstatat, AT_FDCWD, (long)path_used, (long)&now, 0, 0, 0) < 0 ||
	    now.st_ino != identity.st_ino || now.st_dev != identity.st_dev)
		return;
	__atomic_store_n(&was_cut, true, __ATOMIC_RELAXED);
	raw_call3(SYS_truncate, (long)path_used, (long)(chunks * CHUNK), 0);
}

/* Nobody adds a chunk meanwhile: it would lie behind the end. */
void trace_file_cut(void)
{
	if (!wiped_wait(&wiped.tracing, WAIT_TURNS))
		return;
	cut();
	wiped_done(&wiped.tracing);
}
