/* cflags: -fno-builtin */
/* link: -ldl */
/* SPDX-License-Identifier: MIT */
/*
 * An independent count of what a program asks of malloc: LD_PRELOAD="liboracle.so libpoolmem.so".
 * Each call is forwarded to the next malloc and counted in a shared file named by ORACLE_OUT, one record
 * per process image, so that the counts are there after a SIGKILL.
 *
 *   struct oracle_file: header, then records; little-endian words, read by check.py
 *
 * Why it is exact: ld.so has its own malloc until all is relocated and then looks ours up like anyone;
 * libc calls malloc through its GOT; so each call the library gets came through here. The table of next
 * functions is filled in the first call, wholly, with dlsym, which does not allocate when it finds what
 * it looks for. Should that ever change, the oracle says so and stops instead of miscounting.
 * A forked child finds its page wiped (MADV_WIPEONFORK), however it was forked, and takes a new record.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RECORDS_MAX = 16384, PAGE_BYTES = 4096 };

struct record {
	uint32_t pid, ppid;
	int64_t inherited; /* live when the parent forked; exact if it had one thread */
	_Atomic uint64_t alloc, free, realloc, moved, failed;
	_Atomic uint64_t invalid; /* of failed: EINVAL */
	char exe[32];             /* last path component */
	char reserved[32];
};

struct oracle_file {
	char magic[8];         /* "oracle1\n" */
	_Atomic uint32_t used; /* records taken */
	uint32_t record_bytes;
	char reserved[PAGE_BYTES - 16];
	struct record records[RECORDS_MAX];
};

_Static_assert(sizeof(struct record) == 128, "as check.py reads it");

/* clang-format off */
#define NEXT_FUNCTIONS(X) \
	X(malloc) X(free) X(calloc) X(realloc) X(aligned_alloc) \
	X(memalign) X(posix_memalign) X(valloc) X(pvalloc) X(reallocarray) \
	X(__libc_malloc) X(__libc_free) X(__libc_calloc) X(__libc_realloc) \
	X(__libc_memalign) X(__libc_valloc) X(__libc_pvalloc)
/* clang-format on */

#define NEXT_INDEX(name) NEXT_##name,
enum next_index { NEXT_FUNCTIONS(NEXT_INDEX) NEXT_COUNT };

static void *next_function[NEXT_COUNT];
static struct oracle_file *file;
static _Atomic int32_t *seat; /* on the wiped page: 0 none, -1 being taken, else record number + 1 */
static atomic_long live;      /* private, so frozen in a child at fork */
static int starting;
static __thread int in_reallocarray __attribute__((tls_model("initial-exec")));

#define EXPORT __attribute__((visibility("default")))
#define FORWARD(type, name) ((type)next_function[NEXT_##name])

typedef void *by_size(size_t);
typedef void *by_two(size_t, size_t);
typedef void *by_block(void *, size_t);
typedef void *by_array(void *, size_t, size_t);
typedef void by_free(void *);
typedef int by_pointer(void **, size_t, size_t);

static void stop(const char *why)
{
	ssize_t ignored = write(2, why, strlen(why));
	(void)ignored;
	_exit(99);
}

static void resolve_all(void)
{
#define NEXT_NAME(name) #name,
	static const char *const names[] = {NEXT_FUNCTIONS(NEXT_NAME)};
	for (int i = 0; i < NEXT_COUNT; i++)
		if (!(next_function[i] = dlsym(RTLD_NEXT, names[i])))
			stop("oracle: a function is missing behind it\n");
}

/* The value of ORACLE_OUT: environ is not set yet when the first calls come. */
static const char *out_path(void)
{
	static char env[256 * 1024];
	static const char key[] = "ORACLE_OUT=";
	size_t have = 0;
	ssize_t got;
	int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (got = read(fd, env + have, sizeof env - 1 - have)) > 0)
		have += (size_t)got;
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < have; i += strlen(env + i) + 1)
		if (strncmp(env + i, key, sizeof key - 1) == 0)
			return env + i + sizeof key - 1;
	return NULL;
}

