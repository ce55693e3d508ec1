/* SPDX-License-Identifier: MIT */
/* machine.c: see machine.h. */
#define _GNU_SOURCE
#include "launch/machine.h"
#include "launch/environment.h"

#include "launch/elf.h"
#include "launch/settings.h"
#include "text/number.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Of <linux/mman.h>, which an older C library may not know. */
enum { ADVICE_WIPE_ON_FORK = 18, ADVICE_POPULATE_WRITE = 23 };

#define MIB (UINT64_C(1) << 20)
enum { FAULT_COUNT_MAX = 8 }; /* settings told one by one: there must be room for all checks */
enum { SHM_MIB_MIN = 64, SEGMENT_MIB = 64, ADDRESS_SPACE_MIB_MIN = 1024 };
#define INITIAL_PID_NAMESPACE UINT64_C(0xeffffffc) /* inode; the same in every kernel */

void checks_add(struct checks *checks, const char *name, enum check_verdict verdict,
		const char *advice, const char *format, ...)
{
	va_list arguments;

	if (checks->count == CHECK_COUNT_MAX)
		return;
	struct check *check = &checks->check[checks->count++];

	*check = (struct check){.name = name, .verdict = verdict, .advice = advice};
	va_start(arguments, format);
	vsnprintf(check->text, sizeof(check->text), format, arguments);
	va_end(arguments);
}

static bool kernel_takes(int advice)
{
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return false;
	bool taken = madvise(page, bytes, advice) == 0;

	munmap(page, bytes);
	return taken;
}

/* What was tried where. */
static void check_processor(struct checks *checks)
{
	struct number page = number_bytes((uint64_t)sysconf(_SC_PAGESIZE));

	if (ELF_NATIVE_MACHINE == EM_X86_64)
		checks_add(checks, "processor", CHECK_GOOD, NULL, "%s, pages of %s",
			   ELF_NATIVE_NAME, page.text);
	else
		checks_add(checks, "processor", CHECK_NOTE, "compare counts that you know",
			   "%s, pages of %s: tried under an emulator alone so far", ELF_NATIVE_NAME,
			   page.text);
}

static void check_kernel(struct checks *checks)
{
	struct utsname host = {0};

	uname(&host);
	if (!kernel_takes(ADVICE_WIPE_ON_FORK))
		checks_add(checks, "kernel", CHECK_NOTE, "use Linux 4.14 or newer",
			   "%s has no MADV_WIPEONFORK: children made by _Fork or clone count as their "
			   "parent",
			   host.release);
	else if (!kernel_takes(ADVICE_POPULATE_WRITE))
		checks_add(checks, "kernel", CHECK_NOTE, "use Linux 5.14 or newer",
			   "%s has no MADV_POPULATE_WRITE: segments have a fixed, smaller size",
			   host.release);
	else
		checks_add(checks, "kernel", CHECK_GOOD, NULL,
			   "%s: MADV_WIPEONFORK and MADV_POPULATE_WRITE are there", host.release);
}

static void check_glibc(struct checks *checks)
{
	const char *version = gnu_get_libc_version();

	if (dlsym(RTLD_DEFAULT, "_dl_find_object"))
		checks_add(checks, "glibc", CHECK_GOOD, NULL, "%s: _dl_find_object is there",
			   version);
	else
		checks_add(checks, "glibc", CHECK_NOTE, "use glibc 2.35 or newer",
			   "%s has no _dl_find_object: no call sites", version);
}

static void check_shm(struct checks *checks)
{
	struct statvfs disk;

	if (statvfs("/dev/shm", &disk) != 0) {
		checks_add(checks, "/dev/shm", CHECK_NOTE, "mount a tmpfs on /dev/shm",
			   "is not there: segments go to TMPDIR");
		return;
	}
	uint64_t size = (uint64_t)disk.f_blocks * disk.f_frsize;
	uint64_t left = (uint64_t)disk.f_bavail * disk.f_frsize;

	if (size == 0) /* a tmpfs without a limit */
		checks_add(checks, "/dev/shm", CHECK_GOOD, NULL, "without a limit");
	else if (left < SHM_MIB_MIN * MIB)
		checks_add(checks, "/dev/shm", CHECK_NOTE,
			   "make it larger (docker run --shm-size=1g), or set POOLMEM=dir=PATH",
			   "%s free of %s: large programs will not fit", number_bytes(left).text,
			   number_bytes(size).text);
	else
		checks_add(checks, "/dev/shm", CHECK_GOOD, NULL, "%s free of %s",
			   number_bytes(left).text, number_bytes(size).text);
}

static void check_preload(struct checks *checks)
{
	const char *preload = getenv("LD_PRELOAD");

	if (access("/etc/ld.so.preload", F_OK) == 0)
		checks_add(checks, "preload", CHECK_NOTE, "see that nothing in it replaces malloc",
			   "/etc/ld.so.preload is there: it stands before poolmem in every program");
	else if (preload && *preload)
		checks_add(checks, "preload", CHECK_NOTE, "see that nothing in it replaces malloc",
			   "LD_PRELOAD is set already: %s; poolmem goes %s it", preload,
			   environment_is_next() ? "before" : "behind");
	else
		checks_add(checks, "preload", CHECK_GOOD, NULL, "nothing else is preloaded");
}

