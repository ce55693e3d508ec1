/* SPDX-License-Identifier: MIT */
/*
 * create.c: the directory, the file, the header.
 *
 * Runs once, in the constructor.  Nobody else may be able to make us write where they want: the directory
 * must be ours and closed to others, the file must be new.
 */
#define _GNU_SOURCE
#include "segment/segment.h"

#include "sys/memory.h"
#include "sys/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

enum {
	/* Mapped at the start; only what is used is made present. */
	FIRST_CHUNKS = PM_ROOM_BYTES_MIN / PM_CHUNK_BYTES,
	FIXED_BYTES = 1 << 20, /* where the kernel cannot populate */
	PATH_ROOM = 512
};

struct segment segment;

/* Appends to a bounded string; false when it does not fit. */
static bool append(char *path, const char *text)
{
	size_t have = strlen(path), more = strlen(text);
	if (have + more >= PATH_ROOM)
		return false;
	memcpy(path + have, text, more + 1);
	return true;
}

static void append_number(char *text, uint64_t value, unsigned base, unsigned digits)
{
	char buffer[24];
	unsigned at = sizeof buffer - 1;
	buffer[at] = 0;
	do
		buffer[--at] = "0123456789abcdef"[value % base];
	while ((value /= base) || sizeof buffer - 1 - at < digits);
	append(text, buffer + at);
}

static bool exists(const char *path)
{
	return raw_call(SYS_faccessat, AT_FDCWD, (long)path, 0, 0, 0, 0) == 0;
}

static bool default_directory(const struct segment_plan *plan, char *path)
{
	path[0] = 0;
	const char *root = plan->temporary ? plan->temporary : "/tmp";
	if (!append(path, exists("/dev/shm") ? "/dev/shm" : root) || !append(path, "/poolmem-"))
		return false;
	append_number(path, (uint64_t)raw_call3(SYS_geteuid, 0, 0, 0), 10, 1);
	return true;
}

/* Ours, and not writable by others; one that we chose must not be readable by others either. */
static bool trusted(int directory, bool chosen_by_us)
{
	struct stat facts = {0};
	if (raw_call(SYS_newfstatat, directory, (long)"", (long)&facts, AT_EMPTY_PATH, 0, 0) < 0)
		return false;
	mode_t forbidden = chosen_by_us ? 077 : 022;
	return facts.st_uid == (uid_t)raw_call3(SYS_geteuid, 0, 0, 0) &&
	       !(facts.st_mode & forbidden);
}

/*
 * Where a page that is present can be written to for good.  A file system that copies on write may find
 * itself full at any later store, and that is SIGBUS.
 */
static bool keeps_pages(int directory)
{
	static const uint32_t known[] = {0x01021994, 0x858458f6, 0xef53, 0x58465342, 0x794c7630};
	struct statfs facts = {0}; /*          tmpfs       ramfs       ext     xfs         overlay */
	if (raw_call3(SYS_fstatfs, directory, (long)&facts, 0) < 0)
		return false;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if ((uint32_t)facts.f_type == known[i])
			return true;
	return false;
}

static int open_directory(const struct segment_plan *plan)
{
	char path[PATH_ROOM] = "";
	bool chosen_by_us = !plan->directory[0];
	if (chosen_by_us ? !default_directory(plan, path) : !append(path, plan->directory))
		return -1;
	raw_call3(SYS_mkdirat, AT_FDCWD, (long)path, 0700);
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int directory = (int)raw_open_at(AT_FDCWD, path, flags, 0);
	if (directory >= 0 && !(trusted(directory, chosen_by_us) && keeps_pages(directory))) {
		raw_close(directory);
		return -1;
	}
	return directory;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now = {0};
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* `name` is told to the caller, who removes a file that cannot be used. */
static int create_file(int directory, uint64_t created_ns, uint64_t random, char name[PATH_ROOM])
{
	name[0] = 0;
	append_number(name, created_ns, 16, 16);
	append(name, "-");
	append_number(name, (uint64_t)raw_call3(SYS_getpid, 0, 0, 0), 10, 1);
	append(name, "-");
	append_number(name, random & UINT32_MAX, 16, 8);
	append(name, ".pms");
	int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	return (int)raw_open_at(directory, name, flags, 0600);
}

/* The process's file size limit would raise SIGXFSZ. */
static uint64_t within_limits(uint64_t bytes)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes)
		bytes = limit.rlim_cur;
	return bytes / PM_CHUNK_BYTES * PM_CHUNK_BYTES;
}

/* Makes the header and the first slot present, or on an old kernel allocates a fixed file. */
static uint64_t populate_first(int fd, char *start, uint64_t file_bytes)
{
	enum memory_populated populated = memory_populate(start, MEMORY_PAGE);
	if (populated == MEMORY_POPULATED)
		populated = memory_populate(start + PM_CHUNK_BYTES, PM_CHUNK_BYTES);
	if (populated == MEMORY_POPULATED)
		return file_bytes;
	if (populated == MEMORY_FULL)
		return 0;
	uint64_t fixed = file_bytes < FIXED_BYTES ? file_bytes : FIXED_BYTES;
	fixed = fixed / PM_CHUNK_BYTES * PM_CHUNK_BYTES;
	segment.fixed = true;
	return raw_call(SYS_fallocate, fd, 0, 0, (long)fixed, 0, 0) < 0 ? 0 : fixed;
}

/*
 * Tries whether the mapping grows, by a page that goes again: what is mapped is resident where the program locks its memory.
 * valgrind lets none grow that lies so far up: then all of the file is mapped, which takes but addresses; where these are
 * short, too, the first chunks are what there is.  Returns the start, and how much is mapped.
 */