static void *map_file(const char *path)
{
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	int flags = fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS;
	if (path && (fd < 0 || ftruncate(fd, sizeof *file) != 0))
		stop("oracle: cannot open ORACLE_OUT\n");
	void *at = mmap(NULL, sizeof *file, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (at == MAP_FAILED)
		stop("oracle: cannot map ORACLE_OUT\n");
	if (fd >= 0)
		close(fd);
	return at;
}

/* In the first call of a process image, which is made by one thread. */
static void start(void)
{
	if (starting)
		stop("oracle: called while it starts, counts would be wrong\n");
	starting = 1;
	resolve_all();
	file = map_file(out_path());
	memcpy(file->magic, "oracle1\n", 8);
	file->record_bytes = sizeof(struct record);
	void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);
	if (page == MAP_FAILED || madvise(page, PAGE_BYTES, MADV_WIPEONFORK) != 0)
		stop("oracle: no MADV_WIPEONFORK\n");
	seat = page;
}

static void take_seat(void)
{
	uint32_t n = atomic_fetch_add(&file->used, 1);
	if (n >= RECORDS_MAX)
		stop("oracle: out of records\n");
	struct record *r = &file->records[n];
	char path[4096];
	ssize_t bytes = readlink("/proc/self/exe", path, sizeof path - 1);

	path[bytes < 0 ? 0 : bytes] = 0;
	const char *slash = strrchr(path, '/');
	strncpy(r->exe, slash ? slash + 1 : path, sizeof r->exe - 1);
	r->inherited = atomic_load(&live);
	r->pid = (uint32_t)syscall(SYS_getpid);
	r->ppid = (uint32_t)syscall(SYS_getppid);
	atomic_store(seat, (int32_t)n + 1);
}

/* The record of this process; the first call after start or fork takes one. */
static struct record *mine(void)
{
	int32_t have;
	if (seat && (have = atomic_load_explicit(seat, memory_order_relaxed)) > 0)
		return &file->records[have - 1];

	int kept = errno;
	if (!seat)
		start();
	have = 0;
	if (atomic_compare_exchange_strong(seat, &have, -1))
		take_seat();
	while ((have = atomic_load(seat)) <= 0)
		;
	errno = kept;
	return &file->records[have - 1];
}

static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void count_alloc(struct record *r)
{
	count(&r->alloc);
	atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
}

static void count_free(struct record *r)
{
	count(&r->free);
	atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
}

static void count_refused(struct record *r, int why)
{
	count(&r->failed);
	if (why == EINVAL)
		count(&r->invalid);
}

static void *counted(struct record *r, void *block)
{
	if (block)
		count_alloc(r);
	else
		count_refused(r, errno);
	return block;
}

/* DESIGN section 5: what a realloc from `was` to `block` of `bytes` amounts to. */
static void *counted_resize(struct record *r, uintptr_t was, size_t bytes, void *block)
{
	if (!was)
		return counted(r, block);
	if (!block && bytes == 0)
		count_free(r);
	else if (!block)
		count_refused(r, errno);
	else
		count(&r->realloc);
	if (block && (uintptr_t)block != was) {
		count_alloc(r);
		count_free(r);
		count(&r->moved);
	}
	return block;
}

static void counted_free(void *block, enum next_index f)
{
	struct record *r = mine();
	((by_free *)next_function[f])(block);
	if (block)
		count_free(r);
}

EXPORT void *malloc(size_t n)
{
	struct record *r = mine();
	return counted(r, FORWARD(by_size *, malloc)(n));
}

EXPORT void *calloc(size_t n, size_t size)
{
	struct record *r = mine();
	return counted(r, FORWARD(by_two *, calloc)(n, size));
}

