/* SPDX-License-Identifier: MIT */
/*
 * elf_symbol.c: one name in the dynamic symbol table, by the hash tables that the loader uses.
 * Every walk is bounded: a chain of a hostile file may be a circle.
 */
#include "launch/elf.h"

#include <string.h>

enum { CHAIN_MAX = 65536 };

struct gnu_table {
	uint32_t bucket_count, first_symbol, bloom_words, bloom_shift;
};

struct sysv_table {
	uint32_t bucket_count, chain_count;
};

static uint32_t gnu_hash_of(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

static uint32_t sysv_hash_of(const char *name)
{
	uint32_t hash = 0;

	for (; *name; name++) {
		hash = (hash << 4) + (unsigned char)*name;
		hash ^= (hash & 0xf0000000) >> 24;
		hash &= 0x0fffffff;
	}
	return hash;
}

static bool symbol_is(const struct elf_image *image, uint32_t index, const char *name)
{
	char found[ELF_NAME_MAX];
	Elf64_Sym symbol;

	return elf_copy_at(image, image->symbols + (uint64_t)index * sizeof(symbol), &symbol,
			   sizeof(symbol)) &&
	       symbol.st_shndx != SHN_UNDEF && elf_string_at(image, symbol.st_name, found) &&
	       strcmp(found, name) == 0;
}

static bool word_at(const struct elf_image *image, uint64_t address, uint64_t index,
		    uint32_t *ret_word)
{
	return elf_copy_at(image, address + index * sizeof(*ret_word), ret_word, sizeof(*ret_word));
}

/* Table, bloom filter, buckets, then hashes of the symbols from first_symbol on; low bit ends a chain. */
static bool defined_by_gnu_hash(const struct elf_image *image, const char *name)
{
	uint32_t hash = gnu_hash_of(name), index, other;
	struct gnu_table table;

	if (!elf_copy_at(image, image->gnu_hash, &table, sizeof(table)) || !table.bucket_count)
		return false;
	uint64_t buckets = image->gnu_hash + sizeof(table) + (uint64_t)table.bloom_words * 8;
	uint64_t hashes = buckets + (uint64_t)table.bucket_count * 4;

	if (!word_at(image, buckets, hash % table.bucket_count, &index))
		return false;
	for (int i = 0; i < CHAIN_MAX && index >= table.first_symbol; i++, index++) {
		if (!word_at(image, hashes, index - table.first_symbol, &other))
			return false;
		if ((other | 1) == (hash | 1) && symbol_is(image, index, name))
			return true;
		if (other & 1)
			return false;
	}
	return false;
}

static bool defined_by_sysv_hash(const struct elf_image *image, const char *name)
{
	struct sysv_table table;
	uint32_t index;

	if (!elf_copy_at(image, image->sysv_hash, &table, sizeof(table)) || !table.bucket_count)
		return false;
	uint64_t buckets = image->sysv_hash + sizeof(table);
	uint64_t chains = buckets + (uint64_t)table.bucket_count * 4;

	if (!word_at(image, buckets, sysv_hash_of(name) % table.bucket_count, &index))
		return false;
	for (int i = 0; i < CHAIN_MAX && index != 0; i++) {
		if (symbol_is(image, index, name))
			return true;
		if (!word_at(image, chains, index, &index))
			return false;
	}
	return false;
}

bool elf_defines(const struct elf_image *image, const char *name)
{
	if (image->gnu_hash)
		return defined_by_gnu_hash(image, name);
	return image->sysv_hash && defined_by_sysv_hash(image, name);
}