static void *map_rest(int fd, void *start, uint64_t file_bytes, size_t *ret_mapped)
{
	size_t first = *ret_mapped;
	if (file_bytes == first)
		return start;
	if (memory_grow(start, first, first + memory_page())) {
		memory_unmap((char *)start + first, memory_page());
		return start;
	}
	void *whole = memory_map_file(start, file_bytes, fd);
	if (!whole)
		return start;
	memory_unmap(start, first);
	*ret_mapped = file_bytes;
	return whole;
}

static void *map_file(int fd, const struct segment_plan *plan, uint64_t *file_bytes,
		      size_t *ret_mapped)
{
	*file_bytes = within_limits(plan->file_bytes);
	*ret_mapped = FIRST_CHUNKS * PM_CHUNK_BYTES;
	if (*file_bytes < *ret_mapped || raw_call3(SYS_ftruncate, fd, (long)*file_bytes, 0) < 0)
		return NULL;
	void *start = memory_map_file(plan->hint, *ret_mapped, fd);
	if (!start)
		return NULL;
	*file_bytes = populate_first(fd, start, *file_bytes);
	if (*file_bytes)
		return map_rest(fd, start, *file_bytes, ret_mapped);
	memory_unmap(start, *ret_mapped);
	return NULL;
}

static uint8_t hex_value(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

static void read_boot_id(uint8_t id[16])
{
	char text[40];
	size_t got = raw_read_text("/proc/sys/kernel/random/boot_id", text, sizeof text);
	unsigned digits = 0;
	for (const char *c = text; c < text + got && digits < 32; c++)
		if (*c != '-' && *c > ' ') {
			id[digits / 2] = (uint8_t)(id[digits / 2] << 4 | hex_value(*c));
			digits++;
		}
}

/* Its inode, from the text of the link, `pid:[4026531836]`: stat() would make the inode, which takes longer. */
static uint64_t pid_namespace(void)
{
	char text[32] = {0};
	uint64_t inode = 0;
	raw_call(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/ns/pid", (long)text, sizeof text - 1,
		 0, 0);
	for (const char *c = text; *c; c++)
		if (*c >= '0' && *c <= '9')
			inode = inode * 10 + (uint64_t)(*c - '0');
	return inode;
}

static void fill_tables(struct pm_header *header, const struct segment_plan *plan)
{
	struct pm_class *classes = (struct pm_class *)((char *)header + sizeof *header);
	struct pm_age *ages = (struct pm_age *)(classes + plan->class_count);
	memcpy(classes, plan->classes, plan->class_count * sizeof *classes);
	memcpy(ages, plan->ages, PM_AGE_COUNT * sizeof *ages);
	header->classes = (struct pm_table){sizeof *header, sizeof *classes, plan->class_count};
	header->ages = (struct pm_table){(uint64_t)((char *)ages - (char *)header), sizeof *ages,
					 PM_AGE_COUNT};
}

static void fill_header(struct pm_header *header, const struct segment_plan *plan,
			uint64_t file_bytes, const uint64_t id[2], uint64_t created_ns)
{
	memcpy(header->magic, PM_MAGIC, sizeof header->magic);
	header->endian = PM_ENDIAN;
	header->version = PM_FORMAT_VERSION;
	header->header_bytes = sizeof *header;
	header->chunk_bytes = PM_CHUNK_BYTES;
	header->id[0] = id[0];
	header->id[1] = id[1];
	read_boot_id(header->boot_id);
	header->pid_namespace = pid_namespace();
	header->run_id = plan->run_id;
	header->created_ns = created_ns;
	header->file_bytes = file_bytes;
	header->page_bytes = MEMORY_PAGE;
	header->unit_bytes = PM_UNIT_BYTES;
	header->arena_units = PM_ARENA_UNITS;
	header->slot_counters = PM_COUNTER_COUNT;
	header->tally_offset = offsetof(struct pm_slot, tally);
	header->tally_stride = sizeof(struct pm_tally);
	header->map_arenas = PM_MAP_ARENAS;
	header->leader = 1;
	fill_tables(header, plan);
	__atomic_store_n(&header->chunks, 1, __ATOMIC_RELEASE);
}

_Static_assert(sizeof(struct pm_header) + PM_TALLY_COUNT * sizeof(struct pm_class) +
			       PM_AGE_COUNT * sizeof(struct pm_age) <=
		       MEMORY_PAGE,
	       "the page that is made present");

bool segment_create(const struct segment_plan *plan)
{
	uint64_t id[2] = {0}, file_bytes, created_ns = now_ns(CLOCK_REALTIME);
	raw_call3(SYS_getrandom, (long)id, sizeof id, 1);
	int directory = open_directory(plan);
	if (directory < 0)
		return false;
	segment_clean(directory, plan->total_bytes, id[0]);
	char name[PATH_ROOM];
	int fd = create_file(directory, created_ns, id[1], name);
	size_t mapped = 0;
	void *start = fd < 0 ? NULL : map_file(fd, plan, &file_bytes, &mapped);
	if (start) {
		fill_header(start, plan, file_bytes, id, created_ns);
		segment.header = start;
		segment.mapped = (uint32_t)(mapped / PM_CHUNK_BYTES);
		segment.keeps_dead = plan->keeps_dead;
	}
	if (fd >= 0)
		raw_close(fd);
	if (fd >= 0 && !start)
		raw_call3(SYS_unlinkat, directory, (long)name, 0);
	raw_close(directory);
	return start;
}