EXPORT void *realloc(void *block, size_t n)
{
	struct record *r = mine();
	uintptr_t was = (uintptr_t)block;
	void *now = FORWARD(by_block *, realloc)(block, n);
	return in_reallocarray ? now : counted_resize(r, was, n, now);
}

/* libc's reallocarray comes back as realloc; the library's does not. */
EXPORT void *reallocarray(void *block, size_t n, size_t size)
{
	struct record *r = mine();
	uintptr_t was = (uintptr_t)block;
	size_t bytes;
	int overflow = __builtin_mul_overflow(n, size, &bytes);
	in_reallocarray++;
	void *now = FORWARD(by_array *, reallocarray)(block, n, size);
	in_reallocarray--;
	return counted_resize(r, was, overflow ? SIZE_MAX : bytes, now);
}

EXPORT void free(void *block)
{
	counted_free(block, NEXT_free);
}

/* These three are not in every libc; a program that found them here means free. */
static void by_name(const char *name, void *block, size_t a, size_t b)
{
	struct record *r = mine();
	void (*next)(void *, size_t, size_t) = (void (*)(void *, size_t, size_t))dlsym(RTLD_NEXT,
										       name);
	if (next)
		next(block, a, b); /* superfluous arguments stay in registers */
	else
		FORWARD(by_free *, free)(block);
	if (block)
		count_free(r);
}

EXPORT void cfree(void *block)
{
	by_name("cfree", block, 0, 0);
}

EXPORT void free_sized(void *block, size_t n)
{
	by_name("free_sized", block, n, 0);
}

EXPORT void free_aligned_sized(void *block, size_t alignment, size_t n)
{
	by_name("free_aligned_sized", block, alignment, n);
}

EXPORT void *aligned_alloc(size_t alignment, size_t n)
{
	struct record *r = mine();
	return counted(r, FORWARD(by_two *, aligned_alloc)(alignment, n));
}

EXPORT void *memalign(size_t alignment, size_t n)
{
	struct record *r = mine();
	return counted(r, FORWARD(by_two *, memalign)(alignment, n));
}

EXPORT int posix_memalign(void **ret_block, size_t alignment, size_t n)
{
	struct record *r = mine();
	int e = FORWARD(by_pointer *, posix_memalign)(ret_block, alignment, n);
	if (e == 0)
		count_alloc(r);
	else
		count_refused(r, e);
	return e;
}

EXPORT void *valloc(size_t n)
{
	struct record *r = mine();
	return counted(r, FORWARD(by_size *, valloc)(n));
}

EXPORT void *pvalloc(size_t n)
{
	struct record *r = mine();
	return counted(r, FORWARD(by_size *, pvalloc)(n));
}

EXPORT void *__libc_malloc(size_t n)
{
	struct record *r = mine();
	return counted(r, FORWARD(by_size *, __libc_malloc)(n));
}

EXPORT void *__libc_calloc(size_t n, size_t size)
{
	struct record *r = mine();
	return counted(r, FORWARD(by_two *, __libc_calloc)(n, size));
}

EXPORT void *__libc_realloc(void *block, size_t n)
{
	struct record *r = mine();
	uintptr_t was = (uintptr_t)block;
	return counted_resize(r, was, n, FORWARD(by_block *, __libc_realloc)(block, n));
}

EXPORT void __libc_free(void *block)
{
	counted_free(block, NEXT___libc_free);
}

EXPORT void *__libc_memalign(size_t alignment, size_t n)
{
	struct record *r = mine();
	return counted(r, FORWARD(by_two *, __libc_memalign)(alignment, n));
}

EXPORT void *__libc_valloc(size_t n)
{
	struct record *r = mine();
	return counted(r, FORWARD(by_size *, __libc_valloc)(n));
}

EXPORT void *__libc_pvalloc(size_t n)
{
	struct record *r = mine();
	return counted(r, FORWARD(by_size *, __libc_pvalloc)(n));
}
