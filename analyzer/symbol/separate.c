/* SPDX-License-Identifier: MIT */
/* separate.c: see separate.h. */
#include "symbol/separate.h"

#include "symbol/network.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_BYTES_MAX = 64 };

/* What a file has to be to be taken. */
struct wanted {
	struct build_id id;
	bool has_crc;
	uint32_t crc;
};

static bool fits(const struct binary *found, const struct wanted *wanted)
{
	struct build_id id = binary_build_id(found);

	if (wanted->id.byte_count && id.byte_count)
		return build_id_equal(id, wanted->id);
	uint32_t crc;
	return wanted->has_crc && binary_crc(found, &crc) && crc == wanted->crc;
}

static bool try_path(const char *path, const struct wanted *wanted, struct binary *ret)
{
	struct binary found;
	enum symbol_lack lack;

	if (!binary_open(path, &found, &lack))
		return false;
	if (fits(&found, wanted)) {
		*ret = found;
		return true;
	}
	binary_close(&found);
	return false;
}

/* DIR followed by `below`, for each directory of the list. */
static bool try_dirs(const char *dirs, const char *below, const struct wanted *wanted,
		     struct binary *ret)
{
	char path[PATH_MAX];

	while (*dirs) {
		size_t length = strcspn(dirs, ":");
		int bytes = snprintf(path, sizeof path, "%.*s/%s", (int)length, dirs, below);
		if (length && bytes > 0 && (size_t)bytes < sizeof path && try_path(path, wanted, ret))
			return true;
		dirs += length + (dirs[length] == ':');
	}
	return false;
}

static bool try_build_id(const char *dirs, const struct wanted *wanted, struct binary *ret)
{
	char below[sizeof ".build-id/xx/.debug" + 2 * (size_t)ID_BYTES_MAX] = ".build-id/";
	char *end = below + strlen(below);

	if (wanted->id.byte_count < 2 || wanted->id.byte_count > ID_BYTES_MAX)
		return false;
	for (size_t i = 0; i < wanted->id.byte_count; i++)
		end += sprintf(end, i == 1 ? "/%02x" : "%02x", wanted->id.bytes[i]);
	memcpy(end, ".debug", sizeof ".debug");
	return try_dirs(dirs, below, wanted, ret);
}

static int directory_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? (int)(slash - path) : 0;
}

/* Beside the file, in .debug/ there, and under each directory of debug files. */
static bool try_link(const struct binary *of, const char *name, const char *dirs,
		     const struct wanted *wanted, struct binary *ret)
{
	static const char *const places[] = {"%.*s/%s", "%.*s/.debug/%s"};
	int length = directory_length(of->path);
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		int bytes = snprintf(path, sizeof path, places[i], length, of->path, name);
		if (bytes > 0 && (size_t)bytes < sizeof path && try_path(path, wanted, ret))
			return true;
	}
	int bytes = snprintf(path, sizeof path, "%.*s/%s", length, of->path, name);
	return bytes > 0 && (size_t)bytes < sizeof path && try_dirs(dirs, path, wanted, ret);
}

bool separate_open(const struct binary *of, const char *dirs, struct binary *ret)
{
	struct wanted wanted = {.id = binary_build_id(of)};
	GElf_Word crc = 0;

	if (try_build_id(dirs, &wanted, ret))
		return true;
	const char *name = dwelf_elf_gnu_debuglink(of->elf, &crc);
	if (!name || !*name || strchr(name, '/'))
		return false;
	wanted.has_crc = true;
	wanted.crc = crc;
	return try_link(of, name, dirs, &wanted, ret);
}

bool separate_fetch(const struct binary *of, struct binary *ret)
{
	struct wanted wanted = {.id = binary_build_id(of)};
	char *path = network_debug(wanted.id);
	bool found = path && try_path(path, &wanted, ret);

	free(path);
	return found;
}

/* A name and, behind its NUL, a build id. */
static bool shared_link(const struct binary *of, const char **ret_name, struct build_id *ret_id)
{
	size_t names, length;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	if (elf_getshdrstrndx(of->elf, &names) != 0)
		return false;
	while ((section = elf_nextscn(of->elf, section))) {
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(of->elf, names, header.sh_name)
					   : NULL;
		if (!name || strcmp(name, ".gnu_debugaltlink") != 0)
			continue;
		Elf_Data *data = elf_rawdata(section, NULL);
		if (!data || !data->d_buf ||
		    (length = strnlen(data->d_buf, data->d_size)) == data->d_size)
			return false;
		*ret_name = data->d_buf;
		*ret_id = (struct build_id){(const uint8_t *)data->d_buf + length + 1,
					    data->d_size - length - 1};
		return true;
	}
	return false;
}

bool separate_open_shared(const struct binary *of, const char *dirs, struct binary *ret,
			  bool *ret_is_needed)
{
	struct wanted wanted = {0};
	char path[PATH_MAX];
	const char *name;

	*ret_is_needed = shared_link(of, &name, &wanted.id);
	if (!*ret_is_needed)
		return false;
	if (try_build_id(dirs, &wanted, ret))
		return true;
	if (*name == '/')
		return try_path(name, &wanted, ret);
	int bytes = snprintf(path, sizeof path, "%.*s/%s", directory_length(of->path), of->path,
			     name);
	return bytes > 0 && (size_t)bytes < sizeof path && try_path(path, &wanted, ret);
}