static void add_faults(struct checks *checks, const struct settings_fault *fault, size_t count)
{
	for (size_t i = 0; i < count && i < FAULT_COUNT_MAX; i++)
		checks_add(checks, "settings", CHECK_NOTE, fault[i].advice, "%s", fault[i].text);
	if (count > FAULT_COUNT_MAX)
		checks_add(checks, "settings", CHECK_NOTE, "mend these first",
			   "POOLMEM: %zu more are wrong", count - FAULT_COUNT_MAX);
}

static void check_settings(struct checks *checks)
{
	struct settings_fault fault[FAULT_COUNT_MAX];
	const char *settings = getenv("POOLMEM");
	size_t faults = settings ? settings_faults(settings, fault, FAULT_COUNT_MAX) : 0;

	if (settings && strcmp(settings, "off") == 0)
		checks_add(checks, "settings", CHECK_FAIL, "unset POOLMEM",
			   "POOLMEM=off: the library stands aside");
	else if (faults)
		add_faults(checks, fault, faults);
	else if (settings && *settings)
		checks_add(checks, "settings", CHECK_GOOD, NULL, "POOLMEM=%s", settings);
	else
		checks_add(checks, "settings", CHECK_GOOD, NULL, "the defaults: POOLMEM is not set");
}

static struct rlimit limit_of(__rlimit_resource_t resource)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	getrlimit(resource, &limit);
	return limit;
}

static void check_address_space(struct checks *checks)
{
	struct rlimit limit = limit_of(RLIMIT_AS);

	if (limit.rlim_cur == RLIM_INFINITY)
		checks_add(checks, "address space", CHECK_GOOD, NULL, "no limit (ulimit -v)");
	else
		checks_add(checks, "address space",
			   limit.rlim_cur < ADDRESS_SPACE_MIB_MIN * MIB ? CHECK_NOTE : CHECK_GOOD,
			   "ulimit -v unlimited",
			   "%s (ulimit -v): arenas are reserved in smaller steps",
			   number_bytes(limit.rlim_cur).text);
}

static void check_file_size(struct checks *checks)
{
	struct rlimit limit = limit_of(RLIMIT_FSIZE);

	if (limit.rlim_cur == RLIM_INFINITY)
		checks_add(checks, "file size", CHECK_GOOD, NULL, "no limit (ulimit -f)");
	else if (limit.rlim_cur < SEGMENT_MIB * MIB)
		checks_add(checks, "file size", CHECK_NOTE, "ulimit -f unlimited",
			   "%s (ulimit -f): segments are smaller, or there are none",
			   number_bytes(limit.rlim_cur).text);
	else
		checks_add(checks, "file size", CHECK_GOOD, NULL, "%s (ulimit -f)",
			   number_bytes(limit.rlim_cur).text);
}

/* Matters to programs that lock their memory, and only by how much they may lock. */
static void check_locked_memory(struct checks *checks)
{
	struct rlimit limit = limit_of(RLIMIT_MEMLOCK);

	checks_add(checks, "locked memory", CHECK_GOOD, NULL, "%s (ulimit -l)",
		   limit.rlim_cur == RLIM_INFINITY ? "no limit" : number_bytes(limit.rlim_cur).text);
}

static void check_overcommit(struct checks *checks)
{
	FILE *file = fopen("/proc/sys/vm/overcommit_memory", "re");
	int mode = file ? fgetc(file) : EOF;

	if (file)
		fclose(file);
	if (mode == '2')
		checks_add(checks, "overcommit", CHECK_NOTE, NULL,
			   "vm.overcommit_memory is 2: arenas are reserved in smaller steps");
	else
		checks_add(checks, "overcommit", CHECK_GOOD, NULL, "vm.overcommit_memory is %c",
			   mode == EOF ? '?' : mode);
}

static void check_pid_namespace(struct checks *checks)
{
	struct stat own;

	if (stat("/proc/self/ns/pid", &own) != 0)
		checks_add(checks, "pids", CHECK_NOTE, "mount /proc",
			   "/proc does not tell: no resident memory over time");
	else if (own.st_ino == INITIAL_PID_NAMESPACE)
		checks_add(checks, "pids", CHECK_GOOD, NULL, "those of the machine");
	else
		checks_add(checks, "pids", CHECK_GOOD, NULL, "those of a container");
}

void machine_check(struct checks *checks)
{
	check_processor(checks);
	check_kernel(checks);
	check_glibc(checks);
	check_shm(checks);
	check_settings(checks);
	check_preload(checks);
	check_address_space(checks);
	check_file_size(checks);
	check_locked_memory(checks);
	check_overcommit(checks);
	check_pid_namespace(checks);
	checks_add(checks, "rights", CHECK_GOOD, NULL, "ptrace and perf events are not needed");
}
