/* SPDX-License-Identifier: MIT */
/* facts.c: who this process is, written once at start. */
#define _GNU_SOURCE
#include "life/inside.h"
#include "life/life.h"
#include "sys/raw.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

enum { ARGV_ROOM = 32768, STAT_ROOM = 512, BUILD_ID_ROOM = 64, PATH_ROOM = 4096 };

static void add(enum pm_fact_tag tag, const void *payload, size_t bytes, const void *more,
		size_t more_bytes)
{
	if (!segment_add_fact(life.leader, tag, payload, bytes, more, more_bytes))
		life.process->notes |= UINT64_C(1) << PM_NOTE_FACTS_CUT;
}

static void add_executable(void)
{
	char path[4096];
	long bytes = raw_call(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)path,
			      sizeof path, 0, 0);
	if (bytes > 0)
		add(PM_FACT_EXE, path, (size_t)bytes, NULL, 0);
}

static void add_directory(void)
{
	char path[4096];
	long bytes = raw_call3(SYS_getcwd, (long)path, sizeof path, 0);
	if (bytes > 1) /* with its closing NUL */
		add(PM_FACT_DIRECTORY, path, (size_t)bytes - 1, NULL, 0);
}

/* The strings of argv lie one behind the other, as the kernel put them. */
static void add_arguments(int argc, char **argv)
{
	if (argc <= 0)
		return;
	size_t bytes = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) + 1 - argv[0]);
	if (bytes > ARGV_ROOM) {
		bytes = ARGV_ROOM;
		life.process->notes |= UINT64_C(1) << PM_NOTE_FACTS_CUT;
	}
	add(PM_FACT_ARGV, argv[0], bytes, NULL, 0);
}

static void add_inside(void)
{
	uint64_t words[PM_INSIDE_COUNT];
	inside_describe(words);
	add(PM_FACT_INSIDE, words, sizeof words, NULL, 0);
}

/* Which file serves. */
static void add_next(void)
{
	Dl_info info;
	void *symbol;
	memcpy(&symbol, &foreign.malloc, sizeof symbol);
	if (host_next && dladdr(symbol, &info) && info.dli_fname)
		add(PM_FACT_NEXT, info.dli_fname, strlen(info.dli_fname), NULL, 0);
}

static void add_options(void)
{
	char text[2048];
	add(PM_FACT_OPTIONS, text, settings_print(&life.settings, text, sizeof text), NULL, 0);
}

/* Field `number` (from 3 on) of /proc/PID/stat; the name in field 2 may hold anything. */
static uint64_t stat_field(const char *stat, unsigned number)
{
	const char *at = strrchr(stat, ')');
	uint64_t value = 0;
	for (unsigned field = 2; at && field < number; field++)
		if ((at = strchr(at, ' ')))
			at++;
	for (; at && *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	return value;
}

/* By "self": /proc may be that of another pid namespace, where our pid is somebody else's. */
static bool read_stat(char stat[STAT_ROOM])
{
	return raw_read_text("/proc/self/stat", stat, STAT_ROOM);
}

/* --- modules ------------------------------------------------------------------------------------- */

struct build_id {
	const uint8_t *bytes;
	uint32_t count;
};

static struct build_id find_build_id(const struct dl_phdr_info *info,
				     const ElfW(Phdr) * segment_header)
{
	const char *at = (const char *)info->dlpi_addr + segment_header->p_vaddr;
	const char *end = at + segment_header->p_memsz;
	while (at + sizeof(ElfW(Nhdr)) <= end) {
		const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;
		const char *name = at + sizeof *note;
		const char *content = name + ((note->n_namesz + 3) & ~3u);
		at = content + ((note->n_descsz + 3) & ~3u);
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
		    !memcmp(name, "GNU", 4) && at <= end)
			return (struct build_id){(const uint8_t *)content, note->n_descsz};
	}
	return (struct build_id){0};
}

