/* SPDX-License-Identifier: MIT */
/*
 * operators.c: operator new and delete by way of malloc and free, under the names that the Itanium C++ ABI gives them.
 *
 * What gets no block here goes on to the operator behind: that calls the program's new_handler, and throws.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* std::nothrow_t, which says only that it is there. */
struct nothrow;

/* X(name, its parameters, the same as arguments, alignment or 0).  PLAIN, ARRAY; NOTHROW; ALIGNED */
#define NEWS(X)                                                                                    \
	X(_Znwm, (size_t size), (size), 0)                                                         \
	X(_Znam, (size_t size), (size), 0)                                                         \
	X(_ZnwmRKSt9nothrow_t, (size_t size, const struct nothrow *tag), (size, tag), 0)           \
	X(_ZnamRKSt9nothrow_t, (size_t size, const struct nothrow *tag), (size, tag), 0)           \
	X(_ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment), alignment)     \
	X(_ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment), alignment)     \
	X(_ZnwmSt11align_val_tRKSt9nothrow_t,                                                      \
	  (size_t size, size_t alignment, const struct nothrow *tag), (size, alignment, tag),      \
	  alignment)                                                                               \
	X(_ZnamSt11align_val_tRKSt9nothrow_t,                                                      \
	  (size_t size, size_t alignment, const struct nothrow *tag), (size, alignment, tag),      \
	  alignment)

/* X(name, the parameters behind the block). */
#define DELETES(X)                                                                                 \
	X(_ZdlPv, )                                                                                \
	X(_ZdaPv, )                                                                                \
	X(_ZdlPvm, , size_t size)                                                                  \
	X(_ZdaPvm, , size_t size)                                                                  \
	X(_ZdlPvRKSt9nothrow_t, , const struct nothrow *tag)                                       \
	X(_ZdaPvRKSt9nothrow_t, , const struct nothrow *tag)                                       \
	X(_ZdlPvSt11align_val_t, , size_t alignment)                                               \
	X(_ZdaPvSt11align_val_t, , size_t alignment)                                               \
	X(_ZdlPvmSt11align_val_t, , size_t size, size_t alignment)                                 \
	X(_ZdaPvmSt11align_val_t, , size_t size, size_t alignment)                                 \
	X(_ZdlPvSt11align_val_tRKSt9nothrow_t, , size_t alignment, const struct nothrow *tag)      \
	X(_ZdaPvSt11align_val_tRKSt9nothrow_t, , size_t alignment, const struct nothrow *tag)

/* An allocator may itself use new inside malloc: it gets its own. */
static __thread unsigned depth;

/* Of no bytes there is a block, too. */
static void *ask(size_t size, size_t alignment)
{
	size_t bytes = size ? size : 1;
	if (depth)
		return NULL;
	depth++;
	void *block = alignment ? memalign(alignment, bytes) : malloc(bytes);
	depth--;
	return block;
}

/* There is one where there is C++ that calls this one. */
static void *behind(const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);
	if (!symbol)
		abort();
	return symbol;
}

#define NEW(name, parameters, arguments, alignment)                                                \
	EXPORT void *name parameters;                                                              \
	EXPORT void *name parameters                                                               \
	{                                                                                          \
		void *block = ask(size, alignment), *symbol;                                       \
		void *(*next)parameters;                                                           \
		if (__builtin_expect(block != NULL, 1))                                            \
			return block;                                                              \
		symbol = behind(#name);                                                            \
		memcpy(&next, &symbol, sizeof next);                                               \
		return next arguments;                                                             \
	}
NEWS(NEW)

#define DELETE(name, ...)                                                                          \
	EXPORT void name(void *block __VA_ARGS__);                                                 \
	EXPORT void name(void *block __VA_ARGS__)                                                  \
	{                                                                                          \
		free(block);                                                                       \
	}
#pragma GCC diagnostic ignored "-Wunused-parameter"
DELETES(DELETE)
