/* SPDX-License-Identifier: MIT */
/* target.c: turns what elf.h reads into findings. */
#include "launch/target.h"

#include "launch/elf.h"
#include "launch/search.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SCRIPT_DEPTH_MAX = 5 };

/* A file under inspection. */
struct subject {
	struct target *target;
	const char *path;
	int fd;
	struct stat status;
};

static void add(const struct subject *subject, enum target_finding_kind kind, const char *detail)
{
	struct target *target = subject->target;

	if (target->finding_count == TARGET_FINDING_MAX)
		return;
	struct target_finding *finding = &target->finding[target->finding_count++];

	finding->kind = kind;
	snprintf(finding->path, sizeof(finding->path), "%s", subject->path);
	snprintf(finding->detail, sizeof(finding->detail), "%s", detail);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Rights that come with the file count on most mounts, unless they are switched off for us. */
static bool file_rights_count(const struct subject *subject)
{
	struct statvfs mount;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return false;
	return fstatvfs(subject->fd, &mount) != 0 || !(mount.f_flag & ST_NOSUID);
}

/* The cases in which the kernel sets AT_SECURE.  To root nobody's capabilities are new. */
static void inspect_rights(const struct subject *subject)
{
	mode_t mode = subject->status.st_mode;

	if (!file_rights_count(subject))
		return;
	if ((mode & S_ISUID) && subject->status.st_uid != getuid())
		add(subject, TARGET_FINDING_SETUID, "uid");
	else if ((mode & S_ISGID) && (mode & S_IXGRP) && subject->status.st_gid != getgid())
		add(subject, TARGET_FINDING_SETUID, "gid");
	else if (getuid() != 0 && fgetxattr(subject->fd, "security.capability", NULL, 0) > 0)
		add(subject, TARGET_FINDING_CAPABILITIES, "");
}

static bool is_sanitizer(const char *library)
{
	static const char *const names[] = {
		"libasan.",   "libtsan.",         "liblsan.",         "libmsan.",
		"libhwasan.", "libclang_rt.asan", "libclang_rt.tsan", "libclang_rt.hwasan"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (starts_with(library, names[i]))
			return true;
	return false;
}

static bool is_allocator(const char *library)
{
	static const char *const names[] = {"libjemalloc",  "libtcmalloc", "libmimalloc",
					    "libtbbmalloc", "libsnmalloc", "librpmalloc"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (starts_with(library, names[i]))
			return true;
	return false;
}

/* Libraries that bring a malloc.  True when one of them is a sanitizer. */
static bool inspect_needed(const struct subject *subject, const struct elf_image *image)
{
	bool sanitizer = false;

	for (uint32_t i = 0; i < image->needed_count; i++) {
		char library[ELF_NAME_MAX];

		if (!elf_needed_name(image, i, library))
			continue;
		if (is_sanitizer(library)) {
			add(subject, TARGET_FINDING_SANITIZER, library);
			sanitizer = true;
		} else if (is_allocator(library)) {
			add(subject, TARGET_FINDING_ALLOCATOR, library);
		}
	}
	return sanitizer;
}

/* Static sanitizers export these. */
static const char *sanitizer_symbol(const struct elf_image *image)
{
	static const char *const names[] = {"__asan_init", "__tsan_init", "__msan_init",
					    "__hwasan_init", "__lsan_init"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (elf_defines(image, names[i]))
			return names[i];
	return NULL;
}

static void inspect_mallocs(const struct subject *subject, const struct elf_image *image)
{
	if (inspect_needed(subject, image))
		return;
	const char *symbol = sanitizer_symbol(image);

	if (symbol)
		add(subject, TARGET_FINDING_SANITIZER, symbol);
	else if (elf_defines(image, "malloc"))
		add(subject, TARGET_FINDING_OWN_MALLOC, "");
}

/* True when glibc's loader starts the program, or the program is that loader. */
static bool inspect_loader(const struct subject *subject, const struct elf_image *image)
{
	const char *loader = image->loader;

	if (*loader == 0 && starts_with(image->soname, "ld-linux"))
		return true;
	if (*loader == 0)
		add(subject, image->go ? TARGET_FINDING_STATIC_GO : TARGET_FINDING_STATIC, "");
	else if (access(loader, F_OK) != 0)
		add(subject, TARGET_FINDING_NO_LOADER, loader);
	else if (starts_with(base_name(loader), "ld-musl"))
		add(subject, TARGET_FINDING_MUSL, loader);
	else if (!starts_with(base_name(loader), "ld-linux"))
		add(subject, TARGET_FINDING_LOADER, loader);
	else
		return true;
	return false;
}

static void inspect_elf(const struct subject *subject, const struct elf_image *image)
{
	if (image->bits == 32) {
		add(subject, TARGET_FINDING_BITS, "");
		return;
	}
	if (!image->native) {
		const char *name = elf_machine_name(image);
		char machine[32];

		snprintf(machine, sizeof(machine), "ELF machine %u", image->machine);
		add(subject, TARGET_FINDING_MACHINE, name ? name : machine);
		return;
	}
	if (!inspect_loader(subject, image))
		return;
	inspect_rights(subject);
	if (image->go)
		add(subject, TARGET_FINDING_GO, "");
	inspect_mallocs(subject, image);
}

static void inspect_file(struct target *target, const char *path, const char *search_path,
			 int depth);

static void inspect_script(const struct subject *subject, const struct script *script,
			   const char *search_path, int depth)
{
	char command[SCRIPT_LINE_MAX], path[PATH_MAX];

	inspect_file(subject->target, script->interpreter, search_path, depth + 1);
	if (script_env_command(script, command) && search_command(command, search_path, path) == 0)
		inspect_file(subject->target, path, search_path, depth + 1);
}

/* A file with no magic at all is given to the shell by execvp. */
static void inspect_opened(const struct subject *subject, const char *search_path, int depth)
{
	struct elf_image image;
	struct script script;

	enum elf_verdict verdict = elf_read(subject->fd, &image);

	if (depth == 0)
		subject->target->is_elf = verdict != ELF_FOREIGN;
	switch (verdict) {
	case ELF_SOUND: inspect_elf(subject, &image); break;
	case ELF_DAMAGED: add(subject, TARGET_FINDING_DAMAGED, ""); break;
	case ELF_FOREIGN:
		if (script_read(subject->fd, &script))
			inspect_script(subject, &script, search_path, depth);
		else if (S_ISREG(subject->status.st_mode) && depth == 0)
			inspect_file(subject->target, "/bin/sh", search_path, depth + 1);
		break;
	}
}

static void inspect_file(struct target *target, const char *path, const char *search_path, int depth)
{
	struct subject subject = {.target = target, .path = path};

	if (depth > SCRIPT_DEPTH_MAX) {
		add(&subject, TARGET_FINDING_TOO_DEEP, "");
		return;
	}
	subject.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (subject.fd < 0 || fstat(subject.fd, &subject.status) != 0)
		add(&subject, TARGET_FINDING_UNREADABLE, strerror(errno));
	else
		inspect_opened(&subject, search_path, depth);
	if (subject.fd >= 0)
		close(subject.fd);
}

void target_inspect(const char *command, const char *search_path, struct target *ret_target)
{
	memset(ret_target, 0, sizeof(*ret_target));
	ret_target->error = search_command(command, search_path, ret_target->path);
	if (ret_target->error == 0)
		inspect_file(ret_target, ret_target->path, search_path, 0);
}

enum target_weight target_weight(const struct target *target)
{
	enum target_weight most = TARGET_PARTLY;

	for (size_t i = 0; i < target->finding_count; i++) {
		enum target_weight weight = target_finding_weight(target->finding[i].kind);

		if (weight > most)
			most = weight;
	}
	return most;
}

static const struct {
	const char *key, *text;
	enum target_weight weight;
} words[] = {
#define TARGET_WORDS_OF_FINDING(name, key, weight, text) {key, text, TARGET_##weight},
	TARGET_FINDINGS(TARGET_WORDS_OF_FINDING)
#undef TARGET_WORDS_OF_FINDING
};

const char *target_finding_key(enum target_finding_kind kind)
{
	return words[kind].key;
}

enum target_weight target_finding_weight(enum target_finding_kind kind)
{
	return words[kind].weight;
}

void target_finding_text(const struct target_finding *finding, char *ret_text, size_t text_bytes)
{
	const char *text = words[finding->kind].text, *mark = strstr(text, "%s");

	snprintf(ret_text, text_bytes, "%s %.*s%s%s", finding->path, (int)(mark - text), text,
		 finding->detail, mark + 2);
}