/* Not every note is: what no PT_LOAD covers cannot be read. */
static bool is_loaded(const struct dl_phdr_info *info, const ElfW(Phdr) * note)
{
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *load = &info->dlpi_phdr[i];
		if (load->p_type == PT_LOAD && load->p_flags & PF_R &&
		    note->p_vaddr >= load->p_vaddr && note->p_memsz <= load->p_filesz &&
		    note->p_vaddr - load->p_vaddr <= load->p_filesz - note->p_memsz)
			return true;
	}
	return false;
}

static struct pm_module module_of(const struct dl_phdr_info *info)
{
	struct pm_module module = {.base = info->dlpi_addr, .first = UINT64_MAX};
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uint64_t first = info->dlpi_addr + header->p_vaddr;
		if (header->p_type == PT_LOAD) {
			module.first = first < module.first ? first : module.first;
			module.last = first + header->p_memsz;
		}
	}
	return module;
}

static struct build_id build_id_of(const struct dl_phdr_info *info)
{
	struct build_id id = {0};
	for (unsigned i = 0; i < info->dlpi_phnum && !id.count; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE && is_loaded(info, &info->dlpi_phdr[i]))
			id = find_build_id(info, &info->dlpi_phdr[i]);
	return id.count <= BUILD_ID_ROOM ? id : (struct build_id){0};
}

/* Not on the stack: modules come when the program's is as it may be.  One caller at a time. */
static struct {
	struct pm_module module;
	char tail[BUILD_ID_ROOM + PATH_ROOM];
} payload;

/* Returns how many bytes it has. */
static size_t fill_payload(const struct dl_phdr_info *info)
{
	struct build_id id = build_id_of(info);
	size_t path = strlen(info->dlpi_name);
	payload.module = module_of(info);
	payload.module.build_id_bytes = id.count;
	payload.module.path_bytes = path <= PATH_ROOM ? (uint32_t)path : PATH_ROOM;
	if (id.count)
		memcpy(payload.tail, id.bytes, id.count);
	memcpy(payload.tail + id.count, info->dlpi_name, payload.module.path_bytes);
	return sizeof payload.module + id.count + payload.module.path_bytes;
}

static bool add_module_fact(const struct dl_phdr_info *info, uint32_t generation)
{
	size_t bytes = fill_payload(info);
	modules_know(payload.module.first, payload.module.last, generation);
	return segment_add_fact(life.leader, PM_FACT_MODULE, &payload, bytes, NULL, 0);
}

static int add_module(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	if (!add_module_fact(info, 0))
		life.process->notes |= UINT64_C(1) << PM_NOTE_FACTS_CUT;
	return 0;
}

bool facts_add_module(const struct dl_phdr_info *info, uint32_t generation)
{
	static uint32_t said,
		descent; /* of whose facts, and the last generation that stands in them */
	if (descent != life.descent)
		said = 0;
	descent = life.descent;
	if (said != generation && !segment_add_fact(life.leader, PM_FACT_GENERATION, &generation,
						    sizeof generation, NULL, 0))
		return false;
	said = generation;
	return add_module_fact(info, generation);
}

/* Without a build id one may have been written over the other. */
uint64_t facts_identity(const struct dl_phdr_info *info, struct pm_module *ret_module)
{
	size_t bytes = fill_payload(info);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ ((const uint8_t *)&payload)[i]) * UINT64_C(0x100000001b3);
	*ret_module = payload.module;
	return payload.module.build_id_bytes ? hash : 0;
}

void facts_record(int argc, char **argv)
{
	struct pm_process *process = life.process;
	char stat[STAT_ROOM];
	process->pid = (uint32_t)getpid();
	process->ppid = (uint32_t)getppid();
	process->uid = getuid();
	if (read_stat(stat))
		process->start_ticks = stat_field(stat, 22);
	add_executable();
	add_directory();
	add_arguments(argc, argv);
	add_options();
	add_next();
	add_inside();
	add(PM_FACT_PARENTS, &process->ppid, sizeof process->ppid, NULL, 0);
	dl_iterate_phdr(add_module, NULL);
}
